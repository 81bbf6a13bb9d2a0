/** Element types of tensors in files. */

import type { Json } from './strict-json.ts';

/** Element types that are read and written, in the order of the reference library of safetensors. */
export const DTYPES = ['BOOL', 'U8', 'I8', 'F16', 'BF16', 'I32', 'F32', 'F64', 'I64'] as const;

/** Element type of a tensor in a file. */
export type Dtype = (typeof DTYPES)[number];

const BYTES: Record<Dtype, number> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F16: 2,
  BF16: 2,
  I32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
};

/** Bytes of a tensor; at least 2^53, and so equal to no range of a file, where the product leaves the exact integers. */
export function tensorBytes(shape: readonly number[], dtype: Dtype): number {
  // A zero anywhere makes the product zero, even where the other sizes multiply to Infinity.
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, BYTES[dtype]);
}

/** Whether a value is a list of sizes or offsets: integers 0 .. 2^53 - 1. */
export function isSizes(value: Json | undefined | readonly number[]): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
  );
}
