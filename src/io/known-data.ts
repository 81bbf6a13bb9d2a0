/** Data sets that need no file, and how the field normalises images. */
import { COLOUR_IMAGES_NORMALISATION, colourImages } from './colour-images.ts';
import { DIGITS_NORMALISATION, digits } from './digits.ts';

interface BuiltIn {
  readonly make: typeof digits;
  readonly normalisation: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Built-in data sets by name, each as many images as one asks for: `digits`, 28 x 28 grey; `colours`, 32 x 32 in colour. */
export const BUILT_IN_DATA: Readonly<Record<string, BuiltIn>> = {
  digits: { make: digits, normalisation: DIGITS_NORMALISATION },
  colours: { make: colourImages, normalisation: COLOUR_IMAGES_NORMALISATION },
};

/** What the field divides by: MNIST's (one channel) and CIFAR-10's own statistics, of pixels / 255. */
export function customaryNormalisation(channels: number): BuiltIn['normalisation'] {
  if (channels !== 3) return { mean: [0.1307], std: [0.3081] };
  return { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };
}
