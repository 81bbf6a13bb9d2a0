import { grid, type Study } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { LOSS_BARRIER, linesByMatching, MATCHINGS, POINTS, pairJob } from './pairs.ts';

const EPOCHS = { small: [1, 3, 10, 30], large: [1, 5, 25, 100] } as const;

/** Git Re-Basin: one basin is something that training makes, not something that initialisation has. */
export const trainingTime: Study = {
  name: 'training-time',
  title: 'Barrier against training time',
  question:
    'Does linear mode connectivity come with training? Pairs of MLPs are trained for more and more epochs at a constant rate, then interpolated as trained and with weights matched.',
  budget: { small: '5 minutes on 2 cores', large: '1 hour on a GPU' },
  points: (size) =>
    grid(
      { epochs: EPOCHS[size], matching: MATCHINGS, repeat: REPEATS[size] },
      ({ epochs, matching, repeat }) =>
        pairJob(
          repeat,
          (seed) => hiddenLayers(size, seed, { recipe: { epochs, schedule: 'constant' } }),
          { method: matching },
          { points: POINTS[size] },
        ),
    ),
  figures: () => [
    {
      title: 'Loss barrier',
      x: { label: 'epochs of training', isLogarithmic: true },
      y: { label: 'test loss barrier' },
      lines: linesByMatching('epochs', LOSS_BARRIER),
    },
    {
      title: 'What matching leaves of the distance',
      x: { label: 'epochs of training', isLogarithmic: true },
      y: { label: 'reduction of the L2 distance', isPercentage: true },
      lines: [
        {
          name: 'weights matched',
          over: 'epochs',
          quantity: { path: 'distance|reduction', at: { matching: 'weight' } },
        },
      ],
    },
  ],
  claims: (size) => {
    const epochs = EPOCHS[size];
    const [first, last] = [epochs[0]!, epochs[epochs.length - 1]!];
    const barrier = (matching: string, after: number) => ({
      path: LOSS_BARRIER,
      at: { matching, epochs: after },
    });
    return [
      {
        text: 'Without matching the loss barrier grows with training.',
        source: 'Ainsworth et al. 2022, Git Re-Basin, section 5 (figure: barrier during training)',
        holds: [{ larger: barrier('none', last), smaller: barrier('none', first) }],
      },
      {
        text: 'With matched weights it falls in the course of training.',
        source: 'Ainsworth et al. 2022, Git Re-Basin, section 5 (figure: barrier during training)',
        holds: [{ larger: barrier('weight', first), smaller: barrier('weight', last) }],
      },
    ];
  },
};
