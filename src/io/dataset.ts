/** Labelled images in memory, as bytes. Normalising and batching happen on the GPU, not here. */

import { DataError, OptionError, ShapeError } from '../base/errors.ts';

/** A set of labelled images of one size. */
export interface ImageDataset {
  /** For people: file names or the name of the generator. */
  readonly name: string;
  /** Number of images, N. */
  readonly count: number;
  /** C. */
  readonly channels: number;
  /** H. */
  readonly height: number;
  /** W. */
  readonly width: number;
  /** Labels are 0 .. classes - 1; at most 256. */
  readonly classes: number;
  /** [N, C, H, W], row by row, 0 .. 255. */
  readonly images: Uint8Array;
  /** [N]. */
  readonly labels: Uint8Array;
}

/**
 * Checks that sizes, lengths and labels agree.
 * @throws ShapeError naming the data set and the array; DataError naming index and value of a label out of range.
 */
export function validateDataset(dataset: ImageDataset): void {
  const { name, count, channels, height, width, classes, images, labels } = dataset;
  for (const [field, value] of Object.entries({ count, channels, height, width, classes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ShapeError(
        `validateDataset: ${name}: expected a positive integer as ${field}, got ${value}. An empty set is of no use.`,
      );
    }
  }
  if (images.length !== count * channels * height * width) {
    throw new ShapeError(
      `validateDataset: ${name}: expected ${count} x ${channels} x ${height} x ${width} bytes of images, got ${images.length}. Correct the sizes.`,
    );
  }
  if (labels.length !== count) {
    throw new ShapeError(
      `validateDataset: ${name}: expected ${count} labels, one an image, got ${labels.length}. Do images and labels belong together?`,
    );
  }
  const index = labels.findIndex((label) => label >= classes);
  if (index !== -1) {
    throw new DataError(
      `validateDataset: ${name}: expected labels 0 .. ${classes - 1}, got ${labels[index]} at index ${index}. ` +
        'Give the right number of classes or repair the labels.',
    );
  }
}

/** The first `limit` images (all, if there are fewer), as views of the same memory. @throws OptionError */
export function limitDataset(dataset: ImageDataset, limit: number): ImageDataset {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new OptionError(`limitDataset: expected a limit of at least 1, an integer, got ${limit}.`);
  }
  if (limit >= dataset.count) return dataset;
  const imageBytes = dataset.channels * dataset.height * dataset.width;
  return {
    ...dataset,
    count: limit,
    images: dataset.images.subarray(0, limit * imageBytes),
    labels: dataset.labels.subarray(0, limit),
  };
}

/**
 * One set of all images, in order; named by the parts joined with " + ". A single part comes back as it is.
 * @throws OptionError without parts; ShapeError naming the first part whose image size or class count differs.
 */
export function concatDatasets(parts: readonly ImageDataset[]): ImageDataset {
  const first = parts[0];
  if (first === undefined) {
    throw new OptionError('concatDatasets: expected at least one data set, got none.');
  }
  if (parts.length === 1) return first;
  for (const part of parts) {
    for (const field of ['channels', 'height', 'width', 'classes'] as const) {
      if (part[field] !== first[field]) {
        throw new ShapeError(
          `concatDatasets: ${part.name}: expected ${first[field]} as ${field}, as in ${first.name}, got ${part[field]}. ` +
            'Load them apart.',
        );
      }
    }
  }
  return {
    ...first,
    name: parts.map((part) => part.name).join(' + '),
    count: parts.reduce((sum, part) => sum + part.count, 0),
    images: concatBytes(parts.map((part) => part.images)),
    labels: concatBytes(parts.map((part) => part.labels)),
  };
}

function concatBytes(arrays: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let position = 0;
  for (const array of arrays) {
    all.set(array, position);
    position += array.length;
  }
  return all;
}
