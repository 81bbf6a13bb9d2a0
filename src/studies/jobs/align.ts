/** Networks of a job, each after the first matched to it. */
import { concatDatasets, type ImageDataset } from '../../io/dataset.ts';
import { randomParts } from '../../io/split.ts';
import type { Model } from '../../nn/models/model.ts';
import { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import {
  type MatchingOptions,
  matchModels,
  type StraightThroughSettings,
} from '../../rebasin/matching/match.ts';
import { hasBatchNorm } from '../../rebasin/renormalise/layers.ts';
import type { MatchFields } from '../../report/results.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import { Scope } from '../../runtime/scope.ts';
import type { MatchSpec, TrainSpec } from '../job-spec.ts';
import type { Workbench } from '../workbench.ts';

/** Networks as they were trained, and how to match them. */
export interface Matchable {
  readonly networks: readonly HostTensors[];
  readonly matching: MatchingOptions;
}

/**
 * Methods that look at images look at those that the first network was trained on; straight-through matching trains on four fifths of
 * these and compares its candidates on the last.
 */
export async function withMatching<T>(
  bench: Workbench,
  specs: readonly TrainSpec[],
  { method, similarity, steps = 500, learningRate = 0.005 }: MatchSpec,
  body: (matchable: Matchable) => Promise<T>,
): Promise<T> {
  const { context, signal } = bench;
  const { data, seed } = specs[0]!;
  const { model, values: networks } = await bench.networks(specs);
  const scope = new Scope();
  try {
    const statistics = await bench.uploadTraining(specs[0]!);
    const parts = async (): Promise<StraightThroughSettings> => {
      const { normalisation } = await bench.images(data);
      const [chosenOn, ...rest] = randomParts(await bench.training(specs[0]!), 5, seed);
      const upload = (images: ImageDataset) => scope.own(new GpuDataset(context, images, normalisation));
      return {
        data: upload(concatDatasets(rest)),
        evaluation: upload(chosenOn!),
        reset: hasBatchNorm(model) ? statistics : undefined,
        ...{ steps, learningRate },
      };
    };
    const straightThrough = method === 'straight-through' ? await parts() : undefined;
    const matching = { model, method, statistics, straightThrough, seed, signal };
    return await body({ networks, matching: { ...matching, ...(similarity ? { similarity } : {}) } });
  } finally {
    scope.destroy();
  }
}

export interface AlignedPair {
  readonly model: Model;
  readonly networks: readonly [HostTensors, HostTensors];
  readonly match: MatchFields;
}

/** Two networks, the second in the order of units of the first. */
export async function alignPair(
  bench: Workbench,
  specs: readonly [TrainSpec, TrainSpec],
  match: MatchSpec,
): Promise<AlignedPair> {
  return await withMatching(bench, specs, match, async ({ networks, matching }) => {
    const [a, b] = networks as readonly [HostTensors, HostTensors];
    const { fields, aligned } = await matchModels(bench.context, { ...matching, a, b });
    return { model: matching.model, networks: [a, aligned], match: fields };
  });
}
