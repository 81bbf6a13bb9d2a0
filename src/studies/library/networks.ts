/** Networks that studies share: those of one recipe are trained once, whoever asks for them. */
import { DEFAULT_RECIPE, type Recipe } from '../../nn/train/recipe.ts';
import type { DataSpec, TrainSpec } from '../job-spec.ts';
import type { StudySize } from '../study.ts';

/** Built-in digits; MNIST. */
const IMAGES: Readonly<Record<StudySize, DataSpec>> = {
  small: { name: 'digits', train: 2000, test: 1000 },
  large: { name: 'mnist' },
};

/** A few epochs on few images; the recipe of Git Re-Basin for MNIST (ALGORITHMS 6.1, G1) with fewer epochs. */
const RECIPES: Readonly<Record<StudySize, Recipe>> = {
  small: { ...DEFAULT_RECIPE, epochs: 20, batchSize: 100 },
  large: { ...DEFAULT_RECIPE, epochs: 25, batchSize: 500 },
};

/** Hidden layers of an MLP of the study's size. */
const WIDTH: Readonly<Record<StudySize, number>> = { small: 128, large: 512 };

export interface NetworkChoice {
  readonly width?: number;
  readonly depth?: number;
  readonly recipe?: Partial<Recipe>;
  readonly half?: 1 | 2;
}

/** An MLP with hidden layers of equal width. Default: three of them, the study's recipe, all images. */
export function hiddenLayers(size: StudySize, seed: number, choice: NetworkChoice = {}): TrainSpec {
  const { width = WIDTH[size], depth = 3, recipe, half } = choice;
  return {
    kind: 'train',
    model: `mlp:${[784, ...new Array<number>(depth).fill(width), 10].join('-')}`,
    data: IMAGES[size],
    ...(half ? { half } : {}),
    recipe: { ...RECIPES[size], ...recipe },
    seed,
  };
}

/** Independent repetitions: three decide what is plain, five what is not. */
export const REPEATS: Readonly<Record<StudySize, readonly number[]>> = {
  small: [0, 1, 2],
  large: [0, 1, 2, 3, 4],
};
