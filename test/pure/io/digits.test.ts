import { describe, expect, test } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { hashBytes } from '../../../src/base/hash.ts';
import { type ImageDataset, validateDataset } from '../../../src/io/dataset.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';

const PIXELS = 784;
const train = digits({ count: 2000, seed: 1 });
const evaluation = digits({ count: 300, seed: 1, split: 'test' });

/** Share of the images of `queries` whose nearest image in `known` (squared distance of pixels) has their label. */
function nearestNeighbourAccuracy(known: ImageDataset, labels: Uint8Array, queries: ImageDataset): number {
  let right = 0;
  for (let q = 0; q < queries.count; q++) {
    let best = Infinity;
    let label = -1;
    for (let k = 0; k < known.count; k++) {
      let distance = 0;
      for (let i = 0; i < PIXELS && distance < best; i++) {
        const difference = known.images[k * PIXELS + i]! - queries.images[q * PIXELS + i]!;
        distance += difference * difference;
      }
      if (distance < best) [best, label] = [distance, labels[k]!];
    }
    if (label === queries.labels[q]) right++;
  }
  return right / queries.count;
}

describe('digits', () => {
  test('is a valid data set of 28 x 28 grey images in ten classes, any ten in a row one of each', () => {
    validateDataset(train);
    expect(train).toMatchObject({ count: 2000, channels: 1, height: 28, width: 28, classes: 10 });
    const orders = new Set<string>();
    for (let i = 0; i < train.count; i += 10) {
      const ten = Array.from(train.labels.subarray(i, i + 10));
      expect([...ten].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      orders.add(ten.join(''));
    }
    expect(orders.size).toBeGreaterThan(195);
  });

  test('keeps its bytes from release to release and from engine to engine', () => {
    expect(hashBytes(train.images)).toBe('847c34a7991e6e8e5740d1a226fc38fd720c051b25bfe578075b672dde0791b8');
    expect(hashBytes(train.labels)).toBe('05828a9dd3c29dde5ea302b06bbbd5d52b070ea37681a59e4ecad96728e7a7d9');
    expect(hashBytes(evaluation.images)).toBe(
      'cdd59eef77e74272f2e21a8f73ca82246d1e092d26acdb44aac34497fde17704',
    );
  });

  test('a smaller set is the start of a larger one, also where the count is no multiple of ten', () => {
    const small = digits({ count: 37, seed: 1 });
    expect(small.images).toEqual(train.images.slice(0, 37 * PIXELS));
    expect(small.labels).toEqual(train.labels.slice(0, 37));
  });

  test('no image is twice in a set, in the other split or under another seed', () => {
    const other = digits({ count: 500, seed: 2 });
    const seen = new Set<string>();
    for (const { images, count } of [train, evaluation, other]) {
      for (let i = 0; i < count; i++) seen.add(hashBytes(images.subarray(i * PIXELS, (i + 1) * PIXELS)));
    }
    expect(seen.size).toBe(train.count + evaluation.count + other.count);
  });

  test('the images show their labels, but not so plainly that comparing pixels is enough', () => {
    const accuracy = nearestNeighbourAccuracy(train, train.labels, evaluation);
    expect(accuracy).toBeGreaterThan(0.75);
    expect(accuracy).toBeLessThan(0.97);
    const shifted = train.labels.map((label) => (label + 1) % 10);
    expect(nearestNeighbourAccuracy(train, shifted, evaluation)).toBeLessThan(0.1);
  });

  test('every digit is inside its image: the outermost pixels hold noise alone', () => {
    let bright = 0;
    for (let i = 0; i < train.count; i++) {
      const image = train.images.subarray(i * PIXELS, (i + 1) * PIXELS);
      for (let k = 0; k < 28; k++) {
        for (const pixel of [image[k]!, image[756 + k]!, image[28 * k]!, image[28 * k + 27]!]) {
          if (pixel > 60) bright++;
        }
      }
    }
    expect(bright / (train.count * 112)).toBeLessThan(0.003);
    expect(train.images.some((pixel) => pixel === 255)).toBe(true);
  });

  test('the stated mean and deviation are those of the images', () => {
    const values = Float64Array.from(train.images, (pixel) => pixel / 255);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - DIGITS_NORMALISATION.mean[0])).toBeLessThan(0.003);
    expect(Math.abs(Math.sqrt(variance) - DIGITS_NORMALISATION.std[0])).toBeLessThan(0.003);
  });

  test('refuses counts, seeds and splits that make no sense', () => {
    for (const count of [0, -1, 1.5, NaN]) expect(() => digits({ count, seed: 1 })).toThrow(OptionError);
    expect(() => digits({ count: 1, seed: -1 })).toThrow(OptionError);
    expect(() => digits({ count: 1, seed: 1, split: 'dev' as 'test' })).toThrow(/got "dev"/);
  });
});
