/**
 * The Lasso for fixed weights, exactly: signs of the active coefficients are guessed, the equations for these signs solved, and wrong
 * signs given up one at a time (feature-sign search; Lee, Battle, Raina and Ng, "Efficient sparse coding algorithms", NIPS 2006). The
 * objective falls with each step, so it ends; from a near start after a solve or two.
 */
import { DataError } from '../base/errors.ts';
import type { LassoData } from './lasso.ts';
import { factoriseSymmetric, multiply, multiplyTransposed } from './linear-algebra.ts';
import { weightedGram } from './linear-model.ts';
import type { Work } from './problem.ts';

/** @returns the minimiser of penalty |w|_1 + ridge |w|^2 / 2 + sum_i weights_i (y_i - x_i.w)^2 / 2, f64 [columns]. */
export function fitLasso(
  { features, targets, penalty, ridge }: Required<LassoData>,
  weights: Float64Array,
  start: Float64Array,
  work: Work,
): Float64Array {
  const columns = start.length;
  const w = start.slice();
  // With all weights 0 nothing pulls; the signs would only be given up one by one.
  if (weights.every((weight) => weight === 0)) return w.fill(0);
  const signs = w.map(penalty === 0 ? () => 1 : Math.sign);
  const sizes = multiplyTransposed(
    features.map((each) => each * each),
    weights.map(Math.abs),
    columns,
  );
  /** Correlations x_j.(v o r) - ridge w_j, and the sums of magnitudes that their rounding goes with. */
  const correlate = () => {
    const r = multiply(features, w, targets.length).map((fit, i) => weights[i]! * (targets[i]! - fit));
    const c = multiplyTransposed(features, r, columns);
    return c.map((each, j) => each - ridge * w[j]!);
  };
  const limit = 100 * columns + 1000;
  let stuck = 0;
  for (let iteration = 0; iteration < limit; iteration++) {
    const c = correlate();
    const active: number[] = [];
    for (let j = 0; j < columns; j++) if (signs[j] !== 0) active.push(j);
    const wanted = (j: number) => c[j]! - (penalty === 0 ? 0 : penalty * signs[j]!);
    const step = new Float64Array(columns);
    let moves = false;
    if (active.length > 0) {
      const solved = solveActive(features, weights, columns, active, ridge, wanted, work);
      active.forEach((j, a) => {
        step[j] = solved[a]!;
        moves ||= Math.abs(solved[a]!) > 1e-13 * (1 + Math.abs(w[j]!));
      });
    }
    // To the first coefficient that would change its sign.
    let [length, crossing] = [1, -1];
    if (penalty > 0) {
      for (const j of active) {
        const after = signs[j]! * (w[j]! + step[j]!);
        if (after > 0 || (after === 0 && w[j] === 0 && step[j] === 0)) continue;
        const at = Math.abs(w[j]!) / Math.abs(step[j]!);
        if (crossing < 0 || at < length) [length, crossing] = [Math.min(at, 1), j];
      }
    }
    for (const j of active) w[j]! += length * step[j]!;
    if (crossing >= 0) {
      w[crossing] = 0;
      signs[crossing] = 0;
      continue;
    }
    // Rounding moves the solution of ill-conditioned equations for ever: a few steps of refinement are enough.
    if (moves && ++stuck < 4) continue;
    stuck = 0;
    const settled = correlate();
    let [entering, most] = [-1, penalty];
    for (let j = 0; j < columns; j++) {
      if (signs[j] !== 0) continue;
      // What rounding may leave of a column that the active ones already explain does not count.
      const size = Math.abs(settled[j]!) - 1e-13 * (sizes[j]! + penalty);
      if (size > most) [entering, most] = [j, size];
    }
    if (entering < 0) return w;
    signs[entering] = Math.sign(settled[entering]!);
  }
  throw new DataError(
    'lasso: the fit does not end; look for features of very different scales, and standardise them',
  );
}

/** Solves (X_A^T V X_A + ridge) step = wanted; a little more ridge where columns depend on each other, which repeated steps undo. */
function solveActive(
  features: Float64Array,
  weights: Float64Array,
  columns: number,
  active: readonly number[],
  ridge: number,
  wanted: (j: number) => number,
  work: Work,
): Float64Array {
  const m = active.length;
  const right = Float64Array.from(active, wanted);
  const gram = weightedGram(features, weights, columns, active);
  let largest = 0;
  for (let a = 0; a < m; a++) largest = Math.max(largest, gram[a * m + a]!);
  for (const extra of [0, 1e-9 * (largest || 1)]) {
    const matrix = gram.slice();
    for (let a = 0; a < m; a++) matrix[a * m + a]! += ridge + extra;
    work.linearSolves++;
    const { inertia, solve } = factoriseSymmetric(matrix, m);
    if (extra > 0 || inertia.positive === m) return solve(right);
  }
  return right;
}
