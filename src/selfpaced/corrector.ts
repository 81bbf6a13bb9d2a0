/** Newton's method at fixed sets, and the search for a stable solution from afar. */
import { DataError } from '../base/errors.ts';
import { RandomStream } from '../base/random.ts';
import { distance } from './alternating-search.ts';
import { maxNorm } from './linear-algebra.ts';
import {
  type FrozenSystem,
  latentObjective,
  type Pace,
  type SelfPacedProblem,
  type Sets,
  type Work,
  weightsAt,
} from './problem.ts';

/** A solution of the equations at fixed sets. */
export interface Corrected {
  readonly solution: Float64Array;
  /** Factorised at the solution, or so near that it makes no difference. */
  readonly system: FrozenSystem;
}

/** A set condition counts as violated when its slack is below the negative of this. */
export const VIOLATION = 1e-10;
/** Largest violation of the conditions of optimality that a stored solution may have. */
const RESIDUAL = 2e-11;
const MOST_STEPS = 60;
const MOST_REFACTORISATIONS = 12;

/**
 * Solves the equations at fixed sets from a guess, by chord steps with a new factorisation whenever they converge slowly.
 * @param reach no element may move farther from the guess: a solution beyond is another branch.
 * @returns undefined when it does not converge.
 */
export function correct(
  problem: SelfPacedProblem,
  guess: Float64Array,
  pace: Pace,
  sets: Sets,
  work: Work,
  reach: number,
): Corrected | undefined {
  const { regulariser, age } = pace;
  const scale = 1 + maxNorm(guess);
  const linear = problem.linearIn(regulariser, sets);
  let solution = problem.project(guess, sets);
  let system = problem.freeze(solution, pace, sets, work);
  let frozenAt = solution;
  let previous = Infinity;
  let refactorisations = 0;
  for (let i = 0; i < MOST_STEPS; i++) {
    const step = system.step(solution, age);
    const size = maxNorm(step);
    if (!(size < Infinity)) return undefined;
    solution = solution.map((each, k) => each + step[k]!);
    if (!(distance(solution, guess) <= reach)) return undefined;
    const relative = size / scale;
    if (relative <= 1e-15 || (relative <= 1e-11 && size >= 0.3 * previous)) break;
    if (relative > 1e-11 && size > 0.1 * previous && !linear) {
      if (++refactorisations > MOST_REFACTORISATIONS) return undefined;
      system = problem.freeze(solution, pace, sets, work);
      frozenAt = solution;
    } else if (size > 2 * previous) {
      return undefined;
    }
    previous = size;
  }
  if (!(problem.frozenResidual(solution, pace, sets) <= RESIDUAL)) return undefined;
  if (!linear && distance(solution, frozenAt) > 1e-7 * scale) {
    system = problem.freeze(solution, pace, sets, work);
  }
  return { solution, system };
}

/** Chord steps with the derivatives of a neighbouring point, which cost no factorisation; undefined when they do not converge. */
export function correctWith(
  problem: SelfPacedProblem,
  system: FrozenSystem,
  guess: Float64Array,
  pace: Pace,
  sets: Sets,
): Float64Array | undefined {
  const scale = 1 + maxNorm(guess);
  let solution = guess;
  let previous = Infinity;
  for (let i = 0; i < 30; i++) {
    const step = system.step(solution, pace.age);
    const size = maxNorm(step);
    if (!(size < Infinity) || size > 0.5 * Math.max(previous, 1e-11 * scale)) break;
    solution = solution.map((each, k) => each + step[k]!);
    previous = size;
    if (size <= 1e-15 * scale) break;
  }
  return problem.frozenResidual(solution, pace, sets) <= RESIDUAL ? solution : undefined;
}

/** A stable solution with its sets. */
export interface Settled extends Corrected {
  readonly sets: Sets;
}

const MOST_ROUNDS = 20_000;
const MOST_PERTURBATIONS = 10;

/**
 * Alternating search from `start` until Newton's method takes over: the stable solution that the search leads to.
 *
 * Just past a fold the search creeps, in a number of rounds that grows with the inverse root of the distance; so weights are extrapolated
 * along the last change wherever that lowers the latent objective further. A solution of Newton's method counts only within the
 * distance that the search itself would still have to go.
 *
 * @param signal checked each round.
 * @throws DataError when there is no stable solution to be found.
 */
export function settle(
  problem: SelfPacedProblem,
  start: Float64Array,
  pace: Pace,
  work: Work,
  signal?: AbortSignal,
): Settled {
  const weightsOf = (x: Float64Array) => weightsAt(problem.losses(x), pace);
  let solution = start;
  let weights = weightsOf(start);
  let [previous, stretch, perturbations] = [Infinity, 0, 0];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    signal?.throwIfAborted();
    work.rounds++;
    let next = problem.fit(weights, solution, work);
    let nextWeights = weightsOf(next);
    const step = distance(next, solution);
    const scale = 1 + maxNorm(next);
    const rate = Math.min(step / previous, 0.999);
    if (step <= 1e-3 * scale || round % 8 === 7) {
      const polished = polish(problem, next, pace, work, (10 * step) / (1 - rate) + 1e-9 * scale);
      if (polished) return polished;
    }
    if (step <= 1e-14 * scale || (step <= 1e-11 * scale && step >= previous)) {
      // A fixed point, but no minimum: a saddle that the start was balanced on. Any push decides.
      if (++perturbations > MOST_PERTURBATIONS) break;
      const push = new RandomStream(perturbations, 'selfpaced saddle');
      const size = perturbations / MOST_PERTURBATIONS;
      nextWeights = nextWeights.map((v, i) => v + size * (push.uniform(i) - v) * 0.1);
      [previous, stretch] = [Infinity, 0];
    } else if (rate > 0.7) {
      stretch = stretch === 0 ? 1 : Math.min(2 * stretch, 256);
      const before = weights;
      const farther = nextWeights.map((v, i) => Math.min(1, Math.max(0, v + stretch * (v - before[i]!))));
      work.rounds++;
      const trial = problem.fit(farther, next, work);
      if (latentObjective(problem, trial, pace) < latentObjective(problem, next, pace)) {
        next = trial;
        nextWeights = weightsOf(trial);
      } else {
        stretch = 0;
      }
      previous = step;
    } else {
      previous = step;
    }
    solution = next;
    weights = nextWeights;
  }
  throw new DataError(
    `agePath: found no stable solution at age ${pace.age}: alternating search ends at a saddle or does not end. ` +
      'Look for duplicate features, or raise the penalty',
  );
}

/** Newton's method from a solution whose sets are taken from where it is; undefined unless it ends stable, near, and in these sets. */
function polish(
  problem: SelfPacedProblem,
  guess: Float64Array,
  pace: Pace,
  work: Work,
  reach: number,
): Settled | undefined {
  const sets = problem.label(guess, pace);
  const found = correct(problem, guess, pace, sets, work, reach);
  if (!found?.system.stable) return undefined;
  if (problem.slack(found.solution, pace, sets).some((slack) => slack < -VIOLATION)) return undefined;
  return { ...found, sets };
}
