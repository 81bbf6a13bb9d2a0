/** Which of a network's layer summaries belong together. They are in the network's own order. */

import type { LayerSummary } from './results.ts';

/** The activation function that a layer's result goes into, through its norm where it has one. */
export function activationAfter(
  layers: readonly LayerSummary[],
  layer: LayerSummary,
): LayerSummary | undefined {
  const next = layers[layers.indexOf(layer) + 1];
  const named = layer.kind === 'weighted' && next?.kind === 'normalised' ? next.layer : layer.layer;
  return layers.find((each) => each.kind === 'activation' && each.layer === named);
}
