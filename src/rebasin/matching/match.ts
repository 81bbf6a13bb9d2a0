/** Matching two models from end to end, by any method: derive the spec, prove it on the network, match, permute. */
import { OptionError, UnsupportedError } from '../../base/errors.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { MatchFields, MatchingMethod } from '../../report/results.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { permuteValues } from '../spec/apply-permutation.ts';
import { identityPermutations, type Permutations } from '../spec/axis-index.ts';
import { checkGraphEquivalence, randomPermutations } from '../spec/equivalence.ts';
import { derivePermutationSpec, type PermutationSpec } from '../spec/permutation-spec.ts';
import { type ActivationSimilarity, activationMatching } from './activation-matching.ts';
import { checkValues, scoredDistance, scoredObjective } from './objective.ts';
import { straightThroughMatching } from './straight-through.ts';
import { weightMatching } from './weight-matching.ts';

/** Their names, as options take them. */
export const MATCHING_METHODS: readonly MatchingMethod[] = [
  'none',
  'random',
  'weight',
  'activation',
  'activation-greedy',
  'straight-through',
];

/** How to match, but for the models. */
export interface MatchingOptions {
  /** The architecture. */
  readonly model: Model;
  /** Default: `weight`. */
  readonly method?: MatchingMethod;
  /** Of weight matching. Default: `graph`. */
  readonly order?: 'graph' | 'random';
  /** Of random orders, random permutations, the order of samples and the equivalence check. Default: 0. */
  readonly seed?: number;
  /** Of activation matching. */
  readonly similarity?: ActivationSimilarity;
  /** Images on which activations are compared. Needed by the activation methods. */
  readonly statistics?: GpuDataset | undefined;
  /** Needed by `straight-through`. */
  readonly straightThrough?: StraightThroughSettings | undefined;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: (progress: MatchProgress) => void;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** See `straightThroughMatching`. */
export interface StraightThroughSettings {
  /** Images to train on. */
  readonly data: GpuDataset;
  /** Images that candidates are compared on. */
  readonly evaluation: GpuDataset;
  /** Images to estimate the statistics of batch norm on. */
  readonly reset?: GpuDataset | undefined;
  /** Training steps. */
  readonly steps: number;
  /** Of these steps. */
  readonly learningRate: number;
  /** Samples a step. */
  readonly batchSize?: number | undefined;
}

/** Of `matchModels`: f32 by name, every entry of the model; read, never changed. */
export interface MatchOptions extends MatchingOptions {
  /** The reference. */
  readonly a: HostTensors;
  /** The model to permute. */
  readonly b: HostTensors;
}

/** How far matching is. */
export interface MatchProgress {
  /** Parts done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
  /** A word on how it goes, such as the objective. */
  readonly note: string;
  /** Of weight matching, after this sweep: the objective, and the permutations, whose arrays are never written to. */
  readonly objective?: number;
  /** See `objective`. */
  readonly permutations?: Permutations;
}

/** What matching found. */
export interface Match {
  /** Plain data, as results hold it. */
  readonly fields: MatchFields;
  /** B with its units permuted: fresh arrays, the caller's. */
  readonly aligned: Map<string, Float32Array>;
}

/**
 * Matches B to A.
 * @throws UnsupportedError when a random permutation by the derived spec changes the outputs; OptionError when a method lacks its images;
 * see also the methods themselves.
 */
export async function matchModels(context: Context, options: MatchOptions): Promise<Match> {
  const { model, a, b, method = 'weight' } = options;
  checkMatchingImages([method], options);
  const { spec, equivalence } = await provenSpec(context, model, options.seed);
  const { permutations, details } = await findPermutations(context, spec, options);
  const aligned = permuteValues(spec, permutations, b);
  return {
    fields: {
      method,
      model: model.name,
      assumptions: model.assumptions,
      objective: { before: scoredObjective(spec, a, b), after: scoredObjective(spec, a, aligned) },
      distance: { before: scoredDistance(spec, a, b), after: scoredDistance(spec, a, aligned) },
      ...details,
      equivalence,
      permutations: Object.fromEntries(Object.entries(permutations).map(([name, p]) => [name, [...p]])),
    },
    aligned,
  };
}

/** The derived spec of a model, checked on its graph. @throws UnsupportedError when the check fails. */
export async function provenSpec(
  context: Context,
  model: Model,
  seed = 0,
): Promise<{ readonly spec: PermutationSpec; readonly equivalence: MatchFields['equivalence'] }> {
  const { logits } = forwardGraph(model);
  const spec = derivePermutationSpec([logits]);
  const equivalence = await checkGraphEquivalence(context, spec, [logits], { seed });
  if (!equivalence.passed) {
    throw new UnsupportedError(
      `matching: a random permutation by the spec of ${model.name} changes its outputs by ${equivalence.maxDifference} of the largest; ` +
        'an operation states wrong axes, please report it',
    );
  }
  return { spec, equivalence };
}

/**
 * Checks that methods have the images they look at, before any work.
 * @throws OptionError naming the first that has not.
 */
export function checkMatchingImages(
  methods: readonly MatchingMethod[],
  { statistics, straightThrough }: { readonly statistics?: unknown; readonly straightThrough?: unknown },
): void {
  for (const method of methods) {
    if (method.startsWith('activation') && statistics === undefined) {
      throw new OptionError(`matching: ${method} compares activations, give it images`);
    }
    if (method === 'straight-through' && straightThrough === undefined) {
      throw new OptionError(`matching: ${method} trains, give it images to train and to choose on`);
    }
  }
}

/** Permutations by any method, and what the method says about how it went. */
export async function findPermutations(
  context: Context,
  spec: PermutationSpec,
  options: MatchOptions,
): Promise<{
  permutations: Permutations;
  details: Pick<MatchFields, 'sweeps' | 'converged' | 'objectivePerSweep' | 'groups' | 'candidates'>;
}> {
  const { model, a, b, method = 'weight', order, seed = 0, similarity, statistics, signal } = options;
  const report = options.onProgress ?? (() => {});
  checkMatchingImages([method], options);
  const common = { spec, a, b, seed, ...(signal ? { signal } : {}) };
  if (method === 'weight') {
    const objective = scoredObjective(spec, a, b);
    report({ done: 0, total: 1, note: '', objective, permutations: identityPermutations(spec) });
    const { permutations, sweeps, converged, objectivePerSweep } = await weightMatching(context, {
      ...common,
      ...(order ? { order } : {}),
      onProgress: ({ sweep, maxSweeps, objective, permutations }) => {
        const note = `sweep ${sweep}  objective ${objective.toFixed(4)}`;
        report({ done: sweep, total: maxSweeps, note, objective, permutations });
      },
    });
    return { permutations, details: { sweeps, converged, objectivePerSweep } };
  }
  if (method === 'activation' || method === 'activation-greedy') {
    const { permutations, groups } = await activationMatching(context, {
      ...similarity,
      ...(method === 'activation-greedy' ? { assignment: 'greedy' } : {}),
      ...common,
      model,
      data: statistics!,
      onProgress: (done) => report({ done, total: statistics!.count, note: 'images' }),
    });
    return { permutations, details: { groups } };
  }
  if (method === 'straight-through') {
    const { reset, batchSize, ...given } = options.straightThrough!;
    const { permutations, candidates } = await straightThroughMatching(context, {
      ...common,
      ...given,
      ...(order ? { order } : {}),
      ...(reset ? { reset } : {}),
      ...(batchSize ? { batchSize } : {}),
      model,
      onProgress: ({ step, steps, best }) =>
        report({
          done: step,
          total: steps,
          note: `best loss half-way ${best.loss.toFixed(4)} (step ${best.step})`,
        }),
    });
    return { permutations, details: { candidates } };
  }
  checkValues('matching', 'model A', spec, a);
  checkValues('matching', 'model B', spec, b);
  if (method === 'random') return { permutations: randomPermutations(spec, seed), details: {} };
  if (method === 'none') return { permutations: identityPermutations(spec), details: {} };
  throw new OptionError(
    `matching: method must be one of ${MATCHING_METHODS.join(', ')}, got "${String(method)}"`,
  );
}
