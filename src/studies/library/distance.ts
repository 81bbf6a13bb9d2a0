import { grid, type Study } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { LOSS_BARRIER, MATCHINGS, POINTS, pairJob } from './pairs.ts';

/** Ito et al.: matched networks are connected, but they are not close. */
export const distance: Study = {
  name: 'distance',
  title: 'Distance against barrier',
  question:
    'Does matching work because it brings networks close? The L2 distance before and after matching stands beside the barrier, and beside the barrier that a second-order expansion around both networks predicts.',
  budget: { small: '3 minutes on 2 cores', large: '30 minutes on a GPU' },
  points: (size) =>
    grid({ matching: MATCHINGS, repeat: REPEATS[size] }, ({ matching, repeat }) =>
      pairJob(
        repeat,
        (seed) => hiddenLayers(size, seed),
        { method: matching },
        {
          points: POINTS[size],
          taylor: true,
        },
      ),
    ),
  figures: () => [
    {
      title: 'L2 distance between the networks',
      x: { label: 'matching' },
      y: { label: 'L2 distance' },
      lines: [{ name: 'distance', over: 'matching', quantity: { path: 'distance|after' } }],
    },
    {
      title: 'Barrier, and what the expansion predicts',
      x: { label: 'matching' },
      y: { label: 'training loss barrier' },
      lines: [
        { name: 'measured', over: 'matching', quantity: { path: 'taylor|measured' } },
        { name: 'predicted', over: 'matching', quantity: { path: 'taylor|predicted' } },
      ],
    },
  ],
  claims: () => {
    const at = { matching: 'weight' };
    return [
      {
        text: 'Matching takes less than a third of the distance away.',
        source: 'Ito, Yamada and Kumagai 2024, section 3 (table of distances)',
        holds: [
          {
            larger: { path: 'distance|after', at },
            smaller: { path: 'distance|before', at },
            atLeastTimes: 2 / 3,
          },
        ],
      },
      {
        text: 'But more than half of the loss barrier.',
        source: 'Ito, Yamada and Kumagai 2024, section 3',
        holds: [
          {
            larger: { path: LOSS_BARRIER, at: { matching: 'none' } },
            smaller: { path: LOSS_BARRIER, at },
            atLeastTimes: 2,
          },
        ],
      },
      {
        text: 'A second-order expansion around both matched networks is off by at least a third of the barrier: they are not close.',
        source: 'Ito, Yamada and Kumagai 2024, section 3 (Taylor estimate)',
        holds: [{ larger: { path: 'taylor|error', at }, smaller: 1 / 3 }],
      },
    ];
  },
};
