import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DataError, FormatError, OptionError, ShapeError } from '../../../src/base/errors.ts';
import { loadImageFiles, recogniseImageFiles } from '../../../src/io/image-files.ts';

function idxImages(count: number): Uint8Array {
  return Uint8Array.from([
    0,
    0,
    8,
    3,
    0,
    0,
    0,
    count,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    2,
    ...Array(count * 2).fill(count),
  ]);
}

function idxLabels(...labels: number[]): Uint8Array {
  return Uint8Array.from([0, 0, 8, 1, 0, 0, 0, labels.length, ...labels]);
}

function cifar(...labels: number[]): Uint8Array {
  return Uint8Array.from(labels.flatMap((label) => [label, ...Array(3072).fill(label)]));
}

const FILES: Record<string, Uint8Array> = {
  'train-images-idx3-ubyte.gz': gzipSync(idxImages(3)),
  'train-labels-idx1-ubyte.gz': gzipSync(idxLabels(0, 9, 5)),
  't10k-images.idx3-ubyte': idxImages(1),
  't10k-labels.idx1-ubyte': idxLabels(7),
  'data_batch_1.bin': cifar(1, 2),
  'data_batch_2.bin.gz': gzipSync(cifar(3)),
  'train.bin': Uint8Array.from(
    [
      [19, 99],
      [0, 7],
    ].flatMap((labels) => [...labels, ...Array(3072).fill(1)]),
  ),
  'short-images-idx3-ubyte': idxImages(2),
  'short-labels-idx1-ubyte': idxLabels(1),
};

function reader() {
  const asked: string[] = [];
  const read = async (name: string) => {
    asked.push(name);
    const bytes = FILES[name];
    if (bytes === undefined) throw new OptionError(`no ${name}`);
    return bytes;
  };
  return { asked, read };
}

describe('loadImageFiles', () => {
  test('of an IDX pair the images file is enough, compressed or not, in both spellings', async () => {
    const train = await loadImageFiles(reader().read, ['train-images-idx3-ubyte.gz']);
    expect(train).toMatchObject({
      name: 'train-images-idx3-ubyte',
      count: 3,
      channels: 1,
      height: 1,
      width: 2,
    });
    expect(Array.from(train.labels)).toEqual([0, 9, 5]);
    const test10k = await loadImageFiles(reader().read, ['t10k-images.idx3-ubyte']);
    expect(Array.from(test10k.labels)).toEqual([7]);
  });

  test('naming both files of a pair, in any order, is the same', async () => {
    const names = ['train-labels-idx1-ubyte.gz', 'train-images-idx3-ubyte.gz'];
    expect(await loadImageFiles(reader().read, names)).toEqual(
      await loadImageFiles(reader().read, names.slice(1)),
    );
  });

  test('CIFAR batches are joined in the order given; a limit spares files it does not need', async () => {
    const { asked, read } = reader();
    const both = await loadImageFiles(read, ['data_batch_2.bin.gz', 'data_batch_1.bin']);
    expect(Array.from(both.labels)).toEqual([3, 1, 2]);
    expect(both.name).toBe('data_batch_2.bin + data_batch_1.bin');
    asked.length = 0;
    const one = await loadImageFiles(read, ['data_batch_1.bin', 'data_batch_2.bin.gz'], { limit: 1 });
    expect(Array.from(one.labels)).toEqual([1]);
    expect(asked).toEqual(['data_batch_1.bin']);
  });

  test('train.bin and test.bin are CIFAR-100, with fine labels', async () => {
    const set = await loadImageFiles(reader().read, ['train.bin']);
    expect(set).toMatchObject({ count: 2, classes: 100, channels: 3 });
    expect(Array.from(set.labels)).toEqual([99, 7]);
    await expect(loadImageFiles(reader().read, ['train.bin', 'data_batch_1.bin'])).rejects.toThrow(
      /expected 100 as classes/,
    );
  });

  test('refuses unknown names, labels alone, no names, mixed sizes and pairs that do not belong together', async () => {
    const load = (names: string[], options = {}) => loadImageFiles(reader().read, names, options);
    await expect(load(['pictures.zip'])).rejects.toThrow(/got "pictures.zip"/);
    await expect(load([])).rejects.toThrow(OptionError);
    await expect(load(['t10k-labels.idx1-ubyte'])).rejects.toThrow(
      /t10k-labels.idx1-ubyte: expected the images file/,
    );
    await expect(load(['t10k-images.idx3-ubyte', 'data_batch_1.bin'])).rejects.toThrow(ShapeError);
    await expect(load(['short-images-idx3-ubyte'])).rejects.toThrow(/expected 2 labels.*got 1/);
    await expect(load(['train-images-idx3-ubyte.gz'], { classes: 9 })).rejects.toThrow(DataError);
    FILES['broken.bin.gz'] = FILES['data_batch_2.bin.gz']!.subarray(0, 30);
    await expect(load(['broken.bin.gz'])).rejects.toThrow(FormatError);
    await expect(load(['broken.bin.gz'])).rejects.toThrow(/broken\.bin\.gz/);
  });
});

describe('recogniseImageFiles', () => {
  test('finds MNIST by name, with labels compressed otherwise than images', () => {
    const names = [
      'README.md',
      't10k-images-idx3-ubyte',
      't10k-labels-idx1-ubyte.gz',
      'train-images-idx3-ubyte.gz',
      'train-labels-idx1-ubyte',
    ];
    expect(recogniseImageFiles(names)).toEqual({
      train: ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte'],
      test: ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte.gz'],
    });
  });

  test('finds the CIFAR-10 batches that are there, uncompressed first, and prefers the whole test batch', () => {
    const names = ['data_batch_5.bin', 'data_batch_1.bin.gz', 'data_batch_1.bin', 'test_first_1000.bin.gz'];
    expect(recogniseImageFiles(names)).toEqual({
      train: ['data_batch_1.bin', 'data_batch_5.bin'],
      test: ['test_first_1000.bin.gz'],
    });
    expect(recogniseImageFiles([...names, 'test_batch.bin']).test).toEqual(['test_batch.bin']);
  });

  test('finds CIFAR-100, whose names are not those of CIFAR-10', () => {
    const names = ['coarse_label_names.txt', 'test.bin', 'train.bin.gz', 'train.bin'];
    expect(recogniseImageFiles(names)).toEqual({ train: ['train.bin'], test: ['test.bin'] });
  });

  test('refuses a folder with none or several, listing what is there', () => {
    expect(() => recogniseImageFiles(['a.txt', 'b.txt'], 'data')).toThrow(/data: .*got none.*a\.txt, b\.txt/);
    expect(() => recogniseImageFiles([])).toThrow(/no files/);
    expect(() => recogniseImageFiles(['data_batch_1.bin', 'train-images-idx3-ubyte'])).toThrow(
      /got 2 of them/,
    );
  });
});
