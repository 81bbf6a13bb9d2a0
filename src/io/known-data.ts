/** Data sets that need no file, and how the field normalises images. */
import { COLOUR_IMAGES_NORMALISATION, colourImages } from './colour-images.ts';
import type { ImageDataset } from './dataset.ts';
import { DIGITS_NORMALISATION, digits } from './digits.ts';

/** Images that need no files. */
export interface BuiltIn {
  /** Draws them. */
  readonly make: typeof digits;
  /** That goes with them. */
  readonly normalisation: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Built-in data sets by name, each as many images as one asks for: `digits`, 28 x 28 grey; `colours`, 32 x 32 in colour. */
export const BUILT_IN_DATA: Readonly<Record<string, BuiltIn>> = {
  digits: { make: digits, normalisation: DIGITS_NORMALISATION },
  colours: { make: colourImages, normalisation: COLOUR_IMAGES_NORMALISATION },
};

/** Images of a built-in data set where the user says no number: as many as a minute of training takes, and enough to test on. */
const USUAL = { train: 10000, test: 2000 } as const;

/** Training and test images of a built-in data set. @param limit of each, at most. */
export function builtInImages(
  { make }: BuiltIn,
  limit = Number.POSITIVE_INFINITY,
): Readonly<Record<'train' | 'test', ImageDataset>> {
  const part = (split: 'train' | 'test') => make({ count: Math.min(limit, USUAL[split]), seed: 0, split });
  return { train: part('train'), test: part('test') };
}

/** What the field divides by: MNIST's (one channel) and CIFAR-10's own statistics, of pixels / 255. */
export function customaryNormalisation(channels: number): BuiltIn['normalisation'] {
  if (channels !== 3) return { mean: [0.1307], std: [0.3081] };
  return { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
}
