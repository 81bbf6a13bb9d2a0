import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError, FormatError } from '../../../src/base/errors.ts';
import { parseCifar10, parseCifar100 } from '../../../src/io/cifar.ts';
import { parseIdx } from '../../../src/io/idx.ts';

describe('parseIdx', () => {
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 10, 11, 12, 13, 14, 15);

  test('reads shape and values of images and labels', () => {
    expect(parseIdx(images, 3)).toEqual({ shape: [1, 2, 3], data: Uint8Array.of(10, 11, 12, 13, 14, 15) });
    expect(parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9), 1).data).toEqual(Uint8Array.of(7, 9));
  });

  test('sizes are unsigned and big-endian', () => {
    const header = Uint8Array.of(0, 0, 8, 1, 0xff, 0, 0, 1);
    expect(() => parseIdx(header, 1)).toThrow(/expected 4278190081 values/);
  });

  test.each([
    ['an empty file', new Uint8Array(0), /got an empty file/],
    ['labels where images are wanted', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0), /0 0 8 3.*got 0 0 8 1/],
    ['another element type', Uint8Array.from(images, (byte, i) => (i === 2 ? 13 : byte)), /got 0 0 13 3/],
    ['a cut header', images.subarray(0, 15), /header of 16 bytes, got 15/],
    ['cut values', images.subarray(0, 21), /expected 6 values for shape \[1,2,3\], got 5.*cut short/],
    ['values too many', Uint8Array.from([...images, 1]), /got 7.*Bytes follow/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 3, 'train-images')).toThrow(FormatError);
    expect(() => parseIdx(bytes, 3, 'train-images')).toThrow(message);
    expect(() => parseIdx(bytes, 3, 'train-images')).toThrow(/^parseIdx: train-images: /);
  });

  test('arbitrary bytes end in a FormatError or as many values as the shape says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (tail, axes) => {
        const bytes = Uint8Array.from([
          0,
          0,
          8,
          axes,
          ...tail.map((byte, i) => (i % 4 === 3 ? byte % 4 : 0)),
        ]);
        try {
          const { shape, data } = parseIdx(bytes, axes);
          expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parseCifar10', () => {
  const records = Uint8Array.from({ length: 2 * 3073 }, (_, i) => (i % 3073 === 0 ? 3 + i / 3073 : i % 251));

  test('splits records into labels and planes', () => {
    const dataset = parseCifar10(records, 'batch');
    expect(dataset).toMatchObject({
      name: 'batch',
      count: 2,
      channels: 3,
      height: 32,
      width: 32,
      classes: 10,
    });
    expect(Array.from(dataset.labels)).toEqual([3, 4]);
    expect(dataset.images[0]).toBe(1);
    expect(dataset.images[3072]).toBe(3074 % 251);
    expect(dataset.images.length).toBe(2 * 3072);
  });

  test('refuses incomplete records, empty files and labels above 9, naming the record', () => {
    expect(() => parseCifar10(records.subarray(1), 'batch')).toThrow(
      /batch: expected records of 3073 bytes, got 6145/,
    );
    expect(() => parseCifar10(new Uint8Array(0))).toThrow(FormatError);
    const bad = Uint8Array.from(records, (byte, i) => (i === 3073 ? 10 : byte));
    expect(() => parseCifar10(bad, 'batch')).toThrow(DataError);
    expect(() => parseCifar10(bad, 'batch')).toThrow(/batch: record 1: expected a label 0 .. 9, got 10/);
  });
});

describe('parseCifar100', () => {
  const records = Uint8Array.from({ length: 2 * 3074 }, (_, i) => {
    const at = i % 3074;
    return at === 0 ? 19 : at === 1 ? 98 + Math.floor(i / 3074) : at % 251;
  });

  test('splits records into coarse labels, fine labels and planes', () => {
    const fine = parseCifar100(records, 'train');
    expect(fine).toMatchObject({ name: 'train', count: 2, channels: 3, height: 32, width: 32, classes: 100 });
    expect(Array.from(fine.labels)).toEqual([98, 99]);
    expect([fine.images[0], fine.images[3071], fine.images[3072]]).toEqual([2, 3073 % 251, 2]);
    const coarse = parseCifar100(records, 'train', 'coarse');
    expect([coarse.classes, ...coarse.labels]).toEqual([20, 19, 19]);
  });

  test('refuses incomplete records and labels out of range, the one not taken as well', () => {
    expect(() => parseCifar100(records.subarray(1))).toThrow(/expected records of 3074 bytes, got 6147/);
    expect(() => parseCifar100(new Uint8Array(3073), 'x')).toThrow(/not CIFAR-10/);
    expect(() => parseCifar100(records.with(3075, 100))).toThrow(
      /record 1: expected a fine label 0 .. 99, got 100/,
    );
    expect(() => parseCifar100(records.with(0, 20))).toThrow(
      /record 0: expected a coarse label 0 .. 19, got 20/,
    );
    expect(() => parseCifar100(records.with(0, 20))).toThrow(DataError);
  });
});
