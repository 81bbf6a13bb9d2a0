/**
 * What became of the activations in a network that any number of models were merged into. The models stand together as their weighted
 * mean, layer by layer; their units need no common order for that, since a layer's numbers are means over its channels.
 */
import { type Model, stateEntries } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { CollapseFields, LayerSummary, MatchingMethod, ScoreFields } from '../../report/results.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import { hasBatchNorm } from '../renormalise/layers.ts';
import { ActivationStatistics } from '../statistics/activation-statistics.ts';
import { diagnoseCollapse } from '../statistics/collapse.ts';
import { summariseLayers } from '../statistics/layer-summary.ts';
import { FeatureDistances } from '../statistics/vanishing-feature.ts';
import type { MergedNetwork, MergeScores } from './merge.ts';

/** Of `diagnoseMerge`. */
export interface MergeDiagnosisOptions {
  /** The architecture. */
  readonly model: Model;
  /** As they were merged. */
  readonly models: readonly HostTensors[];
  /** f32 by name: the merged network. */
  readonly merged: Pick<MergedNetwork, 'model' | 'values' | 'coefficients'>;
  /** Images that activations are measured on. */
  readonly images: GpuDataset;
  /** How well it and its models do. */
  readonly scores: MergeScores;
  /** How the units were matched, `none` where the strategy matched nothing; and what was done to the mean. */
  readonly align: MatchingMethod;
  /** What it was corrected by. */
  readonly renormalise: string;
  /** Called after each network. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** Diagnoses a merge. @throws DataError naming the layer whose activations are not finite. */
export async function diagnoseMerge(
  context: Context,
  options: MergeDiagnosisOptions,
): Promise<CollapseFields> {
  const { model, models, merged, scores, align, renormalise, onProgress } = options;
  const total = models.length + 1;
  let done = 0;
  const onMeasured = () => onProgress?.({ done: ++done, total });
  const each = await measureLayers(context, model, models, options, onMeasured);
  const [whole] = await measureLayers(context, merged.model, [merged.values], options, onMeasured);
  const together = weightedLayers(each, merged.coefficients);
  return diagnoseCollapse({
    ends: [together, together],
    merged: whole!,
    batchNorm: hasBatchNorm(model),
    align,
    renormalise,
    accuracy: {
      ends: expectedScore(scores.models, merged.coefficients).accuracy,
      merged: scores.merged.accuracy,
    },
  });
}

/** Loss and accuracy of the models on average, each with its share: what a merge without any barrier would have. */
export function expectedScore(
  models: readonly ScoreFields[],
  coefficients: readonly number[],
): { readonly loss: number; readonly accuracy: number } {
  const mean = (of: (score: ScoreFields) => number) =>
    models.reduce((sum, score, k) => sum + coefficients[k]! * of(score), 0);
  return { loss: mean(({ loss }) => loss), accuracy: mean(({ accuracy }) => accuracy) };
}

async function measureLayers(
  context: Context,
  model: Model,
  networks: readonly HostTensors[],
  { images, signal }: MergeDiagnosisOptions,
  onMeasured: () => void,
): Promise<LayerSummary[][]> {
  const scope = new Scope();
  try {
    const arena = scope.own(new Arena(context, new ArenaLayout(stateEntries(model))));
    const statistics = scope.own(new ActivationStatistics(context, { model, arenas: [arena] }));
    const features = scope.own(new FeatureDistances(context, { model, arenas: [arena] }));
    const measured: LayerSummary[][] = [];
    for (const values of networks) {
      arena.write(values);
      const taps = await statistics.measure(images, { signal });
      measured.push(summariseLayers(taps, { distances: await features.measure(images, { signal }) }));
      onMeasured();
    }
    return measured;
  } finally {
    scope.destroy();
  }
}

/** Layers of several networks of one model, as one. */
function weightedLayers(
  networks: readonly (readonly LayerSummary[])[],
  weights: readonly number[],
): LayerSummary[] {
  return networks[0]!.map((first, l) => {
    const mean = (of: (layer: LayerSummary) => number) =>
      networks.reduce((sum, layers, k) => sum + weights[k]! * of(layers[l]!), 0);
    return {
      layer: first.layer,
      kind: first.kind,
      channels: first.channels,
      mean: mean((layer) => layer.mean),
      deviation: mean((layer) => layer.deviation),
      variance: mean((layer) => layer.variance),
      scale: mean((layer) => layer.scale),
      zeroRatio: mean((layer) => layer.zeroRatio),
      dead: mean((layer) => layer.dead),
      featureDistance: mean((layer) => layer.featureDistance!),
    };
  });
}
