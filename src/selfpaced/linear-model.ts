/** What linear models share. */
import { ShapeError } from '../base/errors.ts';
import { multiply } from './linear-algebra.ts';

/**
 * sum_i factor_i x_i x_i^T of the rows x_i of f64 [samples, columns]: the lower triangle [m, m].
 * @param chosen the m columns that count, ascending; all when left out.
 */
export function weightedGram(
  features: Float64Array,
  factors: Float64Array,
  columns: number,
  chosen: readonly number[] = Array.from({ length: columns }, (_, j) => j),
): Float64Array {
  const m = chosen.length;
  const matrix = new Float64Array(m * m);
  const row = new Float64Array(m);
  for (let i = 0; i < factors.length; i++) {
    const factor = factors[i]!;
    if (factor === 0) continue;
    for (let a = 0; a < m; a++) row[a] = features[i * columns + chosen[a]!]!;
    for (let a = 0; a < m; a++) {
      const scaled = factor * row[a]!;
      if (scaled === 0) continue;
      for (let b = 0; b <= a; b++) matrix[a * m + b]! += scaled * row[b]!;
    }
  }
  return matrix;
}

/** Rows f64 [count, columns] times coefficients f64 [columns]. @throws ShapeError when the widths differ. */
export function predictLinear(w: Float64Array, rows: Float64Array, caller: string): Float64Array {
  if (rows.length % w.length !== 0) {
    throw new ShapeError(`${caller}: expected rows of ${w.length} features, got ${rows.length} numbers`);
  }
  return multiply(rows, w, rows.length / w.length);
}
