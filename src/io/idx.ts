/**
 * The IDX format of MNIST and its relatives: two zero bytes, element type (8 = unsigned byte, the only one read here), number
 * of axes, the sizes as big-endian 32-bit integers, then the values in row-major order.
 */

import { FormatError } from '../base/errors.ts';

/** A parsed IDX file of unsigned bytes. `data` is a view of the given bytes. */
export interface IdxArray {
  /** Elements along each axis. */
  readonly shape: readonly number[];
  /** Of the file's element type, row-major. */
  readonly data: Uint8Array;
}

/**
 * Parses an IDX file of unsigned bytes.
 * @param axes How many axes it must have: 3 for images [count, rows, columns], 1 for labels [count].
 * @param label What messages call the file.
 * @throws FormatError for another magic number, number of axes or length.
 */
export function parseIdx(bytes: Uint8Array, axes: number, label = 'IDX file'): IdxArray {
  const fail = (problem: string) => new FormatError(`parseIdx: ${label}: ${problem}`);
  const magic = Array.from(bytes.subarray(0, 4));
  if (magic.length < 4 || magic[0] !== 0 || magic[1] !== 0 || magic[2] !== 8 || magic[3] !== axes) {
    throw fail(
      `expected the first four bytes 0 0 8 ${axes} (unsigned bytes, ${axes} ${axes === 1 ? 'axis' : 'axes'}), got ` +
        `${magic.join(' ') || 'an empty file'}. Name an ${axes === 1 ? 'idx1 labels' : `idx${axes} images`} file.`,
    );
  }
  const start = 4 + 4 * axes;
  if (bytes.length < start) {
    throw fail(`expected a header of ${start} bytes, got ${bytes.length}. The file is cut short.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, axisSize) => product * axisSize, 1);
  if (bytes.length - start !== size) {
    throw fail(
      `expected ${size} values for shape [${shape}], got ${bytes.length - start}. ` +
        (bytes.length - start < size ? 'The file is cut short.' : 'Bytes follow the last value.'),
    );
  }
  return { shape, data: bytes.subarray(start) };
}
