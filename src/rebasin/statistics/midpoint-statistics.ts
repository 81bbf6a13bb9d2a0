/** What becomes of activations half-way between two networks: all three looked at along a sweep, and what they suffer from. */
import type { Model } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { CollapseFields, LayerSummary, LossAndAccuracy } from '../../report/results.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { sweep } from '../interpolation/sweep.ts';
import { hasBatchNorm } from '../renormalise/layers.ts';
import type { RenormaliserFactory } from '../renormalise/renormaliser.ts';
import { ActivationStatistics } from './activation-statistics.ts';
import { type CollapseOptions, diagnoseCollapse } from './collapse.ts';
import { summariseLayers } from './layer-summary.ts';
import { FeatureDistances } from './vanishing-feature.ts';

/** Of `midpointStatistics`. */
export interface MidpointOptions extends Pick<CollapseOptions, 'align' | 'renormalise'> {
  /** The architecture. */
  readonly model: Model;
  /** Arenas of the two networks, as they are aligned. They stay the caller's and are not changed. */
  readonly a: Arena;
  /** f32 by name, every entry of the model. Read, never changed. */
  readonly b: Arena;
  /** Images to look at. */
  readonly data: GpuDataset;
  /** Corrects the network half-way, as `renormalise` names it; the ends are left as they are. Default: nothing. */
  readonly renormaliser?: RenormaliserFactory | undefined;
  /** Whether to keep each channel's numbers. Default: false. */
  readonly perChannel?: boolean | undefined;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal;
  /** Called after each batch, with images looked at; all networks twice. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** What activations do in two networks and half-way between them. */
export interface MidpointStatistics {
  /** A, B and the network half-way. */
  readonly networks: readonly (LossAndAccuracy & { readonly layers: readonly LayerSummary[] })[];
  /** What became of them half-way, with a verdict. */
  readonly collapse: CollapseFields;
}

/** Measures both ends and the network half-way. @throws DataError naming a layer whose activations are not finite. */
export async function midpointStatistics(
  context: Context,
  options: MidpointOptions,
): Promise<MidpointStatistics> {
  const { model, a, b, data, renormaliser, perChannel = false, signal, onProgress } = options;
  const total = 6 * data.count;
  const seen: LayerSummary[][] = [];
  let statistics: ActivationStatistics | undefined;
  let features: FeatureDistances | undefined;
  try {
    const curves = await sweep(context, {
      ...{ model, a, b, lambda: [0, 0.5, 1], data: { images: data }, renormalise: renormaliser, ends: 'raw' },
      ...(signal ? { signal } : {}),
      observe: async (merged, point) => {
        statistics ??= new ActivationStatistics(context, { model, arenas: [merged] });
        features ??= new FeatureDistances(context, { model, arenas: [merged] });
        const progressFrom = (start: number) => (done: number) =>
          onProgress?.({ done: (2 * point + start) * data.count + done, total });
        const taps = await statistics.measure(data, { signal, onProgress: progressFrom(0) });
        const distances = await features.measure(data, { signal, onProgress: progressFrom(1) });
        seen[point] = summariseLayers(taps, { distances, perChannel });
      },
    });
    const { loss, accuracy } = curves.images!;
    const at = (point: number) => ({ loss: loss[point]!, accuracy: accuracy[point]!, layers: seen[point]! });
    const collapse = diagnoseCollapse({
      ...options,
      ends: [seen[0]!, seen[2]!],
      merged: seen[1]!,
      batchNorm: hasBatchNorm(model),
      accuracy: { ends: (accuracy[0]! + accuracy[2]!) / 2, merged: accuracy[1]! },
    });
    return { networks: [at(0), at(2), at(1)], collapse };
  } finally {
    statistics?.destroy();
    features?.destroy();
  }
}
