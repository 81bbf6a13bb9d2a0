import { grid, type Study } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { MATCHINGS, POINTS, pairJob } from './pairs.ts';

const MATCHED = { matching: 'weight' };

/** Git Re-Basin section 5.4, with the calibration that makes losses comparable. */
export const splitData: Study = {
  name: 'split-data',
  title: 'Merging networks of different data',
  question:
    'Is the merge of two networks better than either, when each has seen a class-biased half of the data? Networks are trained on the two halves, matched by weight and averaged; losses also at the best softmax temperature, beside the ensemble of both.',
  budget: { small: '3 minutes on 2 cores', large: '20 minutes on a GPU' },
  points: (size) =>
    grid({ matching: MATCHINGS, repeat: REPEATS[size] }, ({ matching, repeat }) =>
      pairJob(
        repeat,
        (seed, index) => hiddenLayers(size, seed, { half: index === 0 ? 1 : 2 }),
        { method: matching },
        { calibrate: true, points: POINTS[size], renormalisations: ['none', 'repair'] },
      ),
    ),
  figures: () => [
    {
      title: 'Test loss half-way',
      x: { label: 'matching' },
      y: { label: 'test loss' },
      lines: [
        { name: 'merged', over: 'matching', quantity: { path: 'none|midpoint|loss' } },
        { name: 'merged, calibrated', over: 'matching', quantity: { path: 'none|calibrated|loss' } },
        { name: 'merged, REPAIR', over: 'matching', quantity: { path: 'repair|midpoint|loss' } },
        { name: 'ensemble', over: 'matching', quantity: { path: 'none|ensemble|loss' } },
        { name: 'better end', over: 'matching', quantity: { path: 'none|bestEnd' } },
      ],
    },
  ],
  claims: () => [
    {
      text: 'The matched merge has a lower test loss than either network.',
      source: 'Ainsworth et al. 2022, Git Re-Basin, section 5.4 (split data)',
      holds: [
        {
          larger: { path: 'none|bestEnd', at: MATCHED },
          smaller: { path: 'none|midpoint|loss', at: MATCHED },
        },
      ],
    },
    {
      text: 'The ensemble of both networks has a lower test loss than the matched merge.',
      source: 'Ainsworth et al. 2022, section 5.4; K. Jordan, re-run of split-data merging',
      holds: [
        {
          larger: { path: 'none|midpoint|loss', at: MATCHED },
          smaller: { path: 'none|ensemble|loss', at: MATCHED },
        },
      ],
    },
  ],
};
