/** Which parameters are pruned: weights of linear layers and convolutions. Biases and norms never are. */
import { leavesOf } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { findWeightedTaps, type WeightedTap } from '../../nn/taps.ts';

/**
 * `without-shortcuts`: every layer but the convolutions in shortcuts of residual blocks, as the experiments of Qu and Horvath 2024 do it.
 * `all`: every weight with two or more axes, stem, shortcuts and classifier included.
 */
export type PruningScope = 'without-shortcuts' | 'all';

export const PRUNING_SCOPES: readonly PruningScope[] = ['without-shortcuts', 'all'];

export interface PrunableWeight {
  readonly name: string;
  /** [out, in] or [out, in / groups, KH, KW]. */
  readonly shape: readonly number[];
  /** The layer that it belongs to. */
  readonly layer: WeightedTap;
}

/** Modules of shortcuts, as this library and torchvision name them: `layer2.0.shortcut.0`, `layer2.0.downsample.0`. */
const SHORTCUT = /(^|\.)(shortcut|downsample)\./;

/** The weights that are pruned, in the network's own order. */
export function prunableWeights(model: Model, scope: PruningScope): PrunableWeight[] {
  const { logits } = forwardGraph(model);
  const shapes = new Map(
    leavesOf([logits], 'parameter').map(({ attributes, shape }) => [attributes.name as string, shape]),
  );
  return findWeightedTaps([logits]).flatMap((layer) => {
    if (scope === 'without-shortcuts' && SHORTCUT.test(layer.weight)) return [];
    return [{ name: layer.weight, shape: shapes.get(layer.weight) as readonly number[], layer }];
  });
}
