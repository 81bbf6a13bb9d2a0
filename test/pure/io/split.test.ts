import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { type ImageDataset, validateDataset } from '../../../src/io/dataset.ts';
import { biasedHalves, randomParts } from '../../../src/io/split.ts';

/** Images of one row of three bytes: the image's number in two of them, and its label. */
function dataset(labels: readonly number[], classes: number): ImageDataset {
  const images = Uint8Array.from(labels.flatMap((label, i) => [i % 256, Math.floor(i / 256), label]));
  const sizes = { count: labels.length, channels: 1, height: 1, width: 3, classes };
  return { name: 'set', ...sizes, images, labels: Uint8Array.from(labels) };
}

const balanced = (count: number, classes: number) =>
  dataset(
    Array.from({ length: count }, (_, i) => i % classes),
    classes,
  );

/** Numbers of the images of a part, after checking that each has its own label. */
function numbersOf(part: ImageDataset): number[] {
  validateDataset(part);
  return Array.from(part.labels, (label, i) => {
    const [low, high, own] = part.images.subarray(3 * i, 3 * i + 3);
    expect(label).toBe(own);
    return low! + 256 * high!;
  });
}

function expectPartition(parts: readonly ImageDataset[], count: number) {
  const numbers = parts.flatMap(numbersOf).sort((x, y) => x - y);
  expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
}

const labelled = fc.integer({ min: 2, max: 7 }).chain((classes) =>
  fc
    .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: 1, maxLength: 60 })
    .map((labels) => [0, classes - 1, ...labels])
    .map((labels) => dataset(labels, classes)),
);

describe('biasedHalves', () => {
  test('every image is in exactly one half; one fifth of a kind in one, four fifths in the other', () => {
    fc.assert(
      fc.property(labelled, fc.nat(1000), (set, seed) => {
        const halves = biasedHalves(set, seed);
        expectPartition(halves, set.count);
        const lows = halves.map(({ labels }) => labels.filter((label) => label < set.classes / 2).length);
        const highs = halves.map(({ count }, half) => count - lows[half]!);
        expect(lows[0]).toBe(Math.floor((lows[0]! + lows[1]!) / 5));
        expect(highs[1]).toBe(Math.floor((highs[0]! + highs[1]!) / 5));
      }),
    );
  });

  test('splits 1000 images of 10 classes into 500 and 500, of 5 classes with three low ones into 440 and 560', () => {
    const perClass = ({ labels, classes }: ImageDataset) =>
      Array.from({ length: classes }, (_, c) => labels.filter((label) => label === c).length);
    const [first, second] = biasedHalves(balanced(1000, 10), 0);
    expect([first.count, second.count]).toEqual([500, 500]);
    const low = perClass(first).slice(0, 5);
    expect(low.reduce((sum, n) => sum + n, 0)).toBe(100);
    // Drawn at random: of 100 images of each class about 20 and 80, six standard deviations of 4 apart at least.
    expect(Math.max(...low)).toBeLessThan(44);
    expect(Math.min(...perClass(first).slice(5))).toBeGreaterThan(56);
    expect(biasedHalves(balanced(1000, 5), 0).map(({ count }) => count)).toEqual([440, 560]);
  });

  test('is fixed by the seed, and shuffles kinds among each other', () => {
    const set = balanced(300, 10);
    const numbers = (seed: number) => biasedHalves(set, seed).map(numbersOf);
    expect(numbers(1)).toEqual(numbers(1));
    expect(numbers(1)[0]!.toSorted()).not.toEqual(numbers(2)[0]!.toSorted());
    // The first third of a half has both kinds in it: a limit would not take away one of them.
    const [first] = biasedHalves(set, 1);
    const kinds = new Set(Array.from(first.labels.subarray(0, 50), (label) => label < 5));
    expect(kinds.size).toBe(2);
  });

  test('names the halves, leaves the set alone, and refuses to make an empty one', () => {
    const set = balanced(20, 10);
    const copy = structuredClone(set);
    const [first, second] = biasedHalves(set, 0);
    expect([first.name, second.name]).toEqual(['class-biased half 1 of set', 'class-biased half 2 of set']);
    first.images.fill(0);
    expect(set).toEqual(copy);
    expect(() => biasedHalves(dataset([0, 0], 2), 0)).toThrow(OptionError);
    expect(() => biasedHalves(dataset([0, 0], 2), 0)).toThrow('half 1 of set would be empty: 2 images');
    expect(() => biasedHalves(set, -1)).toThrow(OptionError);
  });
});

describe('randomParts', () => {
  test('every image is in exactly one part, and sizes differ by one at most', () => {
    fc.assert(
      fc.property(labelled, fc.integer({ min: 1, max: 9 }), fc.nat(1000), (set, parts, seed) => {
        fc.pre(parts <= set.count);
        const split = randomParts(set, parts, seed);
        expect(split).toHaveLength(parts);
        expectPartition(split, set.count);
        const counts = split.map(({ count }) => count);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('is fixed by the seed', () => {
    const set = balanced(100, 10);
    const first = (seed: number) => numbersOf(randomParts(set, 2, seed)[0]!);
    expect(first(1)).toEqual(first(1));
    expect(first(1).toSorted()).not.toEqual(first(2).toSorted());
    expect(randomParts(set, 4, 0)[2]!.name).toBe('random part 3/4 of set');
  });

  test('refuses more parts than images, and none', () => {
    for (const parts of [0, 4, 1.5]) expect(() => randomParts(balanced(3, 2), parts, 0)).toThrow(OptionError);
  });
});
