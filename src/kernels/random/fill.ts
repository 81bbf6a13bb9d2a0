/** Random numbers made on the GPU, bit-equal to those of a `RandomStream` (src/base/random.ts) on the host. */
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  type DType,
  elementCount,
  type Kernel,
  linearGrid,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSizes, checkView } from '../checks.ts';
import fillWgsl from './fill.wgsl';
import randomWgsl from './random.wgsl';

/** What to fill with random numbers, and from where in the stream. */
export interface FillCall {
  /** The stream: a `RandomStream`, or just its key. */
  readonly stream: { readonly key0: number; readonly key1: number };
  /** Position in the stream of the output's first element, 0 .. 2^53 - 1. Default: 0. */
  readonly start?: number;
  /** u32 for bits, f32 for uniform numbers. */
  readonly output: TensorView;
}

const bitsKernel: Kernel = {
  name: 'fill bits',
  file: 'src/kernels/random/fill.wgsl',
  wgsl: /* @__PURE__ */ randomWgsl.concat(fillWgsl),
  bindings: ['read_write'],
};
const uniformKernel: Kernel = {
  name: 'fill uniform',
  file: 'src/kernels/random/fill.wgsl',
  wgsl: /* @__PURE__ */ randomWgsl
    .concat(fillWgsl)
    .replace('alias Element = vec4u;', 'alias Element = vec4f;')
    .replace('return words; // {{convert}}', 'return uniform_of(words);'),
  bindings: ['read_write'],
};

/** `output[e] = stream.uint32(start + e)`, u32. @returns one dispatch, or none when the output is empty. */
export function fillBits(_context: Context, call: FillCall): Dispatch[] {
  return fill('fillBits', bitsKernel, 'u32', call);
}

/** `output[e] = stream.uniform(start + e)`, f32 in [0, 1). @returns one dispatch, or none when the output is empty. */
export function fillUniform(_context: Context, call: FillCall): Dispatch[] {
  return fill('fillUniform', uniformKernel, 'f32', call);
}

function fill(caller: string, kernel: Kernel, dtype: DType, call: FillCall): Dispatch[] {
  const { stream, start = 0, output } = call;
  const count = elementCount(output.shape);
  checkView(caller, 'output', output, dtype, count);
  checkSizes(caller, { start, 'the last position': start + count });
  if (count === 0) return [];
  const block = Math.floor(start / 2);
  return [
    {
      kernel,
      views: [output],
      params: packParams(
        'uuuuuu',
        count,
        stream.key0,
        stream.key1,
        start % 2,
        block % 2 ** 32,
        Math.floor(block / 2 ** 32),
      ),
      workgroups: linearGrid(Math.ceil(count / 256)),
      work: 32 * count,
    },
  ];
}
