/**
 * Greedy assignment: the baseline for the exact solver, and what REPAIR's code offers beside it (Jordan, Sedghi, Saukh, Entezari and
 * Neyshabur 2022; ALGORITHMS 2.2). All pairs in the order of their values; each is taken whose row and column are both still free.
 *
 * For a matrix without negative entries its sum is at least half of the largest: a pair of the optimum that was not taken lost its row
 * or its column to a pair at least as large, and each pair taken costs at most two of the optimum.
 */
import { DataError, ShapeError } from '../../base/errors.ts';

/**
 * Assigns each row a column so that large entries come first. O(n^2 log n). Deterministic: among equal entries the lower row goes first,
 * then the lower column.
 * @param matrix f32 or f64 [n, n], row-major; read only.
 * @returns i32 [n]: row `i` takes column `assignment[i]`. A fresh array, the caller's.
 * @throws ShapeError if `matrix` is not [n, n]; DataError if an entry is NaN or infinite.
 */
export function greedyAssignment(matrix: Float64Array | Float32Array, n: number): Int32Array {
  if (!Number.isInteger(n) || n < 0 || matrix.length !== n * n) {
    throw new ShapeError(
      `greedyAssignment: expected a square matrix of n * n entries with n = ${n}, got ${matrix.length}`,
    );
  }
  const bad = matrix.findIndex((entry) => !Number.isFinite(entry));
  if (bad >= 0) {
    throw new DataError(
      `greedyAssignment: expected finite entries, got ${matrix[bad]} at row ${Math.floor(bad / n)}, column ${bad % n}; ` +
        'look for NaN or overflow in what made the matrix',
    );
  }
  const pairs = Uint32Array.from(matrix, (_, pair) => pair);
  pairs.sort((x, y) => matrix[y]! - matrix[x]! || x - y);
  const assignment = new Int32Array(n).fill(-1);
  const taken = new Uint8Array(n);
  for (const pair of pairs) {
    const [row, column] = [Math.floor(pair / n), pair % n];
    if (assignment[row] !== -1 || taken[column] === 1) continue;
    assignment[row] = column;
    taken[column] = 1;
  }
  return assignment;
}
