/** How strongly each unit of one network goes with the unit at the same place in another: what the closed form of REPAIR needs. */
import type { WeightedTap } from '../../nn/taps.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { activationPairs } from '../matching/activation-pairs.ts';
import { pearsonCorrelation } from '../matching/cross-moments.ts';

/**
 * Pearson correlation of unit i of A with unit i of B in the result of each layer, over images and positions; 0 where either is constant.
 * @returns f64 [C] by the layer's name.
 */
export async function unitCorrelations(
  context: Context,
  options: {
    readonly a: Arena;
    readonly b: Arena;
    readonly layers: readonly WeightedTap[];
    readonly data: GpuDataset;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Map<string, Float64Array>> {
  const pairs = await activationPairs(context, { ...options, taps: options.layers });
  return new Map(
    pairs.map(({ tap, moments }) => {
      const channels = tap.node.shape[1] as number;
      const correlation = pearsonCorrelation(moments);
      return [tap.name, Float64Array.from({ length: channels }, (_, i) => correlation[i * channels + i]!)];
    }),
  );
}
