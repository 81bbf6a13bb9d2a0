/** Trains a network from a seed, scores it, and keeps it. */
import { hashBytes } from '../../base/hash.ts';
import { stateEntries } from '../../nn/models/model.ts';
import { parseModel } from '../../nn/models/parse-model.ts';
import { stateDictOf, writeStateDict } from '../../nn/state-dict.ts';
import { fit } from '../../nn/train/fit.ts';
import { fitOptionsOf } from '../../nn/train/recipe.ts';
import { scoreNetworks } from '../../rebasin/interpolation/scores.ts';
import type { TrainSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';

/** @returns the mean training loss of each epoch, the score on test images, and the hash of the checkpoint's bytes; and these. */
export async function train(
  bench: Workbench,
  spec: TrainSpec,
): Promise<{ found: Record<string, Json>; checkpoint: Uint8Array }> {
  const { context, signal, onProgress } = bench;
  const model = parseModel(spec.model);
  const data = await bench.uploadTraining(spec);
  const { state, epochLoss } = await fit(context, {
    ...fitOptionsOf(spec.recipe),
    ...{ model, data, seed: spec.seed },
    onProgress: ({ step, steps }) => onProgress?.({ done: step, total: steps }),
    ...(signal ? { signal } : {}),
  });
  const images = await bench.uploadTest(spec.data);
  const [scored] = await scoreNetworks(context, { model, networks: [state], images, signal });
  const { loss, accuracy } = scored!.score;
  const checkpoint = writeStateDict(stateDictOf(stateEntries(model), state));
  const found = { epochLoss, test: { loss, accuracy }, checkpoint: hashBytes(checkpoint) };
  return { found, checkpoint };
}
