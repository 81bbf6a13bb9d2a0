/**
 * Barriers between networks that were matched to the first of them, one by one (Ito, Yamada and Kumagai 2024; ALGORITHMS 4.7). With three,
 * what lies between pi(B) and pi(C) was not looked at by any matching: it is flat if all three came into one basin, and not if each was
 * only made to go with A half-way, as the straight-through estimator does.
 */
import { OptionError } from '../../base/errors.ts';
import { forwardGraph } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { MatchingMethod } from '../../report/results.ts';
import type { Arena, HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { checkLambda, type SweepCurve, sweep } from '../interpolation/sweep.ts';
import { checkMatchingImages, type Match, type MatchingOptions, matchModels } from '../matching/match.ts';
import { scoredDistance } from '../matching/objective.ts';
import { uploadEndpoints } from '../renormalise/endpoints.ts';
import {
  checkRenormalisation,
  measuresStatistics,
  type Renormalisation,
  type RenormalisationSettings,
} from '../renormalise/renormalisations.ts';
import { derivePermutationSpec } from '../spec/permutation-spec.ts';

/** `statistics` are the images that both matching and re-normalisation look at. */
export interface MatchedBarriersOptions extends Omit<MatchingOptions, 'onProgress'> {
  /** A, B and, for three, C: f32 by name. */
  readonly networks: readonly HostTensors[];
  /** How B and C are matched to A; `none`: not. Default: `weight`. */
  readonly method?: MatchingMethod;
  /** Ascending, from 0 to 1. */
  readonly lambda: readonly number[];
  /** Data sets to evaluate on, by name, such as `train` and `test`. */
  readonly data: Readonly<Record<string, GpuDataset>>;
  /** Corrects what lies between. Default: `none`. */
  readonly renormalise?: Renormalisation;
  /** Details of the correction. */
  readonly renormalisation?: RenormalisationSettings;
  /** See `sweep`. Default: `corrected`. */
  readonly ends?: 'corrected' | 'raw';
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: (progress: MatchedBarriersProgress) => void;
}

/** How far it is. */
export interface MatchedBarriersProgress {
  /** What is under way: `match B`, `match C` or `sweep`. */
  readonly stage: string;
  /** Parts done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
  /** A word on how it goes. */
  readonly note: string;
}

/** Two of the networks, and each data set's curve on the line from one to the other. */
export interface MatchedPair {
  /** `A` and `B`, or `A` and `pi(B)` where it was matched. */
  readonly networks: readonly [string, string];
  /** L2 distance over scored entries. */
  readonly distance: number;
  /** By the name of the data set. */
  readonly curves: Readonly<Record<string, SweepCurve>>;
}

/** Barriers between every two of the networks, after matching. */
export interface MatchedBarriers {
  /** How they were matched. */
  readonly method: MatchingMethod;
  /** Of B and C, by these names. */
  readonly matches: Readonly<Record<string, Match>>;
  /** A and B; of three networks also A and C, B and C. */
  readonly pairs: readonly MatchedPair[];
}

/**
 * Matches B, and C, to A and sweeps between every two of them.
 * @throws OptionError for a number of networks other than two or three, lambda that does not ascend from 0 to 1, or missing images,
 * before any work; what `matchModels` and `checkRenormalisation` throw; the signal's reason when aborted.
 * @example
 * const [naive, matched] = [await matchedBarriers(context, { ...options, method: 'none' }), await matchedBarriers(context, options)];
 */
export async function matchedBarriers(
  context: Context,
  options: MatchedBarriersOptions,
): Promise<MatchedBarriers> {
  const { model, networks, method = 'weight', lambda, data, renormalise = 'none', signal } = options;
  check(options, method, renormalise);
  const report = options.onProgress ?? (() => {});
  const spec = derivePermutationSpec([forwardGraph(model).logits]);
  const [a, ...others] = networks as readonly [HostTensors, ...HostTensors[]];
  const matches: Record<string, Match> = {};
  const named: [string, HostTensors][] = [['A', a]];
  for (const [i, b] of others.entries()) {
    const letter = 'BC'[i]!;
    const match = await matchModels(context, {
      ...{ ...options, a, b, method },
      onProgress: (progress) => report({ stage: `match ${letter}`, ...progress }),
    });
    signal?.throwIfAborted();
    matches[letter] = match;
    named.push([method === 'none' ? letter : `pi(${letter})`, match.aligned]);
  }
  const pairs: MatchedPair[] = [];
  const total = lambda.length * ((named.length * (named.length - 1)) / 2);
  for (const [i, [first, valuesOfFirst]] of named.entries()) {
    for (const [second, valuesOfSecond] of named.slice(i + 1)) {
      const endpoints = uploadEndpoints(context, {
        ...{ model, networks: [valuesOfFirst, valuesOfSecond], renormalise, data: options.statistics },
        ...(options.renormalisation ? { settings: options.renormalisation } : {}),
      });
      try {
        const [from, to] = endpoints.arenas as readonly [Arena, Arena];
        const curves = await sweep(context, {
          ...{ model: endpoints.model, a: from, b: to, lambda, data, ends: options.ends },
          renormalise: endpoints.renormalise,
          onProgress: ({ done }) =>
            report({
              stage: 'sweep',
              done: pairs.length * lambda.length + done,
              total,
              note: `${first} to ${second}`,
            }),
          ...(signal ? { signal } : {}),
        });
        const distance = scoredDistance(spec, valuesOfFirst, valuesOfSecond);
        pairs.push({ networks: [first, second], distance, curves });
      } finally {
        endpoints.destroy();
      }
    }
  }
  return { method, matches, pairs };
}

function check(
  { model, networks, lambda, statistics, straightThrough, renormalisation }: MatchedBarriersOptions,
  method: MatchingMethod,
  renormalise: Renormalisation,
): void {
  if (networks.length !== 2 && networks.length !== 3) {
    throw new OptionError(`matchedBarriers: expected two or three networks, got ${networks.length}`);
  }
  checkLambda('matchedBarriers', lambda);
  checkMatchingImages([method], { statistics, straightThrough });
  checkRenormalisation(renormalise, model, renormalisation);
  if (measuresStatistics(renormalise) && !statistics) {
    throw new OptionError(`matchedBarriers: ${renormalise} measures statistics, give it images`);
  }
}
