/**
 * Follows one branch of solutions in the age, until the target or to where the branch ends.
 *
 * With the sets held fixed the solution obeys `dx/d(age) = -H^-1 dF/d(age)`. Each step predicts along this slope, then corrects with
 * Newton's method on the equations themselves (predictor-corrector continuation; Allgower and Georg, "Numerical Continuation Methods",
 * 1990), so that errors do not add up. A step is as long as the cubic through its ends stays within `tolerance` of solving
 * the equations half-way. Where a set condition would be violated, its age is located, the one member concerned changes
 * its set, and the slope is computed anew: the path is continuous there, with a kink.
 *
 * The branch ends where the matrix loses its inertia: inside a segment (a fold, near which |dx/d(age)| grows like the inverse root of the
 * distance), or at a change of sets. Hard weights jump at every change.
 */
import { OptionError } from '../base/errors.ts';
import { distance } from './alternating-search.ts';
import { correct, VIOLATION } from './corrector.ts';
import { maxNorm } from './linear-algebra.ts';
import { locateEvent } from './locate-event.ts';
import { type FrozenSystem, type Pace, SET, type SelfPacedProblem, type Sets, type Work } from './problem.ts';
import type { SelfPacedRegulariser } from './regularisers.ts';
import { interpolate, type Knot, type Segment } from './segment.ts';

export interface FollowContext {
  readonly problem: SelfPacedProblem;
  readonly regulariser: SelfPacedRegulariser;
  readonly work: Work;
  /** Steps tried, and those of them given up. */
  readonly steps: { tried: number; rejected: number };
  /** Of the equations, half-way between knots. */
  readonly tolerance: number;
  /** Steps tried before giving up. */
  readonly maxSteps: number;
  /** Called after each accepted step. */
  readonly onAge: (age: number) => void;
}

/** One member changed its set. */
export interface SetChange {
  readonly age: number;
  /** Of a sample; from the number of samples on, of a coefficient. */
  readonly index: number;
  readonly before: number;
  readonly after: number;
}

/** Why a branch ended before the target. */
export interface BranchEnd {
  readonly kind: 'fold' | 'unstable' | 'weight jump';
  readonly age: number;
  readonly solution: Float64Array;
  /** The sets in force there; after the change of sets for the latter two kinds. */
  readonly sets: Sets;
  readonly change?: SetChange;
}

export interface Branch {
  readonly segments: Segment[];
  readonly changes: SetChange[];
  readonly end?: BranchEnd;
}

export interface BranchStart {
  readonly age: number;
  readonly solution: Float64Array;
  readonly sets: Sets;
  readonly system: FrozenSystem;
}

/** Steps are at most this part of the age: slack is looked at only at their ends and half-way. */
const LONGEST_STEP = 0.1;
/** Steps below this part of the age end a branch. */
const SHORTEST_STEP = 1e-10;
/** A fold this near, in parts of the age, is taken for reached. */
const FOLD_REACHED = 1e-7;

/** Follows the branch through `start` to the age `target`, up or down. */
export function follow(context: FollowContext, start: BranchStart, target: number): Branch {
  const { problem, regulariser, work, steps, tolerance } = context;
  const paceAt = (age: number): Pace => ({ regulariser, age });
  const direction = target >= start.age ? 1 : -1;
  const branch: { segments: Segment[]; changes: SetChange[] } = { segments: [], changes: [] };

  let { age, sets, system } = start;
  let solution = start.solution;
  let slope = system.tangent(solution, age);
  let knots: Knot[] = [{ age, solution, slope }];
  let [segmentFrom, segmentFirst] = [age, solution];
  let length = 0.01 * age;
  /** Members whose sets changed at this very age. One that goes back finds no set to be in: the branch turns round. */
  const changedHere = new Set<number>();

  const close = () => {
    branch.segments.push({
      from: segmentFrom,
      to: age,
      sets,
      knots,
      first: segmentFirst,
      last: solution,
    });
  };
  const ended = (end: Omit<BranchEnd, 'age' | 'solution'>, at = age): Branch => {
    close();
    return { ...branch, end: { ...end, age: at, solution } };
  };

  while (direction * (target - age) > 0) {
    const remaining = direction * (target - age);
    const fold = distanceToFold(knots, age, slope);
    if (fold <= FOLD_REACHED * age && !passes(context, solution, slope, sets, age, direction)) {
      return ended({ kind: 'fold', sets }, age + direction * fold);
    }
    length = Math.min(length, LONGEST_STEP * age, Math.max(0.8 * fold, 2 * FOLD_REACHED * age));
    const expected = expectedChange(context, solution, slope, sets, age, direction * 0.01 * length);
    let h = Math.min(length, 1.1 * expected + 1e-7 * age);
    if (h >= remaining * (1 - 1e-9)) h = remaining;
    const trial = h === remaining ? target : age + direction * h;

    if (++steps.tried > context.maxSteps) {
      throw new OptionError(
        `agePath: expected to arrive within ${context.maxSteps} steps, got to age ${age}. Raise maxSteps, or narrow the range`,
      );
    }
    const scale = 1 + maxNorm(solution);
    const guess = predict(knots, solution, slope, age, trial);
    const reach = 0.5 * h * maxNorm(slope) + 1e-3 * scale;
    // Where no weight changes with the age, nothing does.
    const found = sets.includes(SET.partial)
      ? correct(problem, guess, paceAt(trial), sets, work, reach)
      : { solution, system };
    if (!found?.system.stable) {
      steps.rejected++;
      if (h <= SHORTEST_STEP * age) return ended({ kind: 'fold', sets }, age + direction * Math.min(fold, h));
      length = h / 4;
      continue;
    }
    const from: Knot = { age, solution, slope };
    const to: Knot = {
      age: trial,
      solution: found.solution,
      slope: found.system.tangent(found.solution, trial),
    };
    const middle = age + (trial - age) / 2;
    const halfWay = interpolate(from, to, middle);
    const error = problem.frozenResidual(halfWay, paceAt(middle), sets);
    const factor = error > 0 ? 0.9 * Math.sqrt(Math.sqrt(tolerance / error)) : 4;
    if (!(error <= tolerance) && h > 1e3 * SHORTEST_STEP * age) {
      steps.rejected++;
      length = h * Math.min(0.7, Math.max(0.1, factor));
      continue;
    }
    length = h * Math.min(4, Math.max(0.3, factor));

    // Half-way there is only the interpolant, and what it misses must not count.
    const violated = [
      { at: middle, x: halfWay, most: 100 * tolerance },
      { at: trial, x: found.solution, most: VIOLATION },
    ]
      .map(({ at, x, most }) => ({ at, members: below(problem.slack(x, paceAt(at), sets), -most) }))
      .find(({ members }) => members.length > 0);
    if (violated === undefined) {
      [age, solution, slope, system] = [trial, found.solution, to.slope, found.system];
      knots.push(to);
      changedHere.clear();
      context.onAge(age);
      continue;
    }

    const event = locateEvent(problem, regulariser, from, to, violated, sets, found.system);
    if (event === undefined) {
      // The interpolant was too far from the solution to tell; nearer to it, it is not.
      steps.rejected++;
      if (h <= SHORTEST_STEP * age) return ended({ kind: 'unstable', sets });
      length = h / 4;
      continue;
    }
    if (event.age !== age) {
      changedHere.clear();
      knots.push(to);
    }
    [age, solution] = [event.age, event.solution];
    context.onAge(age);
    const after = problem.moved(event.index, solution, paceAt(age), sets);
    const change = { age, index: event.index, before: sets[event.index]!, after };
    const nextSets = sets.slice();
    nextSets[event.index] = after;
    const jumps = regulariser.jumps && (after === SET.full || after === SET.dropped);
    if (!jumps) solution = problem.project(solution, nextSets);
    if (segmentFrom !== age) close();
    if (jumps) return { ...branch, end: { kind: 'weight jump', age, solution, sets: nextSets, change } };
    const next = correct(problem, solution, paceAt(age), nextSets, work, 1e-6 * scale);
    if (!next?.system.stable || changedHere.has(event.index)) {
      return { ...branch, end: { kind: 'unstable', age, solution, sets: nextSets, change } };
    }
    branch.changes.push(change);
    changedHere.add(event.index);
    // Between two sets, both hold: or a coefficient that is 0 up to rounding would seem to have the wrong sign.
    const between = problem.project(problem.project(next.solution, sets), nextSets);
    solution = distance(between, next.solution) <= 1e-13 * scale ? between : next.solution;
    system = next.system;
    sets = nextSets;
    slope = system.tangent(solution, age);
    knots = [{ age, solution, slope }];
    [segmentFrom, segmentFirst] = [age, solution];
    // The step that was cut is a fair guess for the next one.
    length = Math.max(length, 1e-4 * age);
  }
  close();
  return branch;
}

/** Along the slope, and along its change where the segment has a knot before. */
function predict(
  knots: readonly Knot[],
  solution: Float64Array,
  slope: Float64Array,
  age: number,
  target: number,
): Float64Array {
  const h = target - age;
  const before = knots[knots.length - 2];
  if (before === undefined || before.age === age) return solution.map((each, i) => each + h * slope[i]!);
  const bend = (h * h) / (2 * (age - before.age));
  return solution.map((each, i) => each + h * slope[i]! + bend * (slope[i]! - before.slope[i]!));
}

/** Near a fold 1 / |slope|^2 falls linearly to 0: how far away that is, Infinity where it does not fall. */
function distanceToFold(knots: readonly Knot[], age: number, slope: Float64Array): number {
  const before = knots[knots.length - 2];
  if (before === undefined) return Infinity;
  const now = maxNorm(slope);
  const then = maxNorm(before.slope);
  if (!(now > then * 1.05)) return Infinity;
  // now^-2 / ((then^-2 - now^-2) / step)
  return Math.abs(age - before.age) / ((now / then) * (now / then) - 1);
}

/** Whether the branch goes on well beyond where a fold seems to be: then it only turned sharply. */
function passes(
  { problem, regulariser, work }: FollowContext,
  solution: Float64Array,
  slope: Float64Array,
  sets: Sets,
  age: number,
  direction: number,
): boolean {
  const beyond = 20 * FOLD_REACHED * age;
  const pace = { regulariser, age: age + direction * beyond };
  const guess = solution.map((each, i) => each + direction * beyond * slope[i]!);
  const reach = 4 * beyond * maxNorm(slope) + 1e-9;
  return correct(problem, guess, pace, sets, work, reach)?.system.stable ?? false;
}

/** How far it is to the first change of sets, if slack goes on as it begins. */
function expectedChange(
  { problem, regulariser }: FollowContext,
  solution: Float64Array,
  slope: Float64Array,
  sets: Sets,
  age: number,
  probe: number,
): number {
  const now = problem.slack(solution, { regulariser, age }, sets);
  const ahead = solution.map((each, i) => each + probe * slope[i]!);
  const then = problem.slack(ahead, { regulariser, age: age + probe }, sets);
  let first = Infinity;
  for (let k = 0; k < now.length; k++) {
    // Whoever is at the end of his set already may stay there (a twin of another does): a step will tell.
    const fall = now[k]! - then[k]!;
    if (fall > 0 && now[k]! > VIOLATION) first = Math.min(first, (now[k]! / fall) * Math.abs(probe));
  }
  return first;
}

function below(values: Float64Array, limit: number): number[] {
  const found: number[] = [];
  for (let k = 0; k < values.length; k++) if (values[k]! < limit) found.push(k);
  return found;
}
