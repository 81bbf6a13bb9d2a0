import { grid, type Quantity, type Study } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { POINTS, pairJob } from './pairs.ts';

const DEPTHS = { small: [1, 3, 6], large: [1, 3, 7, 11] } as const;
const CORRECTIONS = ['none', 'repair', 'rescale', 'reshift'] as const;

const half = (correction: string, at: Record<string, number> = {}): Quantity => ({
  path: `${correction}|midpoint|accuracy`,
  at,
});

/** REPAIR's depth study, with the decomposition of Rethinking Re-Basin. */
export const depth: Study = {
  name: 'depth',
  title: 'Corrections against depth',
  question:
    'What is lost half-way as networks get deeper, and which correction gives it back? Pairs of MLPs of growing depth, units matched by activations; accuracy half-way with REPAIR, with its two parts alone (rescale, reshift), and without.',
  budget: { small: '6 minutes on 2 cores', large: '2 hours on a GPU' },
  points: (size) =>
    grid({ depth: DEPTHS[size], repeat: REPEATS[size] }, ({ depth, repeat }) =>
      pairJob(
        repeat,
        (seed) => hiddenLayers(size, seed, { depth }),
        { method: 'activation' },
        { renormalisations: CORRECTIONS, points: POINTS[size] },
      ),
    ),
  figures: () => [
    {
      title: 'Accuracy half-way',
      x: { label: 'hidden layers' },
      y: { label: 'test accuracy', isPercentage: true },
      lines: CORRECTIONS.map((name) => ({ name, over: 'depth', quantity: half(name) })),
    },
    {
      title: 'Variance left half-way, last hidden layer',
      x: { label: 'hidden layers' },
      y: { label: 'variance ratio', isPercentage: true },
      lines: [{ name: 'none', over: 'depth', quantity: { path: 'collapse|varianceRatio' } }],
    },
  ],
  claims: (size) => {
    const depths = DEPTHS[size];
    const [shallow, deep] = [depths[0]!, depths[depths.length - 1]!];
    const variance = (at: number) => ({ path: 'collapse|varianceRatio', at: { depth: at } });
    return [
      {
        text: 'The deeper the network, the less variance is left half-way.',
        source: 'Jordan et al. 2023, REPAIR, section 3 (variance collapse)',
        holds: [{ larger: variance(shallow), smaller: variance(deep) }],
      },
      {
        text: 'In the deepest networks REPAIR raises accuracy half-way.',
        source: 'Jordan et al. 2023, REPAIR, section 4 (depth)',
        holds: [{ larger: half('repair', { depth: deep }), smaller: half('none', { depth: deep }) }],
      },
      {
        text: 'Rescaling alone does what REPAIR does: it is no worse by more than a point.',
        source: 'Qu and Horvath 2024, Rethinking Re-Basin (rescale and reshift)',
        holds: [
          {
            larger: half('rescale', { depth: deep }),
            smaller: half('repair', { depth: deep }),
            by: -0.01,
          },
        ],
      },
      {
        text: 'Shifting alone does not: REPAIR is better.',
        source: 'Qu and Horvath 2024, Rethinking Re-Basin (rescale and reshift)',
        holds: [{ larger: half('repair', { depth: deep }), smaller: half('reshift', { depth: deep }) }],
      },
    ];
  },
};
