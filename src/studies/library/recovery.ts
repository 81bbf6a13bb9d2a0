import type { TrainSpec } from '../job-spec.ts';
import { grid, independent, type Study, type StudySize } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';

const STARTS = ['none', 'weight', 'activation', 'scratch'] as const;
const EPOCHS: Readonly<Record<StudySize, number>> = { small: 10, large: 3 };

const steps = (from: (typeof STARTS)[number]) => ({ path: 'steps', at: { from } });

/** How near a merge is to a trained network, in steps. */
export const recovery: Study = {
  name: 'recovery',
  title: 'Distance to recovery',
  question:
    'How many steps of training does a merge need to be good again? Training goes on from the mean of two networks, as trained and matched, and from new random values; counted are the steps of SGD until 95 % of the training images are right.',
  budget: { small: '3 minutes on 2 cores', large: '20 minutes on a GPU' },
  points: (size) =>
    grid({ from: STARTS, repeat: REPEATS[size] }, ({ from, repeat }) => {
      const networks = independent<[TrainSpec, TrainSpec]>(2, repeat, (seed) => hiddenLayers(size, seed));
      return {
        ...{ kind: 'recovery', networks, accuracy: 0.95, everySteps: 5, seed: 1000 + repeat },
        from: from === 'scratch' ? 'scratch' : { method: from },
        recipe: {
          ...networks[0].recipe,
          ...{ optimizer: 'sgd', learningRate: 0.01, weightDecay: 1e-4, schedule: 'constant' },
          epochs: EPOCHS[size],
        },
      };
    }),
  figures: () => [
    {
      title: 'Steps until 95 % of the training images are right',
      x: { label: 'where training starts' },
      y: { label: 'steps' },
      lines: [{ name: 'steps', over: 'from', quantity: { path: 'steps' } }],
    },
  ],
  claims: () => [
    {
      text: 'From the matched mean it takes fewer steps than from the mean as trained.',
      source: 'Qu and Horvath 2024, Rethinking Re-Basin (distance to recovery)',
      holds: [
        { larger: steps('none'), smaller: steps('weight') },
        { larger: steps('none'), smaller: steps('activation') },
      ],
    },
    {
      text: 'Even the mean as trained is nearer than new random values.',
      source: 'Qu and Horvath 2024, Rethinking Re-Basin (distance to recovery)',
      holds: [{ larger: steps('scratch'), smaller: steps('none') }],
    },
  ],
};
