/** Disjoint parts of a data set, for networks that are trained on different images and merged afterwards. */
import { OptionError } from '../base/errors.ts';
import { RandomStream } from '../base/random.ts';
import type { ImageDataset } from './dataset.ts';

/**
 * Two class-biased halves (Ainsworth, Hayase and Srinivasa 2022, "Git Re-Basin"; ALGORITHMS 2.6). The images are shuffled;
 * classes below half of all are low, the others high. The first half has the first fifth of the low and the last four fifths of the
 * high ones, the second half the rest. Where both kinds are equally many, so are the halves.
 * @returns the halves, each in the shuffled order, with images and labels of their own.
 * @throws OptionError for a bad seed, or when a half would be empty.
 */
export function biasedHalves(
  dataset: ImageDataset,
  seed: number,
): readonly [first: ImageDataset, second: ImageDataset] {
  const shuffled = new RandomStream(seed, 'biased halves').permutation(dataset.count);
  const isLow = (image: number) => 2 * dataset.labels[image]! < dataset.classes;
  const lows = shuffled.filter(isLow).length;
  const [firstLows, firstHighs] = [Math.floor(lows / 5), Math.floor((dataset.count - lows) / 5)];
  const halves: [number[], number[]] = [[], []];
  let [low, high] = [0, 0];
  for (const image of shuffled) {
    const inFirst = isLow(image) ? low++ < firstLows : high++ >= firstHighs;
    halves[inFirst ? 0 : 1].push(image);
  }
  const select = (half: 0 | 1) =>
    selectImages(dataset, halves[half], `class-biased half ${half + 1} of ${dataset.name}`);
  return [select(0), select(1)];
}

/**
 * Random parts, as equal in size as can be.
 * @param parts how many, at least 1.
 * @returns the parts, each in a random order, with images and labels of their own.
 * @throws OptionError for a bad seed, or when a part would be empty.
 */
export function randomParts(dataset: ImageDataset, parts: number, seed: number): ImageDataset[] {
  if (!Number.isSafeInteger(parts) || parts < 1 || parts > dataset.count) {
    throw new OptionError(
      `randomParts: expected 1 to ${dataset.count} parts, the images of ${dataset.name}, got ${parts}.`,
    );
  }
  const shuffled = new RandomStream(seed, 'random parts').permutation(dataset.count);
  const start = (part: number) => Math.floor((part * dataset.count) / parts);
  return Array.from({ length: parts }, (_, part) =>
    selectImages(
      dataset,
      shuffled.subarray(start(part), start(part + 1)),
      `random part ${part + 1}/${parts} of ${dataset.name}`,
    ),
  );
}

function selectImages(dataset: ImageDataset, chosen: ArrayLike<number>, name: string): ImageDataset {
  const count = chosen.length;
  if (count === 0) {
    throw new OptionError(`${name} would be empty: ${dataset.count} images are too few to split.`);
  }
  const size = dataset.channels * dataset.height * dataset.width;
  const images = new Uint8Array(count * size);
  const labels = new Uint8Array(count);
  for (let to = 0; to < count; to++) {
    const from = chosen[to]!;
    images.set(dataset.images.subarray(from * size, (from + 1) * size), to * size);
    labels[to] = dataset.labels[from]!;
  }
  return { ...dataset, name, count, images, labels };
}
