/** Tensors one after the other along one axis: a pure copy, one dispatch for each. */
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
import { checkSeparate, checkView } from '../checks.ts';
import wgsl from './place.wgsl';

const scalarKernel: Kernel = {
  name: 'place rows',
  file: 'src/kernels/structure/place.wgsl',
  wgsl,
  bindings: ['read', 'read_write'],
};
const vectorKernel: Kernel = {
  name: 'place rows, vec4u',
  file: 'src/kernels/structure/place.wgsl',
  wgsl: /* @__PURE__ */ wgsl.replace('alias Element = u32;', 'alias Element = vec4u;'),
  bindings: ['read', 'read_write'],
};

/**
 * The inputs one after the other along `axis`; all other sizes are equal.
 * @returns a dispatch for each input that is not empty. @throws ShapeError when views do not fit.
 */
export function concatenate(
  _context: Context,
  call: { readonly inputs: readonly TensorView[]; readonly axis: number; readonly output: TensorView },
): Dispatch[] {
  const caller = 'concatenate';
  const { inputs, axis, output } = call;
  const inner = elementCount(output.shape.slice(axis + 1));
  const outer = elementCount(output.shape.slice(0, axis));
  const sizes = inputs.map(({ shape }) => shape[axis] ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== output.shape[axis]) {
    throw new ShapeError(
      `${caller}: inputs of ${sizes.join(' + ')} along axis ${axis} need an output of ${total}, got shape [${output.shape}]`,
    );
  }
  checkView(caller, 'output', output, output.dtype, outer * total * inner);
  inputs.forEach((view, i) => {
    checkView(caller, `input ${i}`, view, output.dtype, outer * sizes[i]! * inner);
  });
  checkSeparate(caller, { output }, Object.fromEntries(inputs.map((view, i) => [`input ${i}`, view])));
  let start = 0;
  return inputs.flatMap((input, i) => {
    const lengths = [elementCount(input.shape), sizes[i]! * inner, total * inner, start * inner] as const;
    start += sizes[i]!;
    if (lengths[0] === 0) return [];
    const width = lengths.every((length) => length % 4 === 0) ? 4 : 1;
    return [
      {
        kernel: width === 4 ? vectorKernel : scalarKernel,
        views: [input, output],
        params: packParams('uuuu', ...lengths.map((length) => length / width)),
        workgroups: linearGrid(Math.ceil(lengths[0] / width / 256)),
        work: lengths[0],
      },
    ];
  });
}
