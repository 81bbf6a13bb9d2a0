/**
 * The binary format of CIFAR-10: records of 3,073 bytes, a label 0 .. 9 and three planes (red, green, blue) of 32 x 32 bytes,
 * row by row. No header: length and labels are all there is to check.
 */

import { DataError, FormatError } from '../base/errors.ts';
import type { ImageDataset } from './dataset.ts';

const CHANNELS = 3;
const SIDE = 32;
const CLASSES = 10;
const IMAGE_BYTES = CHANNELS * SIDE * SIDE;
const RECORD_BYTES = 1 + IMAGE_BYTES;

/**
 * Parses one batch file.
 * @param label What messages call the file; it becomes the name of the data set.
 * @returns Images [count, 3, 32, 32] and labels, copied.
 * @throws FormatError when the length is no positive multiple of 3,073; DataError naming record and value of a label above 9.
 */
export function parseCifar10(bytes: Uint8Array, label = 'CIFAR-10 batch'): ImageDataset {
  const count = bytes.length / RECORD_BYTES;
  if (count === 0 || !Number.isInteger(count)) {
    throw new FormatError(
      `parseCifar10: ${label}: expected records of ${RECORD_BYTES} bytes, got ${bytes.length} bytes. ` +
        'Name a .bin file of the binary version of CIFAR-10 (not CIFAR-100, not the Python version), complete.',
    );
  }
  const images = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  for (let record = 0; record < count; record++) {
    const start = record * RECORD_BYTES;
    const value = bytes[start]!;
    if (value >= CLASSES) {
      throw new DataError(
        `parseCifar10: ${label}: record ${record}: expected a label 0 .. 9, got ${value}. ` +
          'The file is damaged or of another format.',
      );
    }
    labels[record] = value;
    images.set(bytes.subarray(start + 1, start + RECORD_BYTES), record * IMAGE_BYTES);
  }
  return {
    name: label,
    count,
    channels: CHANNELS,
    height: SIDE,
    width: SIDE,
    classes: CLASSES,
    images,
    labels,
  };
}
