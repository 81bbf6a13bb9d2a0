/** What a checkpoint of ours says about itself. */
import type { Model } from './models/model.ts';
import type { Normalisation } from './train/gpu-dataset.ts';

/** Metadata that lets a checkpoint of ours be evaluated without being told anything. */
export function checkpointMetadata(model: Model, { mean, std }: Normalisation): Map<string, string> {
  return new Map([
    ['rebasin.model', model.name],
    ['rebasin.mean', mean.join(',')],
    ['rebasin.std', std.join(',')],
  ]);
}
