import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { hashBytes } from '../../../src/base/hash.ts';
import { loadImageFolder, readBytes, writeBytes } from '../../../src/io/node-files.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rebasin-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function counts(labels: Uint8Array): number[] {
  const result = Array<number>(10).fill(0);
  for (const label of labels) result[label]!++;
  return result;
}

describe('writeBytes', () => {
  test('writes, replaces, and leaves no other file behind', async () => {
    const path = join(folder, 'a.bin');
    await writeBytes(path, Uint8Array.of(1, 2, 3));
    await writeBytes(path, Uint8Array.of(4));
    expect(Array.from(await readBytes(path))).toEqual([4]);
    expect(readdirSync(folder)).toEqual(['a.bin']);
  });

  test('a failure names the path, leaves the old content and no temporary file', async () => {
    await expect(writeBytes(join(folder, 'missing', 'a.bin'), Uint8Array.of(1))).rejects.toThrow(
      /missing.*ENOENT/,
    );
    // A folder cannot be replaced by a file: the temporary file was written and must go again.
    await expect(writeBytes(folder, Uint8Array.of(1))).rejects.toThrow(OptionError);
    expect(readdirSync(folder)).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`${basename(folder)}.`))).toEqual([]);
  });
});

describe('readBytes', () => {
  test('a missing file is an OptionError with its path', async () => {
    await expect(readBytes(join(folder, 'none.bin'))).rejects.toThrow(
      /none\.bin: expected a file that can be read/,
    );
  });
});

describe('loadImageFolder', () => {
  const batch = (...labels: number[]) =>
    Uint8Array.from(labels.flatMap((label) => [label, ...Array(3072).fill(0)]));

  test('uses the files it recognises, the named ones instead, and limits a part', async () => {
    writeFileSync(join(folder, 'data_batch_1.bin'), batch(1, 2, 3));
    writeFileSync(join(folder, 'data_batch_4.bin'), batch(4));
    writeFileSync(join(folder, 'test_batch.bin'), batch(5, 6));
    const all = await loadImageFolder(folder);
    expect([all.train, all.test].map(({ labels }) => Array.from(labels))).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(all.statistics).toBe(all.train);
    const named = await loadImageFolder(folder, {
      testFiles: ['data_batch_4.bin'],
      statisticsFiles: ['test_batch.bin'],
      limit: { train: 2, statistics: 1 },
    });
    expect([named.train, named.test, named.statistics].map(({ labels }) => Array.from(labels))).toEqual([
      [1, 2],
      [4],
      [5],
    ]);
    const limited = await loadImageFolder(folder, { limit: { statistics: 2 } });
    expect([limited.train.count, limited.statistics.count]).toEqual([4, 2]);
  });

  test('missing files and folders are OptionErrors that list what is there', async () => {
    writeFileSync(join(folder, 'data_batch_1.bin'), batch(1));
    writeFileSync(join(folder, 'notes.txt'), '');
    await expect(loadImageFolder(folder)).rejects.toThrow(
      /expected test images.*testFiles.*data_batch_1\.bin, notes\.txt/,
    );
    await expect(loadImageFolder(folder, { testFiles: ['none.bin'] })).rejects.toThrow(
      /"none\.bin".*ENOENT.*data_batch_1\.bin, notes\.txt/,
    );
    await expect(loadImageFolder(join(folder, 'none'))).rejects.toThrow(OptionError);
    await expect(loadImageFolder(join(folder, 'none'))).rejects.toThrow(/none: expected a folder/);
  });

  const mnist = '../shared/data/mnist';
  test.skipIf(!existsSync(mnist))(`reads MNIST from ${mnist} (skipped where it is not)`, async () => {
    const { train, test: evaluation } = await loadImageFolder(mnist);
    expect(train).toMatchObject({ count: 60000, channels: 1, height: 28, width: 28, classes: 10 });
    expect(counts(train.labels)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(counts(evaluation.labels)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect(Array.from(train.labels.subarray(0, 8))).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    // The first pixels of the first image that are not black.
    expect(Array.from(train.images.subarray(152, 164))).toEqual([
      3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127,
    ]);
    const mean = train.images.reduce((sum, pixel) => sum + pixel, 0) / train.images.length / 255;
    expect(mean).toBeCloseTo(0.1307, 4);
  });

  const cifar = '../shared/data/cifar-10';
  test.skipIf(!existsSync(cifar))(`reads CIFAR-10 from ${cifar} (skipped where it is not)`, async () => {
    const parts = await loadImageFolder(cifar, {
      statisticsFiles: ['data_batch_2.bin.gz'],
      limit: { train: 10000 },
    });
    expect(parts.train).toMatchObject({ count: 10000, channels: 3, height: 32, width: 32 });
    expect(counts(parts.test.labels)).toEqual([103, 89, 100, 103, 90, 86, 112, 102, 106, 109]);
    expect(counts(parts.train.labels)).toEqual([1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]);
    expect(parts.statistics.count).toBe(10000);
    // The first record is a frog whose red plane starts 59 43 50.
    expect(parts.train.labels[0]).toBe(6);
    expect(Array.from(parts.train.images.subarray(0, 3))).toEqual([59, 43, 50]);
    const green = parts.train.images.subarray(1024, 1027);
    expect(Array.from(green)).toEqual([62, 46, 48]);
    expect(hashBytes(readFileSync(`${cifar}/test_first_1000.bin.gz`))).toBe(
      'd3188bc8559d6f92afe6a3e6d07257362fa32e8a4c145d2771afafa6152e8eea',
    );
  });
});
