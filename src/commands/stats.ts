/** What `rebasin stats` finds: what activations are like in each layer of a network, and what becomes of them half-way between two. */
import { stateEntries } from '../nn/models/model.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { GpuDataset } from '../nn/train/gpu-dataset.ts';
import type { Match } from '../rebasin/matching/match.ts';
import { uploadEndpoints } from '../rebasin/renormalise/endpoints.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import { ActivationStatistics } from '../rebasin/statistics/activation-statistics.ts';
import { summariseLayers } from '../rebasin/statistics/layer-summary.ts';
import { midpointStatistics } from '../rebasin/statistics/midpoint-statistics.ts';
import type { StatsResult } from '../report/results.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { Scope } from '../runtime/scope.ts';
import type { Checkpoint } from './checkpoint.ts';
import { completeResult } from './complete-result.ts';
import {
  type MergingChoices,
  matchingSettings,
  partOf,
  renormalisationSettings,
  uploadMethodImages,
} from './method-settings.ts';
import { alignModels, type CommandRequest } from './request.ts';

export interface StatsRequest extends CommandRequest, MergingChoices {
  /** The network, or the first of two. */
  readonly a: Checkpoint;
  /** Another, to look at the network half-way. */
  readonly b?: Checkpoint | undefined;
  /** What `matchResult` gave for the same choices, to be taken as it is. */
  readonly matched?: Match | undefined;
  /** Which images. */
  readonly on: 'train' | 'test';
  /** Each channel's numbers as well. */
  readonly channels?: boolean;
}

/** What one network or two give, and what that depends on. */
interface Found {
  readonly fields: Pick<StatsResult, 'networks' | 'align' | 'renormalise' | 'match' | 'collapse'>;
  readonly inputs: object;
}

/**
 * Measures activations.
 * @returns the result that `rebasin stats` prints, with the same hash.
 * @throws OptionError where images are missing; UnsupportedError where a correction does not apply; DataError naming a layer whose
 * activations are not finite; what `matchModels` throws.
 */
export async function statsResult(context: Context, request: StatsRequest): Promise<StatsResult> {
  const { a, b, model, images, on, seed, started } = request;
  const { name, count } = partOf(images, on, 'stats');
  const scope = new Scope();
  try {
    const found = await (b ? lookAtTwo(context, scope, request, a, b) : lookAtOne(context, scope, request));
    const fields = {
      model: model.name,
      assumptions: model.assumptions,
      data: { name, split: on, images: count },
      ...found.fields,
    };
    return completeResult(context, 'stats', seed, started, found.inputs, fields);
  } finally {
    scope.destroy();
  }
}

async function lookAtOne(
  context: Context,
  scope: Scope,
  { a, model, images, on, channels, signal, onProgress }: StatsRequest,
): Promise<Found> {
  const values = valuesOf(a.state);
  const arena = scope.own(new Arena(context, new ArenaLayout(stateEntries(model))));
  arena.write(values);
  const data = scope.own(new GpuDataset(context, partOf(images, on, 'stats'), images.normalisation));
  const statistics = scope.own(new ActivationStatistics(context, { model, arenas: [arena] }));
  const taps = await statistics.measure(data, {
    signal,
    onProgress: (done) => onProgress?.({ stage: 'statistics', done, total: data.count, note: '' }),
  });
  const evaluator = scope.own(new Evaluator(context, model, [arena], data));
  const score = await evaluator.evaluate({ signal });
  const layers = summariseLayers(taps, { perChannel: channels });
  return {
    fields: { networks: [{ name: 'A', ...score, layers }] },
    inputs: { a: [...values], digests: [data.digest] },
  };
}

async function lookAtTwo(
  context: Context,
  scope: Scope,
  request: StatsRequest,
  a: Checkpoint,
  b: Checkpoint,
): Promise<Found> {
  const { align, renormalise, seed, model, images, on, matched, signal, onProgress } = request;
  const matching = matchingSettings(request);
  const renormalisation = renormalisationSettings(request);
  checkRenormalisation(renormalise, model, renormalisation);
  const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
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
  const [arenaA, arenaB] = endpoints.arenas as readonly [Arena, Arena];
  const data = scope.own(new GpuDataset(context, partOf(images, on, 'stats'), images.normalisation));
  const measured = await midpointStatistics(context, {
    ...{ model: endpoints.model, a: arenaA, b: arenaB, data, align, renormalise },
    ...(signal ? { signal } : {}),
    renormaliser: endpoints.renormalise,
    perChannel: request.channels,
    onProgress: ({ done, total }) => onProgress?.({ stage: 'statistics', done, total, note: '' }),
  });
  const names = ['A', match ? 'pi(B)' : 'B', 'merged'];
  const digests = [data, ...used.datasets].map(({ digest }) => digest);
  return {
    fields: {
      networks: measured.networks.map((network, i) => ({ name: names[i]!, ...network })),
      ...{ align, renormalise, collapse: measured.collapse },
      ...(match ? { match } : {}),
    },
    inputs: { a: [...valuesA], b: [...valuesB], matching, renormalisation, digests },
  };
}
