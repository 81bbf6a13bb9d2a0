/**
 * Exact linear sum assignment: the permutation that maximises (or minimises) `sum_i matrix[i, assignment[i]]`.
 *
 * Shortest augmenting paths in float64 (Jonker and Volgenant 1987, "A shortest augmenting path algorithm for dense
 * and sparse linear assignment problems"; Crouse 2016, "On implementing 2D rectangular assignment algorithms"):
 * column reduction, reduction transfer and augmenting row reduction assign most rows, a Dijkstra search from each
 * remaining row does the rest. Column duals of an earlier solve start a later one (Ito, Yamada and Kumagai 2024): any
 * column duals are feasible once the row duals are the row maxima, so a warm start never changes the optimum.
 *
 * Square and dense only. Worst case O(n^3).
 */
import { DataError, OptionError, ShapeError } from '../../base/errors.ts';
import { assertPermutation } from '../spec/permutation.ts';
import {
  type AssignmentProblem,
  assignGreedily,
  augmentAll,
  completeGreedily,
  makeProblem,
  reduceAugmentingRows,
  reduceColumns,
  type Shortfalls,
} from './augmenting-paths.ts';

/** Dual variables, f64 [n] each. With `maximise`, `rows[i] + columns[j] >= matrix[i, j]`; without, `<=`. */
export interface AssignmentDuals {
  /** f64, one a row. */
  rows: Float64Array;
  /** f64, one a column. */
  columns: Float64Array;
}

/** Of `linearSumAssignment`. */
export interface AssignmentOptions {
  /** Maximise the sum (default) or minimise it. */
  maximise?: boolean;
  /** Duals of an earlier solve in the same direction, of this matrix or one like it. Read, not kept. Only `columns` are needed. */
  duals?: Pick<AssignmentDuals, 'columns'>;
  /**
   * Stop as soon as the assignment is known to be at most this far from the optimum, in units of the matrix's sum; the result's `gap` says
   * how far at most. Default: 0, the optimum itself.
   */
  maximumGap?: number;
  /** Checked once, before the work: a solve is synchronous, so nothing can abort it midway. */
  signal?: AbortSignal;
}

/** An assignment with its total. */
export interface AssignmentResult {
  /** i32 [n]: row `i` takes column `assignment[i]`. */
  assignment: Int32Array;
  /** `sum_i matrix[i, assignment[i]]`, added in f64 in row order. */
  objective: number;
  /** The optimum is at most so much better, by weak duality with these duals. 0 unless `maximumGap` ended the solve early. */
  gap: number;
  /** Feasible up to rounding. Their sums are the matrix at every assigned entry, but for those that `gap` comes from. */
  duals: AssignmentDuals;
  /** The work done: rows of the matrix scanned (n is the least), and augmenting paths searched for. */
  statistics: { rowScans: number; augmentations: number };
}

/** Above this, differences of entries and duals might overflow. */
const largestMagnitude = 1e300;

/**
 * Solves the linear sum assignment problem exactly.
 *
 * Deterministic. Among equal optima, one is taken in which no cycle could be undone at no cost: where the identity
 * is optimal (and the arithmetic exact, as with integers or equal entries) the identity is returned. Other ties go
 * to the diagonal, then to the lowest free column, at the moment a row is first assigned.
 *
 * @param matrix f32 or f64 [n, n], row-major; read only. A copy is made unless it is f64 and to be maximised.
 * @param n rows and columns; 0 is allowed.
 * @returns fresh arrays that the caller owns.
 * @throws ShapeError if `matrix` is not [n, n] or `duals.columns` not [n].
 * @throws DataError if an entry is NaN, infinite or beyond 1e300 in magnitude, or a column dual is not finite.
 * @throws OptionError if `maximumGap` is no number of at least 0.
 * @example
 * linearSumAssignment(Float64Array.of(1, 5, 4, 2), 2).assignment; // [1, 0]
 */
export function linearSumAssignment(
  matrix: Float64Array | Float32Array,
  n: number,
  options: AssignmentOptions = {},
): AssignmentResult {
  options.signal?.throwIfAborted();
  checkShape('linearSumAssignment', matrix, n);
  checkEntries(matrix, n);
  const maximumGap = options.maximumGap ?? 0;
  if (!(maximumGap >= 0)) {
    throw new OptionError(
      `linearSumAssignment: maximumGap is at least 0; got ${maximumGap}; 0 asks for the optimum`,
    );
  }
  const sign = options.maximise === false ? -1 : 1;
  const warm = options.duals?.columns;
  const problem = makeProblem(gainsToMaximise(matrix, sign), n);
  if (warm === undefined) reduceColumns(problem);
  else loadColumnDuals(problem, warm, sign);

  // A warm start gives away half of each row's lead. The row keeps its column, and so do its rivals theirs: where the matrix changes a
  // little from solve to solve, next time most find what they had. Without that every row that once had to fight is left without a lead.
  let free = assignGreedily(problem, warm ? 0.5 : 1);
  const steps = warm ? n / 4 : 4 * n;
  let shortfalls: Shortfalls | undefined;
  // Bidding in short rounds gives as many occasions to see that it is near enough.
  const [passes, stepsOfPass] = maximumGap > 0 ? [16, steps / 8] : [2, steps];
  for (let pass = 0; pass < passes && !shortfalls; pass++) {
    if (maximumGap > 0) shortfalls = completeGreedily(problem, free, maximumGap);
    if (!shortfalls) free = reduceAugmentingRows(problem, free, stepsOfPass);
  }
  shortfalls ??= augmentAll(problem, free, maximumGap);
  if (shortfalls.size === 0) undoFreeCycles(problem);
  return makeResult(problem, matrix, sign, free.length, shortfalls);
}

/**
 * Says how far from optimal an assignment can be at most, by weak duality: the objective of the duals (row duals
 * raised, or lowered when minimising, until all are feasible) against that of the assignment. An exact solve gives
 * rounding error.
 *
 * @param matrix f32 or f64 [n, n], row-major.
 * @param solution an assignment i32 [n] and duals f64 [n], as `linearSumAssignment` returns them.
 * @returns the gap in the units of the matrix; never below 0 by more than rounding.
 * @throws ShapeError if lengths differ from n; DataError if the assignment is not a permutation.
 */
export function dualityGap(
  matrix: Float64Array | Float32Array,
  n: number,
  solution: Pick<AssignmentResult, 'assignment' | 'duals'>,
  maximise = true,
): number {
  checkShape('dualityGap', matrix, n);
  const { assignment, duals } = solution;
  for (const part of [assignment, duals.rows, duals.columns]) {
    if (part.length !== n) {
      throw new ShapeError(`dualityGap: expected assignment and duals of length ${n}, got ${part.length}`);
    }
  }
  assertPermutation(assignment, 'dualityGap');
  const sign = maximise ? -1 : 1;
  let gap = 0;
  for (let i = 0; i < n; i++) {
    let feasible = sign * duals.rows[i]!;
    for (let j = 0; j < n; j++) {
      feasible = Math.min(feasible, sign * (matrix[i * n + j]! - duals.columns[j]!));
    }
    // One row at a time, so that the large sums of both sides never meet.
    gap += sign * (matrix[i * n + assignment[i]!]! - duals.columns[assignment[i]!]!) - feasible;
  }
  return gap;
}

function checkShape(caller: string, matrix: Float64Array | Float32Array, n: number): void {
  if (!Number.isInteger(n) || n < 0 || matrix.length !== n * n) {
    throw new ShapeError(
      `${caller}: expected a square matrix of n * n entries with n = ${n}, got ${matrix.length}; pad a rectangular one`,
    );
  }
}

/** Four at a time: a warm start does little else than read the matrix twice, once here. */
function checkEntries(matrix: Float64Array | Float32Array, n: number): void {
  const size = n * n;
  let k = 0;
  while (
    k + 4 <= size &&
    Math.abs(matrix[k]!) <= largestMagnitude &&
    Math.abs(matrix[k + 1]!) <= largestMagnitude &&
    Math.abs(matrix[k + 2]!) <= largestMagnitude &&
    Math.abs(matrix[k + 3]!) <= largestMagnitude
  ) {
    k += 4;
  }
  for (; k < size; k++) {
    if (Math.abs(matrix[k]!) <= largestMagnitude) continue;
    throw new DataError(
      `linearSumAssignment: expected finite entries up to ${largestMagnitude} in magnitude, got ${matrix[k]} at row ` +
        `${Math.floor(k / n)}, column ${k % n}; look for NaN or overflow in what made the matrix`,
    );
  }
}

/** So that the scans see one element type and one direction. */
function gainsToMaximise(matrix: Float64Array | Float32Array, sign: number): Float64Array {
  if (sign === 1 && matrix instanceof Float64Array) return matrix;
  const gains = new Float64Array(matrix.length);
  for (let k = 0; k < gains.length; k++) gains[k] = sign * matrix[k]!;
  return gains;
}

function loadColumnDuals(problem: AssignmentProblem, warm: Float64Array, sign: number): void {
  const { n, columnDuals } = problem;
  if (warm.length !== n) {
    throw new ShapeError(`linearSumAssignment: expected ${n} column duals, got ${warm.length}`);
  }
  let largest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < n; j++) {
    if (!Number.isFinite(warm[j])) {
      throw new DataError(`linearSumAssignment: expected finite column duals, got ${warm[j]} at column ${j}`);
    }
    largest = Math.max(largest, sign * warm[j]!);
  }
  // Only differences matter; all together would rise a little with each of a long row of warm starts.
  for (let j = 0; j < n; j++) columnDuals[j] = sign * warm[j]! - largest;
}

/** Replaces each cycle of the assignment by fixed points where the diagonal is as good at every row of the cycle. */
function undoFreeCycles({ n, gains, columnDuals, columnOfRow }: AssignmentProblem): void {
  const seen = new Uint8Array(n);
  const reduced = (row: number, column: number) => gains[row * n + column]! - columnDuals[column]!;
  for (let first = 0; first < n; first++) {
    if (seen[first] === 1) continue;
    let free = true;
    for (let row = first; seen[row] === 0; row = columnOfRow[row]!) {
      seen[row] = 1;
      free &&= reduced(row, row) >= reduced(row, columnOfRow[row]!);
    }
    for (let row = first; free && columnOfRow[row] !== row; ) {
      const next = columnOfRow[row]!;
      columnOfRow[row] = row;
      row = next;
    }
  }
}

function makeResult(
  { n, gains, columnDuals, columnOfRow, rowScans }: AssignmentProblem,
  matrix: Float64Array | Float32Array,
  sign: number,
  augmentations: number,
  shortfalls: Shortfalls,
): AssignmentResult {
  let objective = 0;
  let gap = 0;
  const duals = { rows: new Float64Array(n), columns: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    const column = columnOfRow[i]!;
    objective += matrix[i * n + column]!;
    // Adding 0 turns -0 into 0.
    const shortfall = shortfalls.get(i) ?? 0;
    gap += shortfall;
    duals.rows[i] = sign * (gains[i * n + column]! - columnDuals[column]! + shortfall) + 0;
    duals.columns[column] = sign * columnDuals[column]! + 0;
  }
  return { assignment: columnOfRow, objective, gap, duals, statistics: { rowScans, augmentations } };
}
