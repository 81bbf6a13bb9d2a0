/**
 * Collapse of a merged network: what became of each layer's activations, beside those of the networks it was merged from. Variance ratio
 * as in REPAIR (Jordan et al. 2023), scale and zero ratio as Qu and Horvath (2024) plot them, and the vanishing feature (2025).
 */
import { DataError } from '../../base/errors.ts';
import { activationAfter } from '../../report/layers.ts';
import type { CollapseFields, LayerCollapse, LayerSummary, MatchingMethod } from '../../report/results.ts';
import { collapseVerdict } from './collapse-verdict.ts';
import { smoothVanishingFeature, vanishingFeature } from './vanishing-feature.ts';

/** Of `diagnoseCollapse`. */
export interface CollapseOptions {
  /** Layers of the two networks that were merged, as they were aligned. */
  readonly ends: readonly [readonly LayerSummary[], readonly LayerSummary[]];
  /** Layers of the merged network. All three over the same images. */
  readonly merged: readonly LayerSummary[];
  /** Whether the network has batch norm: it is then read after its norms, else after its linear layers and convolutions. */
  readonly batchNorm: boolean;
  /** How the units were matched, and what was done to the merged network: what the verdict need not advise. */
  readonly align: MatchingMethod;
  /** What the merged network was corrected by. */
  readonly renormalise: string;
  /** Mean of the ends' accuracies, and the merged network's, from 0 to 1. */
  readonly accuracy?: { readonly ends: number; readonly merged: number } | undefined;
}

/** Compares layer by layer, and says what it is. @throws DataError when the three are not of one network. */
export function diagnoseCollapse(options: CollapseOptions): CollapseFields {
  const { ends, merged, batchNorm } = options;
  const weighted = merged.filter(({ kind }) => kind === 'weighted');
  const output = weighted[weighted.length - 1];
  if (!output) throw new DataError('collapse: no linear layer or convolution was measured');
  const hidden = batchNorm ? merged.filter(({ kind }) => kind === 'normalised') : weighted.slice(0, -1);
  const compared = [...hidden, output].map((layer) => compareLayer(layer, options));
  const features = featuresOf([...hidden, output], ends);
  const layers = compared.map((layer, l) => ({ ...layer, ...features[l] }));
  const logits = layers.pop()!;
  return { layers, logits, verdict: collapseVerdict({ ...options, layers, logits }) };
}

function compareLayer(merged: LayerSummary, { ends, merged: all }: CollapseOptions): LayerCollapse {
  const [a, b] = ends.map((end) => sameLayer(end, merged)) as [LayerSummary, LayerSummary];
  const activation = activationAfter(all, merged);
  const ofEnds = activation && ends.map((end) => sameLayer(end, activation).zeroRatio);
  return {
    layer: merged.layer,
    varianceRatio: (2 * merged.variance) / (a.variance + b.variance),
    scaleRatio: (2 * merged.scale) / (a.scale + b.scale),
    ...(ofEnds ? { zeroRatio: { ends: (ofEnds[0]! + ofEnds[1]!) / 2, merged: activation.zeroRatio } } : {}),
  };
}

/** E and its smoothing, where the distances were measured. */
function featuresOf(
  layers: readonly LayerSummary[],
  ends: CollapseOptions['ends'],
): Pick<LayerCollapse, 'feature' | 'smoothFeature'>[] {
  const distances = [layers, ...ends.map((end) => layers.map((layer) => sameLayer(end, layer)))].map((each) =>
    each.flatMap(({ featureDistance }) => featureDistance ?? []),
  );
  if (distances.some(({ length }) => length < layers.length)) return [];
  const measured = vanishingFeature([distances[1]!, distances[2]!], distances[0]!);
  const smooth = smoothVanishingFeature(measured);
  return measured.map((feature, l) => ({ feature, smoothFeature: smooth[l]! }));
}

function sameLayer(end: readonly LayerSummary[], { layer, kind }: LayerSummary): LayerSummary {
  const found = end.find((candidate) => candidate.kind === kind && candidate.layer === layer);
  if (!found) throw new DataError(`collapse: ${kind} "${layer}" was not measured in each network`);
  return found;
}
