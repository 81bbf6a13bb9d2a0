/**
 * The whole path of self-paced solutions in the age, instead of a grid of ages: branches followed exactly, joined by declared jumps.
 *
 * The idea of following the age as an ordinary differential equation with control of the sets is that of GAGA (Qu, Li, Zhao and Gu, "GAGA:
 * Deciphering age-path of generalized self-paced regularizer", NeurIPS 2022). The equations, the stability test and the treatment of
 * jumps here are derived from the definitions (docs/age-paths.md); they are not that paper's algorithm.
 */
import { DataError, OptionError, ShapeError } from '../base/errors.ts';
import { distance, fullFit } from './alternating-search.ts';
import { correct, type Settled, settle } from './corrector.ts';
import { type BranchEnd, type BranchStart, type FollowContext, follow, type SetChange } from './follow.ts';
import { maxNorm } from './linear-algebra.ts';
import { type Pace, SET_NAMES, type SelfPacedProblem, type Sets, type Work, weightsAt } from './problem.ts';
import { checkAge, type SelfPacedRegulariser } from './regularisers.ts';
import { reversed, type Segment, solutionAt, storedPoints } from './segment.ts';

/** Of `agePath`. */
export interface AgePathOptions {
  /** The ages at which the path begins and ends; downwards where `to` is below `from`. */
  readonly from: number;
  /** The age to end at; below `from`, the path goes down. */
  readonly to: number;
  /** Where alternating search begins at age `from`, f64 [unknowns]. Default: the fit with all weights 1. */
  readonly start?: Float64Array;
  /** How well the interpolated solution solves the equations between knots, before `polish`. Default 1e-8. */
  readonly tolerance?: number;
  /** Steps tried before giving up. Default 1,000,000. */
  readonly maxSteps?: number;
  /** Checked after each step. */
  readonly signal?: AbortSignal;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: (progress: { age: number }) => void;
}

/** Where members change sets. */
export interface PathEvent {
  /**
   * `set`: a sample (or coefficient) changed its set, and the path goes on with a kink. The others end a branch: `fold` (the branch turns
   * back), `unstable` (a change of sets after which it is no minimum), `weight jump` (hard weights).
   */
  readonly kind: 'set' | BranchEnd['kind'];
  /** Where it happens. */
  readonly age: number;
  /** Who changed, where one did. */
  readonly sample?: number;
  /** Which coefficient changed sets, from 0. */
  readonly coefficient?: number;
  /** The set it was in. */
  readonly before?: string;
  /** The set it is in from here on. */
  readonly after?: string;
  /** Largest change of an element of the solution, for kinds that end a branch. */
  readonly jump?: number;
}

/** What following the path took. */
export interface PathStatistics {
  /** Factorisations of dense symmetric matrices, those of fits included. */
  readonly linearSolves: number;
  /** Steps tried, and those of them given up for shorter ones. */
  readonly steps: number;
  /** Steps given up for shorter ones. */
  readonly rejectedSteps: number;
  /** Fits by alternating search, at the start and across jumps. */
  readonly searchRounds: number;
  /** Pieces between events. */
  readonly segments: number;
  /** Changes of sets. */
  readonly events: number;
  /** Events where the solution is not continuous. */
  readonly jumps: number;
}

/** A solution at an age. */
export interface PathPoint {
  /** The age. */
  readonly age: number;
  /** f64 [unknowns], the caller's. */
  readonly solution: Float64Array;
  /** v*(loss; age), f64 [samples]. */
  readonly weights: Float64Array;
  /** Largest violation of the conditions of optimality. */
  readonly residual: number;
  /** The sets that the solution is in. */
  readonly sets: Sets;
}

/** The solution at every age of a range. */
export interface AgePath {
  /** The age it starts at. */
  readonly from: number;
  /** The age it ends at. */
  readonly to: number;
  /** In the direction of travel. Neighbours share an age; between them the solution is continuous, unless an event there has a `jump`. */
  readonly segments: readonly Segment[];
  /** In the direction of travel. */
  readonly events: readonly PathEvent[];
  /** What it took. */
  readonly statistics: PathStatistics;
  /**
   * The solution at any age of the path, at a jump the one after it. Interpolated; with `polish` solved to rounding.
   * @throws OptionError outside the path.
   */
  at(age: number, options?: { polish?: boolean }): PathPoint;
  /** The points that were solved to rounding: ends of segments and knots within. */
  points(): PathPoint[];
}

/** Jumps smaller than this (relative to 1 + the solution) are several changes of sets at one age. */
const NO_JUMP = 1e-6;
/** How far past the end of a branch the next one is searched for, in parts of the age; then it is followed back. */
const PAST_THE_END = [2e-3, 2e-4, 2e-5, 2e-6];
/** Hard weights change at an age; this far past it, they have. */
const PAST_A_TIE = 1e-12;

/**
 * Computes the path of solutions from age `from` to age `to`.
 *
 * The path begins at the solution to which alternating search leads from `start`; solutions are not unique, so another start, or the
 * opposite direction, may give another branch. A branch that ends is left by a jump: alternating search from its last solution.
 *
 * @throws OptionError for ages that the regulariser does not have; ShapeError for a start of the wrong length; DataError where no stable
 * solution exists.
 * @example
 * const path = agePath(lasso({ features, targets, penalty: 1 }), selfPacedRegulariser('linear'), { from: 0.5, to: 20 });
 * path.at(3, { polish: true }).solution;
 */
export function agePath(
  problem: SelfPacedProblem,
  regulariser: SelfPacedRegulariser,
  options: AgePathOptions,
): AgePath {
  const { from, to, tolerance = 1e-8, maxSteps = 1_000_000, signal, onProgress } = options;
  checkAge(regulariser, from, 'agePath: from');
  checkAge(regulariser, to, 'agePath: to');
  if (!(tolerance > 0)) throw new OptionError(`agePath: expected a tolerance above 0, got ${tolerance}`);
  if (options.start && options.start.length !== problem.unknowns) {
    throw new ShapeError(
      `agePath: expected a start of ${problem.unknowns} numbers, got ${options.start.length}`,
    );
  }
  const work: Work = { linearSolves: 0, rounds: 0 };
  const context: FollowContext = {
    problem,
    regulariser,
    work,
    tolerance,
    maxSteps,
    steps: { tried: 0, rejected: 0 },
    onAge: (age) => {
      signal?.throwIfAborted();
      onProgress?.({ age });
    },
  };
  const segments: Segment[] = [];
  const events: PathEvent[] = [];
  const first = settle(
    problem,
    options.start ?? fullFit(problem, work),
    { regulariser, age: from },
    work,
    signal,
  );
  let start: BranchStart = { age: from, ...first };
  for (;;) {
    const branch = follow(context, start, to);
    segments.push(...branch.segments);
    events.push(...branch.changes.map((change) => describeChange(problem, change)));
    if (branch.end === undefined) break;
    const landing = leap(context, branch.end, to, signal);
    segments.push(...landing.segments);
    const jump = distance(landing.arrival, branch.end.solution);
    const smooth = jump <= NO_JUMP * (1 + maxNorm(branch.end.solution)) && branch.end.kind === 'unstable';
    events.push({
      ...(branch.end.change ? describeChange(problem, branch.end.change) : { age: branch.end.age }),
      kind: smooth ? 'set' : branch.end.kind,
      ...(smooth ? {} : { jump }),
    });
    events.push(...landing.changes.map((change) => describeChange(problem, change)));
    start = landing.start;
    if ((to - start.age) * Math.sign(to - from || 1) <= 0) break;
  }
  if (segments.length === 0) {
    const { solution, sets } = start;
    const knots = [{ age: from, solution, slope: new Float64Array(problem.unknowns) }];
    segments.push({ from, to: from, sets, knots, first: solution, last: solution });
  }
  const statistics: PathStatistics = {
    linearSolves: work.linearSolves,
    steps: context.steps.tried,
    rejectedSteps: context.steps.rejected,
    searchRounds: work.rounds,
    segments: segments.length,
    events: events.length,
    jumps: events.filter(({ jump }) => jump !== undefined).length,
  };
  return makePath(problem, regulariser, { from, to, segments, events, statistics });
}

interface Landing {
  /** Where the next branch is followed from. */
  readonly start: BranchStart;
  /** The solution at the age of the jump (or the nearest to it) on the new branch. */
  readonly arrival: Float64Array;
  /** What of the new branch lies between the jump and `start`. */
  readonly segments: Segment[];
  readonly changes: SetChange[];
}

/** From the end of a branch to the branch that alternating search finds a little later, followed back to the age of the jump. */
function leap(context: FollowContext, end: BranchEnd, to: number, signal: AbortSignal | undefined): Landing {
  const { problem, regulariser, work } = context;
  const direction = to >= end.age ? 1 : -1;
  if (end.kind === 'weight jump') {
    const pace = { regulariser, age: end.age * (1 + direction * PAST_A_TIE) };
    const weights = weightsAt(problem.losses(end.solution), { regulariser, age: end.age }, end.sets);
    work.rounds++;
    const settled = settle(problem, problem.fit(weights, end.solution, work), pace, work, signal);
    return { start: { ...settled, age: end.age }, arrival: settled.solution, segments: [], changes: [] };
  }
  let found: { age: number; settled: Settled } | undefined;
  for (const part of PAST_THE_END) {
    const past = Math.max(Math.min(part * end.age, Math.abs(to - end.age)), 1e-9 * end.age);
    const age = end.age + direction * past;
    if (!(age < regulariser.ageLimit)) continue;
    const settled = settle(problem, end.solution, { regulariser, age }, work, signal);
    found = { age, settled };
    const back = follow(context, { age, ...settled }, end.age);
    if (back.end !== undefined) continue;
    const segments = back.segments.reverse().map(reversed);
    const changes = back.changes
      .reverse()
      .map(({ age: at, index, before, after }) => ({ age: at, index, before: after, after: before }));
    const arrival = segments[0]?.first ?? settled.solution;
    return { start: { age, ...settled }, arrival, segments, changes };
  }
  if (found === undefined) {
    throw new DataError(
      `agePath: the branch ends at age ${end.age}, and there is no age beyond. Choose a nearer end`,
    );
  }
  const { age, settled } = found;
  return { start: { age, ...settled }, arrival: settled.solution, segments: [], changes: [] };
}

function describeChange(problem: SelfPacedProblem, { age, index, before, after }: SetChange): PathEvent {
  const who = index < problem.samples ? { sample: index } : { coefficient: index - problem.samples };
  return { kind: 'set', age, ...who, before: SET_NAMES[before]!, after: SET_NAMES[after]! };
}

function makePath(
  problem: SelfPacedProblem,
  regulariser: SelfPacedRegulariser,
  fields: Pick<AgePath, 'from' | 'to' | 'segments' | 'events' | 'statistics'>,
): AgePath {
  const { from, to, segments } = fields;
  const sign = to >= from ? 1 : -1;
  const describe = (age: number, solution: Float64Array, sets: Sets): PathPoint => {
    const pace: Pace = { regulariser, age };
    return {
      age,
      solution,
      sets,
      weights: weightsAt(problem.losses(solution), pace, sets),
      residual: problem.residual(solution, pace, sets),
    };
  };
  return {
    ...fields,
    at(age, { polish = false } = {}) {
      if (!(sign * (age - from) >= 0 && sign * (to - age) >= 0)) {
        throw new OptionError(`AgePath.at: expected an age between ${from} and ${to}, got ${age}`);
      }
      // The last segment that has begun.
      let [low, high] = [0, segments.length];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (sign * (segments[middle]!.from - age) <= 0) low = middle;
        else high = middle;
      }
      const segment = segments[low]!;
      const within = sign * (age - segment.to) <= 0;
      const solution = within ? solutionAt(segment, age) : segment.last.slice();
      if (!polish) return describe(age, solution, segment.sets);
      const work: Work = { linearSolves: 0, rounds: 0 };
      const pace = { regulariser, age };
      const near = 1e-3 * (1 + maxNorm(solution));
      const exact =
        correct(problem, solution, pace, segment.sets, work, near) ?? settle(problem, solution, pace, work);
      return describe(age, exact.solution, segment.sets);
    },
    points: () =>
      segments.flatMap((segment) =>
        storedPoints(segment).map(({ age, solution }) => describe(age, solution.slice(), segment.sets)),
      ),
  };
}
