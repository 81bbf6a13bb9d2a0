import type { Recipe } from '../../nn/train/recipe.ts';
import { grid, type Point, type Study, type StudySize } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { ACCURACY_BARRIER, POINTS, pairJob } from './pairs.ts';

const RATES = { small: [0.01, 0.03, 0.1], large: [0.01, 0.03, 0.1, 0.3] } as const;
const DECAYS = { small: [0, 1e-3, 5e-3], large: [0, 1e-4, 5e-4, 1e-3] } as const;
const INITIALISERS = ['pytorch', 'kaiming', 'lecun'] as const;

const SGD: Partial<Recipe> = { optimizer: 'sgd', learningRate: 0.03, weightDecay: 0 };

/** Pairs with matched weights whose recipe differs in one choice. */
function varied<K extends 'learningRate' | 'weightDecay' | 'initialiser'>(
  size: StudySize,
  choice: K,
  values: readonly Recipe[K][],
): Point[] {
  return grid(
    { [choice]: values, repeat: REPEATS[size] } as Record<string, readonly (number | string)[]>,
    (at) =>
      pairJob(
        at.repeat as number,
        (seed) => hiddenLayers(size, seed, { recipe: { ...SGD, [choice]: at[choice] } }),
        { method: 'weight' },
        { points: POINTS[size] },
      ),
  );
}

const panels = (factor: string, label: string, isLogarithmic: boolean) =>
  [
    {
      title: 'Accuracy barrier',
      y: { label: 'test accuracy barrier', isPercentage: true },
      path: ACCURACY_BARRIER,
    },
    {
      title: 'Variance left half-way, last hidden layer',
      y: { label: 'variance ratio', isPercentage: true },
      path: 'collapse|varianceRatio',
    },
  ].map(({ title, y, path }) => ({
    ...{ title, y, x: { label, isLogarithmic } },
    lines: [{ name: 'weights matched', over: factor, quantity: { path } }],
  }));

/** Qu and Horvath: whether matching works depends on how the networks were trained. */
export const recipe: Study = {
  name: 'recipe',
  title: 'Barrier against learning rate, weight decay and initialisation',
  question:
    'How much does the recipe decide whether matching works? Pairs of MLPs are trained by SGD with one choice varied at a time; weights are matched; the collapse of activations half-way stands beside the barrier.',
  budget: { small: '6 minutes on 2 cores', large: '2 hours on a GPU' },
  points: (size) => [
    ...varied(size, 'learningRate', RATES[size]),
    ...varied(size, 'weightDecay', DECAYS[size]),
    ...varied(size, 'initialiser', INITIALISERS),
  ],
  figures: () => [
    ...panels('learningRate', 'learning rate', true),
    ...panels('weightDecay', 'weight decay', false),
    ...panels('initialiser', 'initialisation', false),
  ],
  claims: (size) => {
    const [rates, decays] = [RATES[size], DECAYS[size]];
    const barrier = (at: Record<string, number>) => ({ path: ACCURACY_BARRIER, at });
    const variance = (at: Record<string, number>) => ({ path: 'collapse|varianceRatio', at });
    return [
      {
        text: 'A larger learning rate lowers the accuracy barrier after matching.',
        source: 'Qu and Horvath 2024, Rethinking Re-Basin (learning rate); S. Fort, dissect-git-re-basin',
        holds: [
          {
            larger: barrier({ learningRate: rates[0]! }),
            smaller: barrier({ learningRate: rates[rates.length - 1]! }),
          },
        ],
      },
      {
        text: 'A larger learning rate leaves more of the variance half-way.',
        source: 'Qu and Horvath 2024, Rethinking Re-Basin (activation collapse)',
        holds: [
          {
            larger: variance({ learningRate: rates[rates.length - 1]! }),
            smaller: variance({ learningRate: rates[0]! }),
          },
        ],
      },
      {
        text: 'More weight decay lowers the accuracy barrier after matching.',
        source: 'Qu and Horvath 2024, Rethinking Re-Basin (weight decay)',
        holds: [
          {
            larger: barrier({ weightDecay: decays[0]! }),
            smaller: barrier({ weightDecay: decays[decays.length - 1]! }),
          },
        ],
      },
    ];
  },
};
