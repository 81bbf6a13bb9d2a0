/** What `rebasin analyse` finds: why two networks are linearly connected or not; with a third, whether matched networks are so among themselves. */
import { valuesOf } from '../nn/state-dict.ts';
import { GpuDataset } from '../nn/train/gpu-dataset.ts';
import { analyseNetworks } from '../rebasin/analysis/analyse.ts';
import { equallySpaced } from '../rebasin/interpolation/barrier.ts';
import type { AnalyseResult } from '../report/analyse-result.ts';
import type { MatchingMethod } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import { Scope } from '../runtime/scope.ts';
import type { Checkpoint } from './checkpoint.ts';
import { completeResult } from './complete-result.ts';
import {
  endsOf,
  type MergingChoices,
  matchingSettings,
  partOf,
  renormalisationSettings,
  uploadMethodImages,
} from './method-settings.ts';
import type { CommandRequest } from './request.ts';

export interface AnalyseRequest extends CommandRequest, MergingChoices {
  /** A, B and, for three, C. */
  readonly checkpoints: readonly Checkpoint[];
  /** Further matching methods, to compare with. */
  readonly against?: readonly MatchingMethod[];
  /** Equally spaced values of lambda, ends included. */
  readonly points: number;
  /** Which images. */
  readonly on: 'train' | 'test';
  /** Whether to decompose layers. */
  readonly singularVectors: boolean;
}

/**
 * Analyses networks.
 * @returns the result that `rebasin analyse` prints, with the same hash.
 * @throws OptionError where images are missing; what `analyseNetworks` throws.
 */
export async function analyseResult(context: Context, request: AnalyseRequest): Promise<AnalyseResult> {
  const { checkpoints, model, align, against = [], renormalise, preset, images, on, seed } = request;
  const methods = [align, ...against].filter((method) => method !== 'none');
  const matching = matchingSettings(request);
  const renormalisation = renormalisationSettings(request);
  const shown = partOf(images, on, 'analyse');
  const scope = new Scope();
  try {
    const used = uploadMethodImages(context, scope, images, model, methods, [renormalise], request);
    const data = scope.own(new GpuDataset(context, shown, images.normalisation));
    const networks = checkpoints.map(({ state }) => valuesOf(state));
    const lambda = equallySpaced(request.points);
    const analysis = await analyseNetworks(context, {
      ...{ model, networks, methods, data, lambda, ...matching, ...used, seed, signal: request.signal },
      ...{ renormalise, renormalisation, ends: endsOf(preset), singularVectors: request.singularVectors },
      onProgress: (progress) => request.onProgress?.(progress),
    });

    const fields = {
      model: model.name,
      assumptions: model.assumptions,
      data: { name: shown.name, split: on, images: shown.count },
      renormalise,
      ...analysis,
    };
    const digests = [data, ...used.datasets].map(({ digest }) => digest);
    const inputs = { networks: networks.map((each) => [...each]), matching, renormalisation, digests };
    return completeResult(context, 'analyse', seed, request.started, inputs, fields);
  } finally {
    scope.destroy();
  }
}
