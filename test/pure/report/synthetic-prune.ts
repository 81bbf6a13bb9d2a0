/** Pruning that looks like a real one, made without a GPU. */
import type { PruneResult } from '../../../src/report/prune-result.ts';

/** A network with batch norm, in no order: corrected it lasts longer. */
export function syntheticPrune(overrides: Partial<PruneResult> = {}): PruneResult {
  const point = (sparsity: number, zeros: number, before: [number, number], after: [number, number]) => ({
    ...{ sparsity, zeros, achieved: zeros / 270896 },
    pruned: { loss: before[0], accuracy: before[1] },
    renormalised: { loss: after[0], accuracy: after[1] },
  });
  return {
    ...{ command: 'prune', version: '0.1.0', adapter: 'test', seed: 0, seconds: 12, hash: 'b'.repeat(64) },
    ...{ model: 'resnet20', assumptions: ['images of 3x32x32'] },
    ...{ method: 'magnitude', scope: 'all', renormalise: 'reset', weights: 270896 },
    data: { name: 'colours', split: 'test', images: 2000 },
    dense: { loss: 0.7769, accuracy: 0.7105 },
    curve: [
      point(0.9, 243806, [3.0554, 0.1105], [1.1624, 0.609]),
      point(0.5, 135448, [0.9226, 0.667], [0.7885, 0.7085]),
      point(0.7, 189627, [2.1597, 0.2365], [0.8187, 0.7005]),
    ],
    ...overrides,
  };
}

/** The same without a correction. */
export function syntheticRawPrune(): PruneResult {
  const { curve } = syntheticPrune();
  return syntheticPrune({
    renormalise: 'none',
    curve: curve.map(({ renormalised: _, ...point }) => point),
  });
}
