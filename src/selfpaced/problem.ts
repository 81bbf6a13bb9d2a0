/**
 * What a path needs to know of a convex problem `min R(x) + sum_i v_i l_i(x)` whose samples are weighted by age.
 *
 * At an age every sample is in one of a few sets, by its loss, and with the sets held fixed the conditions of optimality are smooth
 * equations in x and the age. A problem states those equations, their symmetric matrix of derivatives (whose inertia tells a local
 * minimum of the latent objective from a saddle), the slack of every set condition, and the set that comes after one is violated.
 */
import { DataError, ShapeError } from '../base/errors.ts';
import type { SelfPacedRegulariser } from './regularisers.ts';

/** The sets. Samples first; those of coefficients are of the Lasso alone. */
export const SET = {
  /** Weight 1 (for the hinge: and a loss above 0). */
  full: 1,
  /** Weight strictly between 0 and 1, by the regulariser's formula. */
  partial: 2,
  /** Weight 0: too hard for this age. */
  dropped: 3,
  /** Hinge: on the margin, loss 0 with a multiplier of its own. */
  margin: 4,
  /** Hinge: beyond the margin, loss 0 and multiplier 0. */
  beyond: 5,
  /** Lasso: a coefficient that is 0. */
  zero: 6,
  positive: 7,
  negative: 8,
  /** Without an l1 penalty: a coefficient of any sign. */
  free: 9,
} as const;

export const SET_NAMES: Readonly<Record<number, keyof typeof SET>> = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ Object.entries(SET).map(([name, value]) => [value, name as keyof typeof SET]),
);

/** The set of each sample, and after them of each coefficient where the problem has such. */
export type Sets = Uint8Array;

/** Where on the path: whose weights, at which age. */
export interface Pace {
  /** How weights follow from losses. */
  readonly regulariser: SelfPacedRegulariser;
  /** The age. */
  readonly age: number;
}

/** Counts the work as it is done. */
export interface Work {
  /** Dense symmetric matrices factorised. */
  linearSolves: number;
  /** Rounds of alternating search: one fit of the model each. */
  rounds: number;
}

/** The equations at fixed sets, linearised and factorised at one point. */
export interface FrozenSystem {
  /** Whether the point is a strict local minimum of the latent objective, as far as the equations go: by inertia. */
  readonly stable: boolean;
  /** The Newton step from x, f64 [unknowns]; with the derivatives of where the system was made (a chord step) if x lies elsewhere. */
  step(x: Float64Array, age: number): Float64Array;
  /** dx/d(age), f64 [unknowns], with the same derivatives. */
  tangent(x: Float64Array, age: number): Float64Array;
}

/** A convex problem whose losses can be weighed: what an age path needs to know of it. */
export interface SelfPacedProblem {
  /** What it is. */
  readonly name: 'svm' | 'lasso' | 'logistic';
  /** Losses that it has. */
  readonly samples: number;
  /** Length of a solution x. */
  readonly unknowns: number;
  /** What the elements of x are, for people: "weight" of features, or "multiplier" of samples. */
  readonly quantity: 'coefficient' | 'multiplier';
  /** Loss of each sample, f64 [samples]. */
  losses(x: Float64Array): Float64Array;
  /** R(x), in the unit in which the weighted losses are added. */
  roughness(x: Float64Array): number;
  /** What a loss is multiplied with where it is added to R(x). */
  readonly lossScale: number;
  /** The solution for fixed weights, f64 [samples] in [0, 1], to rounding. `start` is read: the nearer, the sooner. */
  fit(weights: Float64Array, start: Float64Array, work: Work): Float64Array;
  /** The sets that a solution is in. */
  label(x: Float64Array, pace: Pace): Sets;
  /** How far each set condition is from being violated; below 0 it is. f64 [length of sets], in units of order 1. */
  slack(x: Float64Array, pace: Pace, sets: Sets): Float64Array;
  /** The set that member `index` goes to where its slack runs out. */
  moved(index: number, x: Float64Array, pace: Pace, sets: Sets): number;
  /** A copy of x with the elements that the sets fix (a coefficient at 0, a multiplier at a bound) at exactly that. */
  project(x: Float64Array, sets: Sets): Float64Array;
  /** Linearises and factorises the equations. */
  freeze(x: Float64Array, pace: Pace, sets: Sets, work: Work): FrozenSystem;
  /** Largest violation of the equations at fixed sets. */
  frozenResidual(x: Float64Array, pace: Pace, sets: Sets): number;
  /** Whether, at fixed sets and age, the equations are linear in x: then one solve is exact. */
  linearIn(regulariser: SelfPacedRegulariser, sets: Sets): boolean;
  /**
   * Largest violation of all conditions of optimality at weights v*(loss), whatever the sets. Where the weight jumps (hard), `sets` says
   * which of the two it is.
   */
  residual(x: Float64Array, pace: Pace, sets?: Sets): number;
  /**
   * What predicts new rows, f64 [count, columns], from any solution: numbers (regression) or decision values (classification), f64 [count]. What
   * solutions share, such as kernels with the rows, is computed once; rows are kept, not copied.
   */
  predictor(rows: Float64Array): (x: Float64Array) => Float64Array;
}

/**
 * Weights v*(loss; age), f64 [samples]. Where given, `sets` decides for samples whose loss is within rounding of where the weight jumps
 * (hard), or of where it becomes 0 (polynomial weights leave 0 like a root: rounding of the loss would be magnified).
 */
export function weightsAt(losses: Float64Array, { regulariser, age }: Pace, sets?: Sets): Float64Array {
  const high = regulariser.droppedFrom(age);
  const tie = (regulariser.jumps ? 1e-9 : 1e-12) * (1 + high);
  return losses.map((loss, i) => {
    if (sets && Math.abs(loss - high) <= tie) {
      if (sets[i] === SET.dropped) return 0;
      if (regulariser.jumps) return 1;
    }
    return regulariser.weight(loss, age);
  });
}

/**
 * The latent objective `R(x) + scale sum_i F(l_i(x); age)`, of which the solutions of self-paced learning are the stationary points, and
 * which a round of alternating search never increases.
 */
export function latentObjective(problem: SelfPacedProblem, x: Float64Array, pace: Pace): number {
  let sum = 0;
  for (const loss of problem.losses(x)) sum += pace.regulariser.latent(loss, pace.age);
  return problem.roughness(x) + problem.lossScale * sum;
}

/** Set of a sample by its loss alone, for losses that are smooth. */
export function sampleSet(loss: number, { regulariser, age }: Pace): number {
  if (loss >= regulariser.droppedFrom(age)) return SET.dropped;
  return loss <= regulariser.fullUpTo(age) && regulariser.fullUpTo(age) > 0 ? SET.full : SET.partial;
}

/** Slack of a sample in one of the three sets by loss. Where nothing has weight 1 but loss 0, a smooth loss needs no lower end. */
export function sampleSlack(loss: number, set: number, { regulariser, age }: Pace): number {
  const [low, high] = [regulariser.fullUpTo(age), regulariser.droppedFrom(age)];
  if (set === SET.full) return low - loss;
  if (set === SET.dropped) return loss - high;
  return Math.min(low > 0 ? loss - low : Infinity, high - loss);
}

/** The set next to the end that the loss is nearer to. */
export function nextSampleSet(loss: number, set: number, { regulariser, age }: Pace): number {
  if (set !== SET.partial) {
    if (regulariser.jumps) return set === SET.full ? SET.dropped : SET.full;
    return SET.partial;
  }
  const [low, high] = [regulariser.fullUpTo(age), regulariser.droppedFrom(age)];
  return loss - low < high - loss ? SET.full : SET.dropped;
}

/** @throws ShapeError or DataError naming the caller, the row and the column. */
export function checkFeatures(features: Float64Array, samples: number, caller: string): number {
  if (samples < 1 || features.length === 0 || features.length % samples !== 0) {
    throw new ShapeError(
      `${caller}: expected features [samples, columns] with at least one of each, got ${features.length} numbers for ${samples} samples`,
    );
  }
  const columns = features.length / samples;
  checkFinite(features, caller, (k) => `feature ${k % columns} of sample ${Math.floor(k / columns)}`);
  return columns;
}

/** @throws DataError naming the caller and the place of the first number that is not finite. */
export function checkFinite(values: Float64Array, caller: string, place: (index: number) => string): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new DataError(
    `${caller}: expected finite numbers, got ${values[bad]} as ${place(bad)}; remove or fill in the sample`,
  );
}

/** @throws DataError unless every label is 1 or -1. */
export function checkLabels(labels: Float64Array, caller: string): void {
  const bad = labels.findIndex((label) => label !== 1 && label !== -1);
  if (bad < 0) return;
  throw new DataError(
    `${caller}: expected labels 1 and -1, got ${labels[bad]} for sample ${bad}; map two classes to them`,
  );
}
