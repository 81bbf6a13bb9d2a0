/**
 * Elements of arrays in files, whatever their type, byte order and strides, as the tensors of `safetensors.ts`: row-major, floating
 * point as float32, integers kept. Types that those tensors do not have are widened, so that every value stays what it is:
 * 16-bit integers to I32, unsigned 32- and 64-bit ones to I64.
 */

import { FormatError } from '../base/errors.ts';
import type { Dtype } from './dtype.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts';
import type { FileTensor, TensorData } from './safetensors.ts';

/** Element type of an array in a file. */
export type ElementType = Dtype | 'I16' | 'U16' | 'U32' | 'U64';

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F16: 2, BF16: 2, I16: 2, U16: 2 },
  ...{ I32: 4, U32: 4, F32: 4, F64: 8, I64: 8, U64: 8 },
};

/** What a type of a file is as a tensor. */
function tensorDtype(type: ElementType): Dtype {
  if (type === 'I16' || type === 'U16') return 'I32';
  return type === 'U32' || type === 'U64' ? 'I64' : type;
}

/** An array within bytes, as NumPy and PyTorch see one. All numbers count elements. */
export interface StridedArray {
  readonly bytes: Uint8Array;
  readonly type: ElementType;
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
  /** How far neighbours along each axis lie apart, 0 or more: 0 repeats, others may be in any order. */
  readonly strides: readonly number[];
  /** Where the first element lies. */
  readonly offset: number;
}

/** One past the last element that an array touches, `offset` where it is empty. */
export function stridedEnd({
  shape,
  strides,
  offset,
}: Pick<StridedArray, 'shape' | 'strides' | 'offset'>): number {
  if (shape.includes(0)) return offset;
  return shape.reduce((end, size, axis) => end + (size - 1) * strides[axis]!, offset) + 1;
}

/** Strides of a row-major array. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/**
 * Copies an array out, row by row. The caller has checked that `stridedEnd` lies within the bytes and that the result fits memory.
 * @param where Starts the message of an error: function, file and tensor.
 * @throws FormatError for booleans other than 0 and 1, and unsigned 64-bit integers of 2^63 and more.
 */
export function readStrided(array: StridedArray, where: string): FileTensor {
  const { bytes, type, bigEndian, shape, strides, offset } = array;
  const width = ELEMENT_BYTES[type];
  // A copy: aligned, of its own, and no longer than what the array touches.
  const touched = new Uint8Array(bytes.subarray(offset * width, stridedEnd(array) * width));
  if (bigEndian) reverseElements(touched, width);
  const straight = rowMajorStrides(shape);
  const rowMajor =
    shape.includes(0) || shape.every((size, axis) => size === 1 || strides[axis] === straight[axis]);
  const elements = rowMajor ? touched : gather(touched, width, shape, strides);
  return { dtype: tensorDtype(type), shape: [...shape], data: decodeElements(type, elements.buffer, where) };
}

/**
 * The values of little-endian elements that fill `buffer`.
 * @param where Starts the message of an error: function, file and tensor.
 * @throws FormatError for booleans other than 0 and 1, and unsigned 64-bit integers of 2^63 and more.
 */
export function decodeElements(type: ElementType, buffer: ArrayBuffer, where: string): TensorData {
  switch (type) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer));
    case 'F16':
      return float16ToFloat32(new Uint16Array(buffer));
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(buffer));
    case 'I64':
      return new BigInt64Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'I16':
      return Int32Array.from(new Int16Array(buffer));
    case 'U16':
      return Int32Array.from(new Uint16Array(buffer));
    case 'I8':
      return new Int8Array(buffer);
    case 'U8':
      return new Uint8Array(buffer);
    case 'U32':
      return BigInt64Array.from(new Uint32Array(buffer) as Iterable<number>, BigInt);
    case 'U64': {
      const values = new BigInt64Array(buffer);
      if (values.some((value) => value < 0n)) {
        throw new FormatError(
          `${where}: expected unsigned integers below 2^63, got larger ones. Convert the tensor.`,
        );
      }
      return values;
    }
    case 'BOOL': {
      const values = new Uint8Array(buffer);
      if (values.some((value) => value > 1)) {
        throw new FormatError(`${where}: expected bytes 0 and 1 for BOOL, got others. The file is damaged.`);
      }
      return values;
    }
  }
}

function reverseElements(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** Copies elements of `width` bytes in row-major order. The array is not empty. */
function gather(
  from: Uint8Array<ArrayBuffer>,
  width: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  const to = new Uint8Array(count * width);
  // Elements are moved as bits: words of their width, two of 32 bits for 8 bytes.
  const Word = width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array;
  const [source, target] = [new Word(from.buffer), new Word(to.buffer)];
  const words = width === 8 ? 2 : 1;
  const position = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (let word = 0; word < words; word++) target[i * words + word] = source[at * words + word]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++position[axis]! < shape[axis]!) break;
      at -= position[axis]! * strides[axis]!;
      position[axis] = 0;
    }
  }
  return to;
}
