/** Trains a network from a seed, scores it, and keeps it. */
import { hashResult } from '../../base/hash.ts';
import { parseModel } from '../../nn/models/parse-model.ts';
import { fit } from '../../nn/train/fit.ts';
import { fitOptionsOf } from '../../nn/train/recipe.ts';
import { scoreNetworks } from '../../rebasin/interpolation/scores.ts';
import type { TrainSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';

/** @returns the mean training loss of each epoch, the score on test images, and a hash of the weights. */
export async function train(bench: Workbench, spec: TrainSpec): Promise<Record<string, Json>> {
  const { context, signal, onProgress } = bench;
  const model = parseModel(spec.model);
  const data = await bench.upload(spec.data, 'train', spec.half);
  const { state, epochLoss } = await fit(context, {
    ...fitOptionsOf(spec.recipe),
    ...{ model, data, seed: spec.seed },
    onProgress: ({ step, steps }) => onProgress?.({ done: step, total: steps }),
    ...(signal ? { signal } : {}),
  });
  const images = await bench.upload(spec.data, 'test');
  const [scored] = await scoreNetworks(context, { model, networks: [state], images, signal });
  const { loss, accuracy } = scored!.score;
  await bench.keep(spec, state);
  return { epochLoss, test: { loss, accuracy }, weights: hashResult([...state]) };
}
