/** What `rebasin sweep` finds: loss and accuracy along the straight line from A to B, or to B permuted. */
import { valuesOf } from '../nn/state-dict.ts';
import { GpuDataset } from '../nn/train/gpu-dataset.ts';
import { equallySpaced } from '../rebasin/interpolation/barrier.ts';
import { sweep } from '../rebasin/interpolation/sweep.ts';
import type { Match } from '../rebasin/matching/match.ts';
import { uploadEndpoints } from '../rebasin/renormalise/endpoints.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { SweepResult } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import { Scope } from '../runtime/scope.ts';
import type { Checkpoint } from './checkpoint.ts';
import { completeResult } from './complete-result.ts';
import {
  defaultPoints,
  endsOf,
  type MergingChoices,
  matchingSettings,
  partOf,
  renormalisationSettings,
  uploadMethodImages,
} from './method-settings.ts';
import { alignModels, type CommandRequest } from './request.ts';

export interface SweepRequest extends CommandRequest, MergingChoices {
  /** The network at lambda 0. */
  readonly a: Checkpoint;
  /** The network at lambda 1, before it is matched. */
  readonly b: Checkpoint;
  /** What `matchResult` gave for the same choices, to be taken as it is. */
  readonly matched?: Match | undefined;
  /** Equally spaced values of lambda, ends included. Default: of the preset, else 25. */
  readonly points?: number;
  /** Which images are swept over. */
  readonly on: 'train' | 'test' | 'both';
  /** Also the mean of both networks' logits at every point. */
  readonly ensemble?: boolean;
  /** Also the loss at the best softmax temperature of every point. */
  readonly calibrateTemperature?: boolean;
}

/**
 * Sweeps lambda.
 * @returns the result that `rebasin sweep` prints, with the same hash.
 * @throws OptionError where images are missing; UnsupportedError where a correction does not apply; what `matchModels` and `sweep` throw.
 */
export async function sweepResult(context: Context, request: SweepRequest): Promise<SweepResult> {
  const { a, b, model, align, renormalise, preset, images, seed, matched, onProgress, signal } = request;
  const matching = matchingSettings(request);
  const renormalisation = renormalisationSettings(request);
  checkRenormalisation(renormalise, model, renormalisation);
  const points = request.points ?? defaultPoints(preset);
  const splits = (['train', 'test'] as const).filter((split) => [split, 'both'].includes(request.on));
  const shown = splits.map((split) => [split, partOf(images, split, 'sweep')] as const);
  const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
  const scope = new Scope();
  try {
    const used = uploadMethodImages(context, scope, images, model, [align], [renormalise], request);
    const { aligned, match } = await alignModels(context, {
      ...{ model, a: valuesA, b: valuesB, method: align, ...matching, ...used, seed, signal },
      ...{ matched, onProgress },
    });
    const networks = [valuesA, aligned];
    const endpoints = scope.own(
      uploadEndpoints(context, {
        ...{ model, networks, renormalise, settings: renormalisation, data: used.statistics },
      }),
    );
    const upload = (dataset: (typeof shown)[number][1]) =>
      scope.own(new GpuDataset(context, dataset, images.normalisation));
    const data = Object.fromEntries(shown.map(([split, dataset]) => [split, upload(dataset)]));
    const calibration = request.calibrateTemperature
      ? (used.statistics ?? upload(partOf(images, 'statistics', 'calibrating')))
      : undefined;
    const lambda = equallySpaced(points);
    const stage = align === 'none' ? 'sweep' : 'sweep, aligned';
    const curves = await sweep(context, {
      ...{ model: endpoints.model, a: endpoints.arenas[0]!, b: endpoints.arenas[1]!, lambda, data },
      ...{ renormalise: endpoints.renormalise, ends: endsOf(preset), calibrate: calibration },
      ...{ ensemble: request.ensemble ?? false, ...(signal ? { signal } : {}) },
      onProgress: ({ done, total }) => onProgress?.({ stage, done, total, note: '' }),
    });

    const fields = {
      model: model.name,
      align,
      renormalise,
      lambda,
      ...curves,
      ...(match ? { match } : {}),
    };
    const digests = [...Object.values(data), ...used.datasets, ...(calibration ? [calibration] : [])].map(
      ({ digest }) => digest,
    );
    const inputs = { a: [...valuesA], b: [...valuesB], matching, renormalisation, digests };
    return completeResult(context, 'sweep', seed, request.started, inputs, fields);
  } finally {
    scope.destroy();
  }
}
