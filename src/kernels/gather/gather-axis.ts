/** Permutes (or selects) along one axis: a pure copy, bit for bit. */
import { ShapeError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  linearGrid,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import wgsl from './gather-axis.wgsl';

/** What `gatherAxis` reads and writes. */
export interface GatherAxisCall {
  /** Any element type, seen as [outer, size, inner]. */
  readonly input: TensorView;
  /** Elements before the gathered axis: the product of its dimensions. */
  readonly outer: number;
  /** Length of the gathered axis in the input. */
  readonly size: number;
  /** Elements after it: the product of its dimensions. */
  readonly inner: number;
  /** u32 [count]: which input position each output position takes. `size` or more gives zeros. */
  readonly index: TensorView;
  /** [outer, count, inner], of the input's element type, in another buffer. */
  readonly output: TensorView;
}

const scalarKernel: Kernel = {
  name: 'gather axis',
  file: 'src/kernels/gather/gather-axis.wgsl',
  wgsl,
  bindings: ['read', 'read', 'read_write'],
};
const vectorKernel: Kernel = {
  name: 'gather axis, vec4u',
  file: 'src/kernels/gather/gather-axis.wgsl',
  wgsl: /* @__PURE__ */ wgsl.replace('alias Element = u32;', 'alias Element = vec4u;'),
  bindings: ['read', 'read', 'read_write'],
};

/**
 * `output[o, i, k] = input[o, index[i], k]`.
 * @returns one dispatch, or none when the output is empty. @throws ShapeError when views do not fit.
 */
export function gatherAxis(_context: Context, call: GatherAxisCall): Dispatch[] {
  const { input, outer, size, inner, index, output } = call;
  const caller = 'gatherAxis';
  const count = elementCount(index.shape);
  checkSizes(caller, { outer, size, inner });
  if (input.dtype !== output.dtype) {
    throw new ShapeError(
      `${caller}: input holds ${input.dtype}, output ${output.dtype}; use one element type for both`,
    );
  }
  checkView(caller, 'input', input, input.dtype, outer * size * inner);
  checkView(caller, 'index', index, 'u32', count);
  checkView(caller, 'output', output, output.dtype, outer * count * inner);
  checkSeparate(caller, { output }, { input, index });
  const elements = outer * count * inner;
  if (elements === 0) return [];
  const width = inner % 4 === 0 ? 4 : 1;
  const outputs = elements / width;
  return [
    {
      kernel: width === 4 ? vectorKernel : scalarKernel,
      views: [input, index, output],
      params: packParams('uuuu', outputs, size, count, inner / width),
      workgroups: linearGrid(Math.ceil(outputs / 256)),
      work: elements,
    },
  ];
}
