/**
 * Sums over one axis, in an order that does not depend on the kernel that is chosen.
 *
 * Order: chunks of 256 along the axis; inside a chunk one element after another, starting from 0; chunk sums are then added from
 * left to right. With n elements the error is at most about (min(n, 256) + n / 256) * 2^-24 * sum |x|.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import sumWgsl from './sum.wgsl';
import sumRowsWgsl from './sum-rows.wgsl';

/** What `sum` reads and writes. */
export interface SumCall {
  /** f32, seen as [outer, size, inner]. */
  readonly input: TensorView;
  /** Elements before the summed axis: the product of its dimensions. */
  readonly outer: number;
  /** Length of the axis that is summed. 0 gives zeros. */
  readonly size: number;
  /** Elements after it: the product of its dimensions. */
  readonly inner: number;
  /** f32 [outer, inner]. */
  readonly output: TensorView;
  /**
   * Gives an f32 view of a shape, in a buffer of its own, that this call may overwrite. Called when there are few long sums: they are
   * then spread over many invocations, in two passes. The bits stay the same. Default: one pass.
   */
  readonly scratch?: (shape: readonly number[]) => TensorView;
}

/** Elements that are summed one after another before their sum is added to those of other chunks. */
const CHUNK = 256;

/** Sums that keep an adapter busy when each is one invocation: fewer are worth a second pass. */
const ENOUGH_INVOCATIONS = { software: 64, hardware: 16384 };

const bindings = ['read', 'read_write'] as const;
const scalarKernel: Kernel = {
  name: 'sum',
  file: 'src/kernels/reduce/sum.wgsl',
  wgsl: sumWgsl,
  bindings,
};
const columnsKernel: Kernel = {
  name: 'sum of vec4f columns',
  file: 'src/kernels/reduce/sum.wgsl',
  wgsl: /* @__PURE__ */ sumWgsl.replace('alias Element = f32;', 'alias Element = vec4f;'),
  bindings,
};
const rowsKernel: Kernel = {
  name: 'sum of vec4f rows',
  file: 'src/kernels/reduce/sum-rows.wgsl',
  wgsl: sumRowsWgsl,
  bindings,
};

/**
 * `output[o, i] = sum over k of input[o, k, i]`.
 *
 * Column sums of [N, C] are `outer: 1, size: N, inner: C`, row sums `outer: N, size: C, inner: 1`.
 * @returns one dispatch, two when `scratch` is given and helps, none when the output is empty.
 * @throws ShapeError when views do not fit.
 */
export function sum(context: Context, call: SumCall): Dispatch[] {
  const { input, outer, size, inner, output, scratch } = call;
  checkSizes('sum', { outer, size, inner });
  checkView('sum', 'input', input, 'f32', outer * size * inner);
  checkView('sum', 'output', output, 'f32', outer * inner);
  checkSeparate('sum', { output }, { input });
  if (outer * inner === 0) return [];
  const chunks = Math.ceil(size / CHUNK);
  const invocations = outer * (inner % 4 === 0 ? inner / 4 : inner);
  const enough = ENOUGH_INVOCATIONS[context.software ? 'software' : 'hardware'];
  if (!scratch || chunks <= 1 || invocations >= enough) {
    return [pass(input, output, outer, size, inner, size, CHUNK)];
  }
  const chunkSums = scratch([outer, chunks, inner]);
  checkView('sum', 'scratch', chunkSums, 'f32', outer * chunks * inner);
  checkSeparate('sum', { output, scratch: chunkSums }, { input });
  return [
    pass(input, chunkSums, outer, size, inner, CHUNK, CHUNK),
    pass(chunkSums, output, outer, chunks, inner, chunks, chunks),
  ];
}

/** Sums each group of `group` elements of the axis; the group's chunks have `chunk` elements. */
function pass(
  input: TensorView,
  output: TensorView,
  outer: number,
  size: number,
  inner: number,
  group: number,
  chunk: number,
): Dispatch {
  const groups = Math.max(1, Math.ceil(size / Math.max(1, group)));
  const kernel = inner % 4 === 0 ? columnsKernel : inner === 1 && size % 4 === 0 ? rowsKernel : scalarKernel;
  const columns = kernel === columnsKernel ? inner / 4 : inner;
  const outputs = outer * groups * columns;
  return {
    kernel,
    views: [input, output],
    params: packParams('uuuuuu', outputs, size, columns, group, groups, chunk),
    workgroups: linearGrid(Math.ceil(outputs / 64)),
    work: outer * size * inner,
  };
}
