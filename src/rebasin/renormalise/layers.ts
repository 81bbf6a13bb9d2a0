/** Which layers a re-normalisation corrects, and whether it can. */
import { UnsupportedError } from '../../base/errors.ts';
import { topologicalOrder } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { findTaps, findWeightedTaps, type WeightedTap } from '../../nn/taps.ts';

/**
 * `hidden`: every linear layer and convolution but the last. `all`: the last as well (REPAIR's MLPs). `blocks`: in residual networks
 * the convolutions inside blocks alone, neither the stem, nor shortcuts, nor the head (Qu and Horvath); elsewhere as `hidden`.
 */
export type CorrectedLayers = 'hidden' | 'all' | 'blocks';

/** The layers whose results are corrected, in the network's order. @throws UnsupportedError where there are none. */
export function correctedLayers(model: Model, which: CorrectedLayers): WeightedTap[] {
  const layers = findWeightedTaps([forwardGraph(model).logits]);
  const hidden = layers.slice(0, which === 'all' ? layers.length : -1);
  const inBlocks = hidden.filter(({ name }) => /^layer\d+\.\d+\.conv\d+$/.test(name));
  const chosen = which === 'blocks' && inBlocks.length > 0 ? inBlocks : hidden;
  if (chosen.length === 0) {
    throw new UnsupportedError(`re-normalisation: ${model.name} has no hidden layer to correct`);
  }
  return chosen;
}

/** Whether the network has norms whose running statistics are estimated anew instead (RESET). */
export function hasBatchNorm(model: Model): boolean {
  return forwardGraph(model, { training: true }).updates.size > 0;
}

/**
 * The layers of a plain network, one after another: no norm, no branch, activations and pools that are positively homogeneous, so that
 * scaling a layer's weights by c > 0 scales what follows by c.
 * @returns the layers, the last one included, in order.
 * @throws UnsupportedError naming what stands in the way.
 */
export function plainChain(caller: string, model: Model): WeightedTap[] {
  const obstacle = chainObstacle(model);
  if (obstacle !== undefined) {
    throw new UnsupportedError(
      `${caller}: needs a plain network of ReLU layers one after another, but ${model.name} has ${obstacle}; use repair, rescale or reset`,
    );
  }
  return findWeightedTaps([forwardGraph(model).logits]);
}

/** What keeps a network from being a plain chain (see `plainChain`), such as `the norm "bn1"`; undefined where nothing does. */
export function chainObstacle(model: Model): string | undefined {
  const { logits } = forwardGraph(model);
  const norm = findTaps([logits]).find(({ kind }) => kind === 'normalised');
  if (norm) return `the norm "${norm.name}"`;
  for (const node of topologicalOrder([logits])) {
    const { name } = node.operation;
    if (name === 'standardise') return 'a norm';
    const branches = node.inputs.filter(({ inputs }) => inputs.length > 0).length;
    if (branches > 1) return `branches that meet in "${name}"`;
    if (['tanh', 'gelu', 'softplus', 'sigmoid'].includes(name)) return `the activation "${name}"`;
  }
  return undefined;
}
