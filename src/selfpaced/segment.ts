/**
 * A stretch of an age path on which no sample changes its set: knots with slopes, and cubic Hermite interpolation between them.
 */
import type { Sets } from './problem.ts';

/** A point of the path: solution f64 [unknowns] and its derivative by the age. */
export interface Knot {
  /** Where it was solved. */
  readonly age: number;
  /** f64 [unknowns]. */
  readonly solution: Float64Array;
  /** Its derivative by the age, f64 [unknowns]. */
  readonly slope: Float64Array;
}

/** A piece of an age path on which no member changes sets. */
export interface Segment {
  /** The ages at which it begins and ends, in the direction of travel. */
  readonly from: number;
  /** The age it ends at. */
  readonly to: number;
  /** Sets of the samples (and coefficients) on all of it: values of `SET`. */
  readonly sets: Sets;
  /** In the direction of travel, two at least unless `from` equals `to`. The outermost may lie beyond the ends: interpolate, but do not read. */
  readonly knots: readonly Knot[];
  /** The solutions at `from` and `to`. */
  readonly first: Float64Array;
  /** The solution at `to`. */
  readonly last: Float64Array;
}

/** The cubic through two knots with their slopes, at an age between (or a little beyond) them. */
export function interpolate(a: Knot, b: Knot, age: number): Float64Array {
  const h = b.age - a.age;
  if (h === 0) return a.solution.slice();
  const t = (age - a.age) / h;
  const s = 1 - t;
  const [wa, wb] = [s * s * (1 + 2 * t), t * t * (1 + 2 * s)];
  const [ua, ub] = [h * t * s * s, -h * t * t * s];
  return a.solution.map((value, i) => wa * value + wb * b.solution[i]! + ua * a.slope[i]! + ub * b.slope[i]!);
}

/** The solution at an age of the segment, by interpolation. */
export function solutionAt(segment: Segment, age: number): Float64Array {
  const { from, to, knots } = segment;
  if (age === from) return segment.first.slice();
  if (age === to) return segment.last.slice();
  const sign = to >= from ? 1 : -1;
  let [low, high] = [0, knots.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sign * (knots[middle]!.age - age) <= 0) low = middle;
    else high = middle;
  }
  return interpolate(knots[low]!, knots[high]!, age);
}

/** The same stretch, travelled the other way. */
export function reversed(segment: Segment): Segment {
  const { from, to, sets, knots, first, last } = segment;
  return { from: to, to: from, sets, knots: [...knots].reverse(), first: last, last: first };
}

/** The points at which the solution was computed and not interpolated: both ends, and the knots between. */
export function storedPoints({
  from,
  to,
  knots,
  first,
  last,
}: Segment): { age: number; solution: Float64Array }[] {
  const sign = to >= from ? 1 : -1;
  const inner = knots.filter(({ age }) => sign * (age - from) > 0 && sign * (to - age) > 0);
  const points = [{ age: from, solution: first }, ...inner.map(({ age, solution }) => ({ age, solution }))];
  return to === from ? points : [...points, { age: to, solution: last }];
}
