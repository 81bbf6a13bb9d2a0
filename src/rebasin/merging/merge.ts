/**
 * Merging from end to end: models of one architecture are brought into one order of units by any merging method with any matcher,
 * averaged, and the mean corrected by any re-normalisation. What comes out are the values of an ordinary network, on the host.
 */
import { OptionError } from '../../base/errors.ts';
import { type Model, stateEntries } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { MatchingMethod, ScoreFields } from '../../report/results.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import { ensembleScore, scoreNetworks } from '../interpolation/scores.ts';
import {
  checkMatchingImages,
  findPermutations,
  MATCHING_METHODS,
  type MatchingOptions,
  provenSpec,
} from '../matching/match.ts';
import type { Matcher } from '../matching/matcher.ts';
import { uploadEndpoints } from '../renormalise/endpoints.ts';
import {
  checkRenormalisation,
  looksAtModels,
  measuresStatistics,
  type Renormalisation,
  type RenormalisationSettings,
  withZeroBiases,
} from '../renormalise/renormalisations.ts';
import { permuteValues } from '../spec/apply-permutation.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { weightedMean } from './common-frame.ts';
import { MERGING_METHODS, type Merging, type MergingMethod, mergeModels } from './merge-models.ts';

/** `method` is the one that matches pairs; `statistics` are the images that both matching and re-normalisation look at. */
export interface MergeOptions extends Omit<MatchingOptions, 'onProgress'> {
  /** At least two, f32 by name, exactly the entries of `model`. Read, never changed. */
  readonly models: readonly HostTensors[];
  /** Which models are matched to which. Default: `cycle-consistent` for more than two matched by weight, else `reference`. */
  readonly strategy?: MergingMethod | undefined;
  /** The share of the second of two models, from 0 to 1. Default: equal shares. */
  readonly lambda?: number | undefined;
  /** See `mergeModels`. Default: false. */
  readonly measureCycles?: boolean | undefined;
  /** What is done to the mean. Default: `none`. */
  readonly renormalise?: Renormalisation;
  /** Details of the correction. Default: as `repair` has them. */
  readonly renormalisation?: RenormalisationSettings;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: (progress: MergeProgress) => void;
}

/** How far a merge is. */
export interface MergeProgress {
  /** `cycles`: matchings that only the cycle error needs. */
  readonly stage: 'match' | 'cycles' | 're-normalise' | 'evaluate';
  /** A matching that is under way counts for the part of it that is done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
  /** A word on how it goes. */
  readonly note: string;
}

/** One network of many. */
export interface MergedNetwork {
  /** The model that the re-normalisation leaves; it may have biases that the merged ones lack. */
  readonly model: Model;
  /** Every entry of `model`; fresh arrays, the caller's. */
  readonly values: Map<string, Float32Array>;
  /** The share of each model; they add up to 1. */
  readonly coefficients: readonly number[];
  /** How they were brought into one frame. */
  readonly strategy: MergingMethod;
  /** What that gave. */
  readonly merging: Merging;
  /** Of the check that permuting by the spec leaves the outputs unchanged. */
  readonly equivalence: { readonly maxDifference: number; readonly passed: boolean };
}

/** On one set of images. */
export interface MergeScores {
  /** The models as they came. */
  readonly models: readonly ScoreFields[];
  /** Of the merged network. */
  readonly merged: ScoreFields;
  /** Of the models' logits, mixed as the models were. */
  readonly ensemble: ScoreFields;
}

/** The strategy where none was asked for: joint matching of more than two models goes by weights alone. */
export function defaultStrategy(models: number, method: MatchingMethod): MergingMethod {
  return models > 2 && method === 'weight' ? 'cycle-consistent' : 'reference';
}

/**
 * What can be wrong with a merge and seen without a GPU.
 * @throws OptionError for fewer than two models, unknown names, lambda out of range or given for more than two models, or a
 * re-normalisation without the images that it needs; UnsupportedError where it cannot be done on the model, with the reason.
 */
export function checkMerge({
  model,
  models,
  method = 'weight',
  strategy = defaultStrategy(models.length, method),
  lambda,
  renormalise = 'none',
  renormalisation,
  statistics,
  straightThrough,
}: Pick<MergeOptions, 'model' | 'strategy' | 'method' | 'lambda' | 'renormalise' | 'renormalisation'> & {
  readonly models: { readonly length: number };
  /** Anything but undefined stands for images. */
  readonly statistics?: unknown;
  readonly straightThrough?: unknown;
}): void {
  if (models.length < 2) throw new OptionError(`merge: expected at least two models, got ${models.length}`);
  for (const [what, value, known] of [
    ['strategy', strategy, MERGING_METHODS],
    ['matching method', method, MATCHING_METHODS],
  ] as const) {
    if ((known as readonly string[]).includes(value)) continue;
    throw new OptionError(`merge: the ${what} must be one of ${known.join(', ')}, got "${value}"`);
  }
  if (strategy === 'cycle-consistent' && method !== 'weight') {
    throw new OptionError(
      `merge: cycle-consistent matching goes by weights, got "${method}"; match by weight, or choose another strategy`,
    );
  }
  checkMatchingImages(strategy === 'none' ? [] : [method], { statistics, straightThrough });
  if (lambda !== undefined && models.length !== 2) {
    throw new OptionError(
      `merge: lambda is the share of the second of two models, but there are ${models.length}; leave it out for equal shares`,
    );
  }
  if (lambda !== undefined && !(lambda >= 0 && lambda <= 1)) {
    throw new OptionError(`merge: lambda must be from 0 to 1, got ${lambda}`);
  }
  checkRenormalisation(renormalise, model, renormalisation);
  if (measuresStatistics(renormalise) && statistics === undefined) {
    throw new OptionError(`merge: ${renormalise} measures statistics, give it images`);
  }
}

/**
 * Merges networks.
 * @throws what `checkMerge` throws, before any work; FormatError or DataError naming the model and the tensor that does not fit or is not
 * finite; what matching throws (see `matchModels`); the signal's reason when aborted.
 * @example
 * const { model, values } = await mergeNetworks(context, { model, models: [a, b], renormalise: 'repair', statistics: images });
 */
export async function mergeNetworks(context: Context, options: MergeOptions): Promise<MergedNetwork> {
  const { model, models, method = 'weight', lambda, seed = 0, measureCycles = false, signal } = options;
  checkMerge(options);
  signal?.throwIfAborted();
  const strategy = options.strategy ?? defaultStrategy(models.length, method);
  const coefficients = lambda === undefined ? models.map(() => 1 / models.length) : [1 - lambda, lambda];
  const { spec, equivalence } = await provenSpec(context, model, seed);
  const steps = matchingSteps(options.onProgress);
  const merging = await mergeModels(context, {
    method: strategy,
    spec,
    models,
    matcher: matcherOf(context, spec, { ...options, method }, steps.within),
    seed,
    measureCycles,
    onProgress: steps.done,
    ...(signal ? { signal } : {}),
  });
  const aligned = models.map((values, k) => permuteValues(spec, merging.permutations[k]!, values));
  const mean = lambda === undefined ? merging.merged : weightedMean(spec, aligned, coefficients);
  const merged = await renormalise(context, { ...options, aligned, mean, coefficients });
  return { ...merged, coefficients, strategy, merging, equivalence };
}

/** Any matching method as a matcher. Of random permutations each call gets others, as of `randomMatcher`. */
function matcherOf(
  context: Context,
  spec: PermutationSpec,
  { method, seed = 0, ...options }: Omit<MergeOptions, 'onProgress'>,
  onProgress: MatchingOptions['onProgress'],
): Matcher {
  let calls = 0;
  return async (a, b) => {
    const { permutations } = await findPermutations(context, spec, {
      ...options,
      ...(method ? { method } : {}),
      a,
      b,
      seed: method === 'random' ? seed + calls++ : seed,
      ...(onProgress ? { onProgress } : {}),
    });
    return permutations;
  };
}

/** Progress of all matchings and, within each, of the one under way, as one. */
function matchingSteps(report: MergeOptions['onProgress']) {
  let now: Pick<MergeProgress, 'stage' | 'done' | 'total'> = { stage: 'match', done: 0, total: 1 };
  return {
    within: report && (({ done, total, note }) => report({ ...now, done: now.done + done / total, note })),
    done: ({ stage, done, total, rounds }) => {
      now = { stage, done, total };
      report?.({ ...now, note: rounds > 0 ? `${rounds} rounds` : '' });
    },
  } satisfies {
    within: MatchingOptions['onProgress'] | undefined;
    done: NonNullable<Parameters<typeof mergeModels>[1]['onProgress']>;
  };
}

/** The mean, corrected: values of the model that the correction leaves. */
async function renormalise(
  context: Context,
  options: MergeOptions & {
    readonly aligned: readonly HostTensors[];
    readonly mean: Map<string, Float32Array>;
    readonly coefficients: readonly number[];
  },
): Promise<Pick<MergedNetwork, 'model' | 'values'>> {
  const { renormalise: name = 'none', renormalisation, aligned, mean, coefficients, signal } = options;
  const scope = new Scope();
  try {
    const networks = looksAtModels(name) ? aligned : [];
    const { model, renormalise: factory } = scope.own(
      uploadEndpoints(context, {
        ...{ model: options.model, networks, renormalise: name, data: options.statistics },
        ...(renormalisation ? { settings: renormalisation } : {}),
      }),
    );
    if (!factory) return { model, values: mean };
    const merged = scope.own(new Arena(context, new ArenaLayout(stateEntries(model))));
    merged.write(withZeroBiases(model, mean));
    const renormaliser = scope.own(factory(merged));
    options.onProgress?.({ stage: 're-normalise', done: 0, total: 1, note: name });
    await renormaliser.correct(coefficients, signal);
    const values = await merged.read();
    options.onProgress?.({ stage: 're-normalise', done: 1, total: 1, note: name });
    return { model, values };
  } finally {
    scope.destroy();
  }
}

/**
 * Scores the models as they came, the merged network, and the ensemble of the models' logits with the merge's coefficients.
 * @param options `model` and `models` as they were merged.
 */
export async function scoreMerge(
  context: Context,
  options: Pick<MergeOptions, 'model' | 'models' | 'signal' | 'onProgress'> & {
    readonly merged: Pick<MergedNetwork, 'model' | 'values' | 'coefficients'>;
    readonly images: GpuDataset;
  },
): Promise<MergeScores> {
  const { model, models, merged, images, signal } = options;
  const total = models.length + 1;
  let done = 0;
  const onScored = () => options.onProgress?.({ stage: 'evaluate', done: ++done, total, note: '' });
  const common = { images, onScored, signal };
  const each = await scoreNetworks(context, { ...common, model, networks: models });
  const [whole] = await scoreNetworks(context, {
    ...common,
    model: merged.model,
    networks: [merged.values],
  });
  return {
    models: each.map(({ score }) => score),
    merged: whole!.score,
    ensemble: ensembleScore(each, merged.coefficients, images),
  };
}
