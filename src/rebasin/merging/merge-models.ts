/** Merging of two or more models of one architecture: units of all are brought into one order, then the weights are averaged. */
import { OptionError } from '../../base/errors.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { type Matcher, weightMatcher } from '../matching/matcher.ts';
import { checkValues } from '../matching/objective.ts';
import type { Permutations } from '../spec/axis-index.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { cycleError, mapsThroughFrame } from './cycle-error.ts';
import { MAX_ROUNDS, mergeCycleConsistently, mergeMany } from './joint.ts';
import { type MergingProgress, MergingRun } from './merging-run.ts';
import { mergeByReference, mergeHierarchically, mergeSequentially } from './pairwise.ts';

/** In the order of how much they do: nothing, pairs of models, all models jointly. */
export const MERGING_METHODS = [
  'none',
  'reference',
  'sequential',
  'hierarchical',
  'merge-many',
  'cycle-consistent',
] as const;

/** How many networks are brought into one frame; see `MergingOptions.method`. */
export type MergingMethod = (typeof MERGING_METHODS)[number];

const PAIRWISE = {
  reference: mergeByReference,
  sequential: mergeSequentially,
  hierarchical: mergeHierarchically,
};

/** Of `mergeModels`. */
export interface MergingOptions {
  /**
   * `none`: the mean of the models as they are. `reference`: all are matched to model 0. `sequential`: each to the one before it.
   * `hierarchical`: two by two, then the means of two by two. `merge-many`: each to the mean of all others, round after round.
   * `cycle-consistent`: all jointly, see `mergeCycleConsistently`.
   */
  readonly method: MergingMethod;
  /** Which units may be permuted, from `derivePermutationSpec`. */
  readonly spec: PermutationSpec;
  /** At least two, f32 by name, exactly the spec's entries. Read, never changed. */
  readonly models: readonly HostTensors[];
  /** Matches one model to another. Default: weight matching in graph order. */
  readonly matcher?: Matcher;
  /** Of the random orders of models that `merge-many` and `cycle-consistent` take. Default: 0. */
  readonly seed?: number;
  /**
   * Whether the methods that match pairs also match all other pairs, n (n - 1) / 2 in all, to measure their cycle error. Default: no.
   * For the others the cycle error costs nothing and is always there.
   */
  readonly measureCycles?: boolean;
  /** Called after each matching. */
  readonly onProgress?: (progress: MergingProgress) => void;
  /** Looked at before and after each matching. */
  readonly signal?: AbortSignal;
}

/** Networks in one frame, and their mean. */
export interface Merging {
  /** How they were brought there. */
  readonly method: MergingMethod;
  /** For each model, what brings it into the common frame: unit i of the permuted model is unit p[i] of the model. */
  readonly permutations: readonly Permutations[];
  /** The mean of the models in the frame: every entry, f64 sums rounded once to f32; fresh arrays, the caller's. */
  readonly merged: Map<string, Float32Array>;
  /** Rounds over all models; levels of the tree for `hierarchical`; 0 for `none`. */
  readonly rounds: number;
  /** Whether it ended by itself and not at 100 rounds. */
  readonly converged: boolean;
  /** Root mean square over the models of their L2 distance to their mean, over scored entries: at first and after each round. */
  readonly distances: readonly number[];
  /** Sum over pairs of models of <pi_i(theta_i), pi_j(theta_j)>, over scored entries, before and after. */
  readonly objective: { readonly before: number; readonly after: number };
  /**
   * See `cycleError`: of the direct matchings of all pairs for `reference`, `sequential` and `hierarchical` (absent without
   * `measureCycles`), else of the maps through the common frame.
   */
  readonly cycleError?: number;
}

/**
 * Merges models.
 * @throws OptionError for an unknown method or fewer than two models; FormatError or DataError naming the model and the tensor that does
 * not fit or is not finite; what the matcher throws; the signal's reason when aborted.
 * @example
 * const { merged, cycleError } = await mergeModels(context, { method: 'cycle-consistent', spec, models });
 */
export async function mergeModels(context: Context, options: MergingOptions): Promise<Merging> {
  const { method, spec, models, seed = 0, signal, onProgress, measureCycles = false } = options;
  checkOptions(options);
  signal?.throwIfAborted();
  const matcher = options.matcher ?? weightMatcher(context, { spec, ...(signal ? { signal } : {}) });
  const run = new MergingRun({ spec, models, matcher, seed, onProgress, signal });
  const before = run.frame.objective();
  const converged = await alignAll(context, method, run);
  const { frame, distances } = run;
  const error = await measureCycleError(run, method, measureCycles);
  return {
    method,
    permutations: frame.permutations,
    merged: frame.mean(),
    rounds: distances.length - 1,
    converged,
    distances,
    objective: { before, after: frame.objective() },
    ...(error === undefined ? {} : { cycleError: error }),
  };
}

/** @returns whether the method ended by itself. */
async function alignAll(context: Context, method: MergingMethod, run: MergingRun): Promise<boolean> {
  const pairs = run.count - 1;
  const inRounds = MAX_ROUNDS * run.count;
  switch (method) {
    case 'none':
      return true;
    case 'merge-many':
      run.begin('match', inRounds);
      return await mergeMany(run);
    case 'cycle-consistent':
      run.begin('match', pairs + inRounds);
      return await mergeCycleConsistently(context, run);
    default:
      run.begin('match', pairs);
      await PAIRWISE[method](run);
      return true;
  }
}

async function measureCycleError(
  run: MergingRun,
  method: MergingMethod,
  measureCycles: boolean,
): Promise<number | undefined> {
  if (!Object.hasOwn(PAIRWISE, method)) {
    return cycleError(run.spec, run.count, mapsThroughFrame(run.frame.permutations));
  }
  return measureCycles ? cycleError(run.spec, run.count, await run.allPairs()) : undefined;
}

function checkOptions({ method, spec, models }: MergingOptions): void {
  if (!MERGING_METHODS.includes(method)) {
    throw new OptionError(
      `mergeModels: method must be one of ${MERGING_METHODS.join(', ')}, got "${String(method)}"`,
    );
  }
  if (models.length < 2) {
    throw new OptionError(`mergeModels: expected at least two models, got ${models.length}`);
  }
  for (const [index, values] of models.entries()) {
    checkValues('mergeModels', `model ${index}`, spec, values);
  }
}
