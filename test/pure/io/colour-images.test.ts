import { describe, expect, test } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { hashBytes } from '../../../src/base/hash.ts';
import { COLOUR_IMAGES_NORMALISATION, colourImages } from '../../../src/io/colour-images.ts';
import { COLOUR_SHAPES } from '../../../src/io/colour-shapes.ts';
import { type ImageDataset, validateDataset } from '../../../src/io/dataset.ts';

const PIXELS = 3 * 1024;
const train = colourImages({ count: 2000, seed: 1 });
const evaluation = colourImages({ count: 200, seed: 1, split: 'test' });

describe('colourImages', () => {
  test('is a valid data set of 32 x 32 colour images in ten classes, any ten in a row one of each', () => {
    validateDataset(train);
    expect(train).toMatchObject({ count: 2000, channels: 3, height: 32, width: 32, classes: 10 });
    for (let i = 0; i < train.count; i += 10) {
      expect(Array.from(train.labels.subarray(i, i + 10)).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  test('keeps its bytes from release to release and from engine to engine', () => {
    expect(hashBytes(train.images)).toBe('d27c8482dc0e78364adf42fbdecfa549f724a154a68fcd0e2a9785959d7490bd');
    expect(hashBytes(train.labels)).toBe('9b9b95d107c8810114c367f329632916d8510ba1e437a5f2641ab20f5ce5d65b');
    expect(hashBytes(evaluation.images)).toBe(
      'f10ba339115ae37c78aee8b200f61f463f1b157f744528d0f531c51fb71430a8',
    );
  });

  test('a smaller set is the start of a larger one, also where the count is no multiple of ten', () => {
    const small = colourImages({ count: 37, seed: 1 });
    expect(small.images).toEqual(train.images.slice(0, 37 * PIXELS));
    expect(small.labels).toEqual(train.labels.slice(0, 37));
  });

  test('no image is twice in a set, in the other split or under another seed', () => {
    const seen = new Set<string>();
    const sets: ImageDataset[] = [train, evaluation, colourImages({ count: 300, seed: 2 })];
    for (const { images, count } of sets) {
      for (let i = 0; i < count; i++) seen.add(hashBytes(images.subarray(i * PIXELS, (i + 1) * PIXELS)));
    }
    expect(seen.size).toBe(2500);
  });

  test('colours do not tell the class: the mean colour of an image is nearest to that of its class no more than by chance', () => {
    const means = (set: ImageDataset) =>
      Array.from({ length: set.count }, (_, i) =>
        [0, 1, 2].map((c) => {
          const plane = set.images.subarray((3 * i + c) * 1024, (3 * i + c + 1) * 1024);
          return plane.reduce((sum, pixel) => sum + pixel, 0) / 1024;
        }),
      );
    const centres = COLOUR_SHAPES.map(() => [0, 0, 0]);
    means(train).forEach((mean, i) => {
      for (const c of [0, 1, 2]) centres[train.labels[i]!]![c]! += mean[c]! / 200;
    });
    const distance = (a: number[], b: number[]) => a.reduce((sum, value, c) => sum + (value - b[c]!) ** 2, 0);
    const right = means(evaluation).filter((mean, i) => {
      const distances = centres.map((centre) => distance(mean, centre));
      return distances.indexOf(Math.min(...distances)) === evaluation.labels[i];
    });
    expect(right.length / evaluation.count).toBeLessThan(0.25);
  });

  test('every shape lies inside its frame, covers a fair part of it, and differs from the others', () => {
    const side = 64;
    const masks = COLOUR_SHAPES.map(({ distance, second }) =>
      Array.from({ length: side * side }, (_, i) => {
        const [x, y] = [((i % side) + 0.5) / 16 - 2, (Math.floor(i / side) + 0.5) / 16 - 2];
        if (distance(x, y) > 0) return 0;
        return second?.(x, y) ? 2 : 1;
      }),
    );
    masks.forEach((mask, label) => {
      const covered = mask.filter((ink) => ink > 0).length / 256; // of a square of side 1
      expect(covered, COLOUR_SHAPES[label]!.name).toBeGreaterThan(0.7);
      expect(covered, COLOUR_SHAPES[label]!.name).toBeLessThan(3);
      const outside = mask.filter((ink, i) => {
        const [x, y] = [((i % side) + 0.5) / 16 - 2, (Math.floor(i / side) + 0.5) / 16 - 2];
        return ink > 0 && x * x + y * y > 1.3 * 1.3;
      });
      expect(outside, COLOUR_SHAPES[label]!.name).toEqual([]);
      for (const other of masks.slice(0, label)) {
        expect(mask.filter((ink, i) => ink !== other[i]).length / 256).toBeGreaterThan(0.3);
      }
    });
  });

  test('the stated mean and deviation are those of the images', () => {
    for (const c of [0, 1, 2]) {
      const pixels: number[] = [];
      for (let i = 0; i < train.count; i++)
        pixels.push(...train.images.subarray((3 * i + c) * 1024, (3 * i + c + 1) * 1024));
      const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length / 255;
      const square = pixels.reduce((sum, pixel) => sum + (pixel / 255 - mean) ** 2, 0) / pixels.length;
      expect(Math.abs(mean - COLOUR_IMAGES_NORMALISATION.mean[c]!)).toBeLessThan(0.01);
      expect(Math.abs(Math.sqrt(square) - COLOUR_IMAGES_NORMALISATION.std[c]!)).toBeLessThan(0.01);
    }
  });

  test('refuses counts, seeds and splits that make no sense', () => {
    for (const count of [0, -1, 1.5, NaN])
      expect(() => colourImages({ count, seed: 1 })).toThrow(OptionError);
    expect(() => colourImages({ count: 1, seed: -1 })).toThrow(OptionError);
    expect(() => colourImages({ count: 1, seed: 1, split: 'dev' as 'test' })).toThrow(/got "dev"/);
  });
});
