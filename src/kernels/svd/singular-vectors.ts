/** From the rows that Jacobi rotations made orthogonal to singular values and vectors: normalised in float64, sorted, signed. */

/** A = U diag(sigma) V^T with r = min(M, N). */
export interface SingularVectors {
  /** f32 [M, r], row-major: column i is the i-th left singular vector. */
  readonly u: Float32Array;
  /** f64 [r], descending. */
  readonly singularValues: Float64Array;
  /** f32 [N, r], row-major: column i is the i-th right singular vector. */
  readonly v: Float32Array;
}

export interface OrthogonalRows {
  /**
   * f32, `short` rows of `stride`: [J A | J], J orthogonal, after `length` columns of J A come those of J; the rows of J A are orthogonal.
   * Further rows are ignored.
   */
  readonly vectors: Float32Array;
  /** Rows of A, at most `long`, its columns. */
  readonly short: number;
  readonly long: number;
  readonly stride: number;
  readonly length: number;
  /** The singular values are divided by it. */
  readonly scale: number;
  /** A is the transpose of the matrix that was asked about: its left vectors are the right ones. */
  readonly transposed: boolean;
}

/** A squared norm below this is 0, as in orthogonalise_rows.wgsl. */
const SMALLEST = 1 / 2 ** 80;

/**
 * Row i of J A is sigma_i v_i^T, row i of J is u_i^T. Both were turned by the same rotations, so what rounding did to their lengths is the
 * same factor, and sigma_i = |J A|_i / |J|_i is free of it.
 */
export function singularVectors(given: OrthogonalRows): SingularVectors {
  const { vectors, short, long, stride, length, scale, transposed } = given;
  const rows = Array.from({ length: short }, (_, i) => {
    const image = vectors.subarray(i * stride, i * stride + long);
    const turned = vectors.subarray(i * stride + length, i * stride + length + short);
    const squares = sumOfSquares(image);
    const [size, turnedSize] = [squares < SMALLEST ? 0 : Math.sqrt(squares), Math.sqrt(sumOfSquares(turned))];
    return { image, turned, size, turnedSize, sigma: size / turnedSize };
  });
  const sorted = rows.sort((x, y) => y.sigma - x.sigma); // stable: equal ones stay in order
  const [shortSide, longSide] = [new Float32Array(short * short), new Float32Array(long * short)];
  for (const [i, { image, turned, size, turnedSize }] of sorted.entries()) {
    const left = transposed ? image : turned;
    const sign = largestIsNegative(transposed && size === 0 ? turned : left) ? -1 : 1;
    for (let k = 0; k < short; k++) shortSide[k * short + i] = (sign * turned[k]!) / turnedSize;
    if (size > 0) for (let k = 0; k < long; k++) longSide[k * short + i] = (sign * image[k]!) / size;
  }
  const singularValues = Float64Array.from(sorted, ({ sigma }) => sigma / scale);
  const [u, v] = transposed ? [longSide, shortSide] : [shortSide, longSide];
  return { u, singularValues, v };
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

/** Whether the component of the largest size (the first of equal ones) is negative. */
function largestIsNegative(values: Float32Array): boolean {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0;
}
