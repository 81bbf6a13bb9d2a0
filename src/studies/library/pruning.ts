import { grid, type Study, testOf } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';

const SPARSITIES = [0.5, 0.7, 0.8, 0.9, 0.95] as const;
const METHODS = ['magnitude', 'random'] as const;

/** Rethinking Re-Basin's view: a pruned network has lost variance as a merged one has. */
export const pruning: Study = {
  name: 'pruning',
  title: 'Re-normalised pruning',
  question:
    'Does what repairs merged networks repair pruned ones? MLPs are pruned by magnitude and at random, then their statistics are brought back to those of the dense network.',
  budget: { small: '3 minutes on 2 cores', large: '20 minutes on a GPU' },
  points: (size) =>
    grid({ method: METHODS, repeat: REPEATS[size] }, ({ method, repeat }) => {
      const network = hiddenLayers(size, repeat);
      return {
        ...{ kind: 'prune', networks: [network], sparsities: SPARSITIES },
        ...{ pruning: { method, renormalise: 'repair' }, data: testOf(network.data) },
      };
    }),
  figures: () =>
    METHODS.map((method) => ({
      title: `Accuracy against sparsity, ${method}`,
      x: { label: 'sparsity' },
      y: { label: 'test accuracy', isPercentage: true },
      lines: ['pruned', 'renormalised'].map((state) => ({
        name: state === 'pruned' ? 'pruned' : 'and REPAIR',
        points: SPARSITIES.map((x) => ({ x, quantity: { path: `${x}|${state}|accuracy`, at: { method } } })),
      })),
    })),
  claims: () => [
    {
      text: 'At 95 % sparsity by magnitude, REPAIR to the dense network’s statistics raises accuracy.',
      source: 'Qu and Horvath 2024, Rethinking Re-Basin (re-basin as a view on pruning)',
      holds: [
        {
          larger: { path: '0.95|renormalised|accuracy', at: { method: 'magnitude' } },
          smaller: { path: '0.95|pruned|accuracy', at: { method: 'magnitude' } },
        },
      ],
    },
    {
      text: 'At half the weights, magnitude pruning costs less than two points without any correction.',
      source: 'common knowledge of magnitude pruning; Qu and Horvath 2024 (pruning curves)',
      holds: [
        {
          larger: { path: '0.5|pruned|accuracy', at: { method: 'magnitude' } },
          smaller: { path: 'dense|accuracy', at: { method: 'magnitude' } },
          by: -0.02,
        },
      ],
    },
  ],
};
