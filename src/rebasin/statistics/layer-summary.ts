/** Statistics of activations, layer by layer instead of channel by channel: plain numbers to print, draw and compare. */
import type { LayerSummary } from '../../report/results.ts';
import type { TapStatistics } from './activation-statistics.ts';
import type { FeatureDistance } from './vanishing-feature.ts';

/**
 * Means over channels. `distances` are of the same taps, where they were measured; `perChannel` keeps each channel's numbers as well
 * (default: false).
 */
export function summariseLayers(
  statistics: readonly TapStatistics[],
  {
    distances = [],
    perChannel = false,
  }: { readonly distances?: readonly FeatureDistance[]; readonly perChannel?: boolean | undefined } = {},
): LayerSummary[] {
  return statistics.map(({ name: layer, kind, mean, variance, scale, zeroRatio }) => {
    const moved = distances.find((tap) => tap.kind === kind && tap.name === layer);
    return {
      layer,
      kind,
      channels: mean.length,
      mean: average(mean.map(Math.abs)),
      deviation: average(variance.map(Math.sqrt)),
      variance: average(variance),
      scale: average(scale),
      zeroRatio: average(zeroRatio),
      dead: zeroRatio.filter((ratio) => ratio === 1).length,
      ...(moved ? { featureDistance: moved.distance } : {}),
      ...(perChannel
        ? {
            perChannel: {
              mean: [...mean],
              variance: [...variance],
              scale: [...scale],
              zeroRatio: [...zeroRatio],
            },
          }
        : {}),
    };
  });
}

function average(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
