/** In place of the library of studies (`src/studies/library/index.ts`): one that takes seconds. */
import { DEFAULT_RECIPE } from '../../src/nn/train/recipe.ts';
import type { TrainSpec } from '../../src/studies/job-spec.ts';
import { grid, independent, type Study, testOf } from '../../src/studies/study.ts';

const data = { name: 'digits', train: 200, test: 100 };

/** Four networks 784-8-10 and four measurements. */
const tiny: Study = {
  name: 'tiny',
  title: 'A study of nothing much',
  question: 'Does it run?',
  budget: { small: 'seconds', large: 'seconds' },
  points: () =>
    grid({ matching: ['none', 'weight'] as const, repeat: [0, 1] }, ({ matching, repeat }) => ({
      kind: 'pair',
      networks: independent<[TrainSpec, TrainSpec]>(2, repeat, (seed) => ({
        ...{ kind: 'train', model: 'mlp:784-8-10', data, seed },
        recipe: { ...DEFAULT_RECIPE, epochs: 3, batchSize: 50 },
      })),
      match: { method: matching },
      ...{ renormalisations: ['none'], points: 3, data: testOf(data) },
    })),
  figures: () => [
    {
      title: 'Distance',
      x: { label: 'matching' },
      y: { label: 'L2 distance' },
      lines: [{ name: 'distance', over: 'matching', quantity: { path: 'distance|after' } }],
    },
  ],
  claims: () => [
    {
      text: 'Matching brings networks closer.',
      source: 'what matching is',
      holds: [
        {
          larger: { path: 'distance|after', at: { matching: 'none' } },
          smaller: { path: 'distance|after', at: { matching: 'weight' } },
        },
      ],
    },
  ],
};

export const STUDIES: readonly Study[] = [tiny];
