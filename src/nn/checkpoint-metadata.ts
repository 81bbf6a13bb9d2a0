/** What a checkpoint of ours says about itself. */
import type { Numerics } from '../runtime/kernel.ts';
import type { Model } from './models/model.ts';
import type { Normalisation } from './train/gpu-dataset.ts';

/**
 * Metadata that lets a checkpoint of ours be evaluated without being told anything.
 * @param numerics the class that the network was trained in; written where it is not `f32`. Default: `f32`.
 */
export function checkpointMetadata(
  model: Model,
  { mean, std }: Normalisation,
  numerics: Numerics = 'f32',
): Map<string, string> {
  return new Map([
    ['rebasin.model', model.name],
    ['rebasin.mean', mean.join(',')],
    ['rebasin.std', std.join(',')],
    ...(numerics === 'f32' ? [] : [['rebasin.numerics', numerics] as const]),
  ]);
}
