import { describe, expect, test } from 'vitest';
import { DataError, OptionError, ShapeError } from '../../../src/base/errors.ts';
import { concatDatasets, type ImageDataset, limitDataset, validateDataset } from '../../../src/io/dataset.ts';

function dataset(labels: number[], change: Partial<ImageDataset> = {}): ImageDataset {
  const images = Uint8Array.from({ length: labels.length * 4 }, (_, i) => i);
  const count = labels.length;
  const sizes = { count, channels: 1, height: 2, width: 2, classes: 3 };
  return { name: 'set', ...sizes, images, labels: Uint8Array.from(labels), ...change };
}

describe('validateDataset', () => {
  test('passes a good set, and names index and value of a label out of range', () => {
    validateDataset(dataset([0, 1, 2]));
    expect(() => validateDataset(dataset([0, 1, 3, 4]))).toThrow(DataError);
    expect(() => validateDataset(dataset([0, 1, 3, 4]))).toThrow(
      /set: expected labels 0 \.\. 2, got 3 at index 2/,
    );
  });

  test('refuses lengths and sizes that do not agree', () => {
    expect(() => validateDataset(dataset([0], { images: new Uint8Array(3) }))).toThrow(
      /1 x 1 x 2 x 2 bytes of images, got 3/,
    );
    expect(() => validateDataset(dataset([0], { labels: new Uint8Array(2) }))).toThrow(
      /expected 1 labels.*got 2/,
    );
    expect(() => validateDataset(dataset([]))).toThrow(ShapeError);
    expect(() => validateDataset(dataset([0], { width: 1.5 }))).toThrow(/positive integer as width/);
  });
});

describe('limitDataset', () => {
  test('keeps the first images, and all when the limit is larger', () => {
    const three = dataset([2, 1, 0]);
    const two = limitDataset(three, 2);
    validateDataset(two);
    expect(Array.from(two.labels)).toEqual([2, 1]);
    expect(Array.from(two.images)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(limitDataset(three, 3)).toBe(three);
    expect(limitDataset(three, 99)).toBe(three);
    for (const limit of [0, -1, 1.5, NaN]) expect(() => limitDataset(three, limit)).toThrow(OptionError);
  });
});

describe('concatDatasets', () => {
  test('joins images and labels in order', () => {
    const all = concatDatasets([dataset([2]), dataset([1, 0], { name: 'other' })]);
    validateDataset(all);
    expect(all.name).toBe('set + other');
    expect(Array.from(all.labels)).toEqual([2, 1, 0]);
    expect(Array.from(all.images)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('refuses none, and parts of different sizes', () => {
    expect(() => concatDatasets([])).toThrow(OptionError);
    const flat = dataset([0], { name: 'flat', height: 1, width: 4 });
    expect(() => concatDatasets([dataset([0]), flat])).toThrow(
      /flat: expected 2 as height, as in set, got 1/,
    );
  });
});
