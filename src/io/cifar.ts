/**
 * The binary formats of CIFAR-10 and CIFAR-100: records of one label byte (CIFAR-10: 0 .. 9) or two (CIFAR-100: the coarse label
 * 0 .. 19, then the fine one 0 .. 99) and three planes (red, green, blue) of 32 x 32 bytes, row by row. No header: length and labels
 * are all there is to check.
 */

import { DataError, FormatError } from '../base/errors.ts';
import type { ImageDataset } from './dataset.ts';

const CHANNELS = 3;
const SIDE = 32;
const IMAGE_BYTES = CHANNELS * SIDE * SIDE;

/** The label bytes of a record, in order. */
interface Layout {
  readonly caller: string;
  readonly labels: readonly { readonly name: string; readonly classes: number }[];
  /** Ends the message for a file of another length. */
  readonly advice: string;
}

const CIFAR_10: Layout = {
  caller: 'parseCifar10',
  labels: [{ name: 'label', classes: 10 }],
  advice:
    'Name a .bin file of the binary version of CIFAR-10 (not CIFAR-100, not the Python version), complete.',
};
const CIFAR_100: Layout = {
  caller: 'parseCifar100',
  labels: [
    { name: 'coarse label', classes: 20 },
    { name: 'fine label', classes: 100 },
  ],
  advice:
    'Name train.bin or test.bin of the binary version of CIFAR-100 (not CIFAR-10, not the Python version), complete.',
};

/**
 * Parses one batch file of CIFAR-10.
 * @param label What messages call the file; it becomes the name of the data set.
 * @returns Images [count, 3, 32, 32] and labels, copied.
 * @throws FormatError when the length is no positive multiple of 3,073; DataError naming record and value of a label above 9.
 */
export function parseCifar10(bytes: Uint8Array, label = 'CIFAR-10 batch'): ImageDataset {
  return parseRecords(bytes, label, CIFAR_10, 0);
}

/**
 * Parses one file of CIFAR-100.
 * @param label What messages call the file; it becomes the name of the data set.
 * @param kind Which labels to take: `fine` (100 classes, the default) or `coarse` (20).
 * @returns Images [count, 3, 32, 32] and labels, copied.
 * @throws FormatError when the length is no positive multiple of 3,074; DataError naming record and value of a label out of range.
 */
export function parseCifar100(
  bytes: Uint8Array,
  label = 'CIFAR-100 file',
  kind: 'fine' | 'coarse' = 'fine',
): ImageDataset {
  return parseRecords(bytes, label, CIFAR_100, kind === 'fine' ? 1 : 0);
}

function parseRecords(bytes: Uint8Array, label: string, layout: Layout, taken: number): ImageDataset {
  const { caller, advice, labels: kinds } = layout;
  const recordBytes = kinds.length + IMAGE_BYTES;
  const count = bytes.length / recordBytes;
  if (count === 0 || !Number.isInteger(count)) {
    throw new FormatError(
      `${caller}: ${label}: expected records of ${recordBytes} bytes, got ${bytes.length} bytes. ${advice}`,
    );
  }
  const images = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  for (let record = 0; record < count; record++) {
    const start = record * recordBytes;
    for (const [i, { name, classes }] of kinds.entries()) {
      const value = bytes[start + i]!;
      if (value >= classes) {
        throw new DataError(
          `${caller}: ${label}: record ${record}: expected a ${name} 0 .. ${classes - 1}, got ${value}. ` +
            'The file is damaged or of another format.',
        );
      }
    }
    labels[record] = bytes[start + taken]!;
    images.set(bytes.subarray(start + kinds.length, start + recordBytes), record * IMAGE_BYTES);
  }
  return {
    name: label,
    count,
    channels: CHANNELS,
    height: SIDE,
    width: SIDE,
    classes: kinds[taken]!.classes,
    images,
    labels,
  };
}
