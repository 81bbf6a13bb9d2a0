/** The end of long sums that were cut into chunks: adds the chunks' sums up, from left to right. */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';
import { ENOUGH_WORKGROUPS } from '../variant.ts';
import chunksText from './add-chunks.wgsl';

export interface AddChunksCall {
  /** The function that asks, for errors. */
  readonly caller: string;
  /** f32 [count, rows, columns], at least one chunk. */
  readonly chunks: TensorView;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** f32 [rows, columns]. In another buffer than the chunks. */
  readonly output: TensorView;
  /** Adds to what the output holds. Default: false. */
  readonly accumulate?: boolean;
  /** The sums are symmetric, and the chunks hold only what is on and above the diagonal. Default: false. */
  readonly symmetric?: boolean;
  /** f32 [columns], added to every row of the sum. Default: none. */
  readonly bias?: TensorView;
  /** Applies max(x, 0) last. Default: false. */
  readonly relu?: boolean;
}

/** Workgroups below which chunks are computed side by side. */
const ENOUGH = { software: 64, hardware: 4 * ENOUGH_WORKGROUPS };

/** Elements of scratch that are worth it: 64 MiB. */
export const MOST_SCRATCH = 2 ** 24;

/**
 * Whether chunks should be summed by invocations of their own, each into its place in scratch memory, and added up at the end.
 * @param size sums of each chunk
 * @param workgroups that run when one invocation takes all chunks of a sum one after another
 */
export function worthSplitting(context: Context, chunks: number, size: number, workgroups: number): boolean {
  const enough = context.software ? ENOUGH.software : ENOUGH.hardware;
  return chunks > 1 && chunks * size <= MOST_SCRATCH && workgroups < enough;
}

const FLAG_ACCUMULATE = 1;
const FLAG_SYMMETRIC = 2;
const FLAG_BIAS = 4;
const FLAG_RELU = 8;

const kernel: Kernel = {
  name: 'add chunks',
  file: 'src/kernels/reduce/add-chunks.wgsl',
  wgsl: chunksText,
  bindings: ['read', 'read', 'read_write'],
};

/**
 * `output = relu((output +) ((chunks[0] + chunks[1]) + chunks[2]) + ... + bias)`.
 * @throws ShapeError when views do not fit.
 */
export function addChunks(call: AddChunksCall): Dispatch {
  const { caller, chunks, count, rows, columns, output, accumulate, symmetric, bias, relu } = call;
  const size = rows * columns;
  checkView(caller, 'scratch', chunks, 'f32', count * size);
  checkSeparate(caller, { output, scratch: chunks }, {});
  const flags =
    (accumulate ? FLAG_ACCUMULATE : 0) +
    (symmetric ? FLAG_SYMMETRIC : 0) +
    (bias ? FLAG_BIAS : 0) +
    (relu ? FLAG_RELU : 0);
  return {
    kernel,
    views: [chunks, bias ?? chunks, output],
    params: packParams('uuuu', count, rows, columns, flags),
    workgroups: linearGrid(Math.ceil(size / 64)),
    work: count * size,
  };
}
