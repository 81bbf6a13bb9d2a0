/**
 * The dual of a support vector machine with an upper bound for each multiplier, to rounding:
 * `min alpha.Q alpha / 2 - sum alpha` over `0 <= alpha_i <= upper_i`, `y.alpha = 0`.
 *
 * First the sets are guessed from the start (at 0, at the bound, or between), the equations for them solved, and the sets read off anew until
 * they repeat: the primal-dual active set method, a Newton method that from a near start needs a solve or two (Hintermueller, Ito and Kunisch
 * 2002). Where that wanders, sequential minimal optimisation with second-order working sets (Fan, Chen and Lin 2005, as in LIBSVM) goes nearer,
 * and it is tried again.
 */
import { factoriseSymmetric, maxNorm, nullVector } from './linear-algebra.ts';
import type { Work } from './problem.ts';

const SMO_TOLERANCES = [1e-3, 1e-6, 1e-9, 1e-12] as const;
const MOST_SMO_STEPS = 2_000_000;
const MOST_ACTIVE_SET_STEPS = 30;

/**
 * @param q f64 [n, n]: y_i y_j k_ij.
 * @param start [alpha, b]; any numbers, the nearer the better.
 * @returns [alpha, b], f64 [n + 1]. Multipliers between their bounds belong to linearly independent rows.
 */
export function fitSupportVectors(
  q: Float64Array,
  y: Float64Array,
  upper: Float64Array,
  start: Float64Array,
  work: Work,
): Float64Array {
  const n = y.length;
  const near = activeSetMethod(q, y, upper, start, work);
  if (near) return near;
  let x = feasible(y, upper, start);
  for (const tolerance of SMO_TOLERANCES) {
    minimiseByPairs(q, y, upper, x, tolerance);
    makeIndependent(q, y, upper, x);
    x[n] = offset(q, y, upper, x, start[n]!);
    const found = activeSetMethod(q, y, upper, x, work);
    if (found) return found;
    // Without anyone between the bounds there is no equation to solve.
    x = x.slice();
  }
  return x;
}

/** Margins Q alpha + y b of [alpha, b], f64 [n]. */
export function marginsOf(q: Float64Array, y: Float64Array, x: Float64Array): Float64Array {
  const n = y.length;
  const margins = y.map((each) => each * x[n]!);
  for (let j = 0; j < n; j++) {
    const factor = x[j]!;
    if (factor === 0) continue;
    const row = j * n; // of a symmetric matrix, as good as its column
    for (let i = 0; i < n; i++) margins[i]! += factor * q[row + i]!;
  }
  return margins;
}

function activeSetMethod(
  q: Float64Array,
  y: Float64Array,
  upper: Float64Array,
  start: Float64Array,
  work: Work,
): Float64Array | undefined {
  const n = y.length;
  let diagonal = 0;
  for (let i = 0; i < n; i++) diagonal += q[i * n + i]! / n;
  const pace = 1 / (diagonal || 1);
  let x = start;
  let margins = marginsOf(q, y, x);
  let before: Int8Array | undefined;
  for (let iteration = 0; iteration < MOST_ACTIVE_SET_STEPS; iteration++) {
    const where = new Int8Array(n); // -1 at 0, 1 at the bound, 0 between
    const free: number[] = [];
    for (let i = 0; i < n; i++) {
      const target = x[i]! + pace * (1 - margins[i]!);
      where[i] = target <= 0 ? -1 : target >= upper[i]! ? 1 : 0;
      if (where[i] === 0) free.push(i);
    }
    if (before && where.every((each, i) => each === before![i])) return x;
    before = where;
    if (free.length === 0) return undefined;
    const next = new Float64Array(n + 1);
    for (let i = 0; i < n; i++) if (where[i] === 1) next[i] = upper[i]!;
    const fixed = marginsOf(q, y, next);
    const size = free.length + 1;
    const matrix = new Float64Array(size * size);
    const right = new Float64Array(size);
    for (let i = 0; i < n; i++) right[0]! -= y[i]! * next[i]!;
    free.forEach((i, a) => {
      matrix[(a + 1) * size] = y[i]!;
      for (let b = 0; b <= a; b++) matrix[(a + 1) * size + b + 1] = q[i * n + free[b]!]!;
      right[a + 1] = 1 - fixed[i]!;
    });
    work.linearSolves++;
    const { inertia, solve } = factoriseSymmetric(matrix, size);
    if (inertia.negative !== 1 || inertia.positive !== free.length) return undefined;
    const solved = solve(right);
    next[n] = solved[0]!;
    free.forEach((i, a) => {
      next[i] = solved[a + 1]!;
    });
    x = next;
    margins = marginsOf(q, y, x);
    if (!(maxNorm(x) < Infinity)) return undefined;
    if (isSolution(x, margins, upper)) return x;
  }
  return undefined;
}

/** Whether all conditions hold up to rounding: then sets that still flicker do not matter. */
function isSolution(x: Float64Array, margins: Float64Array, upper: Float64Array): boolean {
  const tiny = 1e-14 * (1 + maxNorm(x));
  return margins.every((margin, i) => {
    const stepped = Math.min(Math.max(x[i]! - (margin - 1), 0), upper[i]!);
    return Math.abs(x[i]! - stepped) <= tiny;
  });
}

/** The start within the bounds, the heavier class scaled down until `y.alpha = 0`. */
function feasible(y: Float64Array, upper: Float64Array, start: Float64Array): Float64Array {
  const x = start.map((each, i) => (i < y.length ? Math.min(Math.max(each, 0), upper[i]!) : each));
  let [plus, minus] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    if (y[i]! > 0) plus += x[i]!;
    else minus += x[i]!;
  }
  const both = Math.min(plus, minus);
  for (let i = 0; i < y.length; i++) {
    const sum = y[i]! > 0 ? plus : minus;
    if (sum > 0) x[i] = Math.min(x[i]! * (both / sum), upper[i]!);
  }
  return x;
}

/** Sequential minimal optimisation, in place, until the largest violation of a pair is below `tolerance`. */
function minimiseByPairs(
  q: Float64Array,
  y: Float64Array,
  upper: Float64Array,
  x: Float64Array,
  tolerance: number,
): void {
  const n = y.length;
  const gradient = marginsOf(q, y, x).map((margin, i) => margin - y[i]! * x[n]! - 1);
  for (let step = 0; step < MOST_SMO_STEPS; step++) {
    let [i, highest, lowest] = [-1, -Infinity, Infinity];
    for (let t = 0; t < n; t++) {
      const value = -y[t]! * gradient[t]!;
      if ((y[t]! > 0 ? x[t]! < upper[t]! : x[t]! > 0) && value > highest) [i, highest] = [t, value];
      if (y[t]! > 0 ? x[t]! > 0 : x[t]! < upper[t]!) lowest = Math.min(lowest, value);
    }
    if (i < 0 || !(highest - lowest > tolerance)) return;
    let [j, best] = [-1, -1];
    for (let t = 0; t < n; t++) {
      if (!(y[t]! > 0 ? x[t]! > 0 : x[t]! < upper[t]!)) continue;
      const gap = highest + y[t]! * gradient[t]!;
      if (!(gap > 0)) continue;
      const gain = (gap * gap) / curvature(q, y, n, i, t);
      if (gain > best) [j, best] = [t, gain];
    }
    if (j < 0) return;
    let move = (highest + y[j]! * gradient[j]!) / curvature(q, y, n, i, j);
    // alpha_i grows by y_i move, alpha_j by -y_j move.
    move = Math.min(move, y[i]! > 0 ? upper[i]! - x[i]! : x[i]!);
    move = Math.min(move, y[j]! > 0 ? x[j]! : upper[j]! - x[j]!);
    const bounded = (k: number, value: number) => {
      // Exactly at a bound, or the same sample would be taken for free again.
      if (value <= 1e-15 * upper[k]!) return 0;
      return value >= upper[k]! * (1 - 1e-15) ? upper[k]! : value;
    };
    const [oldI, oldJ] = [x[i]!, x[j]!];
    x[i] = bounded(i, oldI + y[i]! * move);
    x[j] = bounded(j, oldJ - y[j]! * move);
    const [changeI, changeJ] = [x[i]! - oldI, x[j]! - oldJ];
    for (let t = 0; t < n; t++) gradient[t]! += q[i * n + t]! * changeI + q[j * n + t]! * changeJ;
  }
}

/** Of the objective along the exchange of i and j. */
function curvature(q: Float64Array, y: Float64Array, n: number, i: number, j: number): number {
  const value = q[i * n + i]! + q[j * n + j]! - 2 * y[i]! * y[j]! * q[i * n + j]!;
  return value > 1e-12 ? value : 1e-12;
}

/** Moves multipliers between their bounds along directions that change no margin, until one is at a bound: of duplicates one is left. */
function makeIndependent(q: Float64Array, y: Float64Array, upper: Float64Array, x: Float64Array): void {
  const n = y.length;
  for (;;) {
    const free: number[] = [];
    for (let i = 0; i < n; i++) if (x[i]! > 0 && x[i]! < upper[i]!) free.push(i);
    const size = free.length + 1;
    const matrix = new Float64Array(size * size);
    free.forEach((i, a) => {
      matrix[a + 1] = y[i]!;
      matrix[(a + 1) * size] = y[i]!;
      free.forEach((j, b) => {
        matrix[(a + 1) * size + b + 1] = q[i * n + j]!;
      });
    });
    const direction = free.length < 2 ? undefined : nullVector(matrix, size);
    if (!direction) return;
    let [length, first] = [Infinity, -1];
    free.forEach((i, a) => {
      const change = direction[a + 1]!;
      if (Math.abs(change) < 1e-9) return;
      const room = change > 0 ? (upper[i]! - x[i]!) / change : -x[i]! / change;
      if (room < length) [length, first] = [room, a];
    });
    if (first < 0) return;
    free.forEach((i, a) => {
      const moved = x[i]! + length * direction[a + 1]!;
      x[i] = a === first ? (direction[a + 1]! > 0 ? upper[i]! : 0) : Math.min(Math.max(moved, 0), upper[i]!);
    });
  }
}

/** The offset that the conditions allow: in the middle of what rounding leaves, or of an interval the end nearer to `wish`. */
function offset(
  q: Float64Array,
  y: Float64Array,
  upper: Float64Array,
  x: Float64Array,
  wish: number,
): number {
  const n = y.length;
  const margins = marginsOf(q, y, x);
  let [low, high, anyFree] = [-Infinity, Infinity, false];
  for (let i = 0; i < n; i++) {
    const value = y[i]! * (1 - (margins[i]! - y[i]! * x[n]!));
    const [canGrow, canShrink] = [x[i]! < upper[i]!, x[i]! > 0];
    anyFree ||= canGrow && canShrink;
    if (y[i]! > 0 ? canGrow : canShrink) low = Math.max(low, value);
    if (y[i]! > 0 ? canShrink : canGrow) high = Math.min(high, value);
  }
  if (anyFree || low > high) return (low + high) / 2;
  if (low === -Infinity && high === Infinity) return wish;
  return Math.abs(wish - low) <= Math.abs(high - wish) ? low : high;
}
