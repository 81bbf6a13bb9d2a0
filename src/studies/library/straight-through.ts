import type { TrainSpec } from '../job-spec.ts';
import { grid, independent, type Study, testOf } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { POINTS } from './pairs.ts';

const METHODS = ['none', 'weight', 'straight-through'] as const;
const PAIRS = ['AB', 'AC', 'BC'] as const;

const gap = (method: string) => ({ path: 'gap', at: { method } });

/** Ito, Yamada and Kumagai: the straight-through estimator makes pairs connected, weight matching makes basins. */
export const straightThrough: Study = {
  name: 'straight-through',
  title: 'Three networks: straight-through against weight matching',
  question:
    'Does a matching bring networks into one basin, or only half-way to one other? B and C are matched to A, each by itself; then the barrier between the permuted B and C, which nothing has looked at, is measured.',
  budget: { small: '8 minutes on 2 cores', large: '1 hour on a GPU' },
  points: (size) =>
    grid({ method: METHODS, repeat: REPEATS[size] }, ({ method, repeat }) => {
      const networks = independent<[TrainSpec, TrainSpec, TrainSpec]>(3, repeat, (seed) =>
        hiddenLayers(size, seed, { width: size === 'small' ? 32 : 512 }),
      );
      const match = { method, steps: size === 'small' ? 200 : 2000 };
      return { kind: 'trio', networks, match, points: POINTS[size], data: testOf(networks[0].data) };
    }),
  figures: () => [
    {
      title: 'Loss barrier between every two of three networks',
      x: { label: 'how B and C are matched to A' },
      y: { label: 'test loss barrier' },
      lines: PAIRS.map((pair) => ({
        name: pair.split('').join(' – '),
        over: 'method',
        quantity: { path: `${pair}|loss` },
      })),
    },
  ],
  claims: () => [
    {
      text: 'Straight-through matching leaves more of a barrier between B and C than between A and each.',
      source: 'Ito, Yamada and Kumagai 2024, section on three models',
      holds: [{ larger: gap('straight-through'), smaller: 0 }],
    },
    {
      text: 'That gap is larger than weight matching’s.',
      source: 'Ito, Yamada and Kumagai 2024, section on three models',
      holds: [{ larger: gap('straight-through'), smaller: gap('weight') }],
    },
  ],
};
