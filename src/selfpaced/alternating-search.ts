/**
 * Alternating search, the usual solver of self-paced learning and the baseline of its paths: weights from losses, a fit with these weights,
 * and again (alternating convex search; Kumar, Packer and Koller 2010). One round minimises a majoriser of the latent objective that
 * touches it at the current solution, so the latent objective never increases (Meng, Zhao and Jiang 2017), and a fixed point is
 * a stationary point of it: which one depends on the start.
 */
import { OptionError } from '../base/errors.ts';
import { maxNorm } from './linear-algebra.ts';
import { type Pace, type SelfPacedProblem, type Work, weightsAt } from './problem.ts';
import { checkAge, type SelfPacedRegulariser } from './regularisers.ts';

/** How long an alternating search goes on. */
export interface SearchOptions {
  /** Ends when no element of the solution changes by more, relative to 1 + the largest. Default 1e-8. */
  readonly tolerance?: number;
  /** Default 20,000. */
  readonly maxRounds?: number;
}

/** Where an alternating search ended. */
export interface SearchResult {
  /** f64 [unknowns], the caller's. */
  readonly solution: Float64Array;
  /** Fits made. */
  readonly rounds: number;
  /** False when `maxRounds` came first. */
  readonly converged: boolean;
}

/** Alternates from `start` (f64 [unknowns], read only) at one age. Adds to `work`. */
export function alternatingSearch(
  problem: SelfPacedProblem,
  pace: Pace,
  start: Float64Array,
  work: Work,
  { tolerance = 1e-8, maxRounds = 20_000 }: SearchOptions = {},
): SearchResult {
  let solution = start;
  for (let rounds = 1; rounds <= maxRounds; rounds++) {
    const next = searchRound(problem, pace, solution, work);
    const change = distance(next, solution);
    const scale = 1 + maxNorm(next);
    solution = next;
    if (change <= tolerance * scale) return { solution, rounds, converged: true };
  }
  return { solution, rounds: maxRounds, converged: false };
}

/** One round: the fit with the weights of this solution's losses. Returns a new array. */
export function searchRound(
  problem: SelfPacedProblem,
  pace: Pace,
  solution: Float64Array,
  work: Work,
): Float64Array {
  work.rounds++;
  return problem.fit(weightsAt(problem.losses(solution), pace), solution, work);
}

/** The solution of ordinary training: every sample with weight 1. */
export function fullFit(
  problem: SelfPacedProblem,
  work: Work = { linearSolves: 0, rounds: 0 },
): Float64Array {
  return problem.fit(new Float64Array(problem.samples).fill(1), new Float64Array(problem.unknowns), work);
}

/** Of `searchGrid`. */
export interface GridOptions extends SearchOptions {
  /** Ages in the order in which they are searched. */
  readonly ages: readonly number[];
  /** Start each age from the solution of the one before (default), or from `start` again. */
  readonly warm?: boolean;
  /** f64 [unknowns]. Default: the fit with all weights 1. */
  readonly start?: Float64Array;
  /** Checked before each age. */
  readonly signal?: AbortSignal;
}

/** Solutions on a grid of ages, each search started from the one before. */
export interface GridResult {
  /** In the order of the ages. */
  readonly solutions: readonly (SearchResult & { readonly age: number })[];
  /** What it took. */
  readonly work: Readonly<Work>;
}

/**
 * The baseline: alternating search at each age of a grid.
 * @throws OptionError for no ages, or one that the regulariser does not have.
 */
export function searchGrid(
  problem: SelfPacedProblem,
  regulariser: SelfPacedRegulariser,
  options: GridOptions,
): GridResult {
  const { ages, warm = true, signal } = options;
  if (ages.length === 0) throw new OptionError('searchGrid: expected at least one age, got none');
  for (const age of ages) checkAge(regulariser, age, 'searchGrid');
  const work: Work = { linearSolves: 0, rounds: 0 };
  const first = options.start ?? fullFit(problem, work);
  let start = first;
  const solutions = ages.map((age) => {
    signal?.throwIfAborted();
    const found = alternatingSearch(problem, { regulariser, age }, start, work, options);
    if (warm) start = found.solution;
    return { age, ...found };
  });
  return { solutions, work };
}

/** Largest difference of two solutions. */
export function distance(a: Float64Array, b: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
