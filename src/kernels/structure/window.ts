/** A window on a tensor: along each axis it crops, pads with zeros, takes every s-th element or spreads elements s apart. A pure copy. */
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
import { expand } from '../matmul/template.ts';
import template from './window.wgsl';

/** Index i of the output is index `(i * multiply + start) / divide` of the input, and 0 where there is none. */
export interface AxisWindow {
  /** The input position of output position 0; outside of the input are zeros. */
  readonly start: number;
  /** Input positions from one output position to the next. */
  readonly multiply: number;
  /** Output positions from one input position to the next; those between are zeros. */
  readonly divide: number;
}

/** What `window` reads and writes. */
export interface WindowCall {
  /** Any element type. */
  readonly input: TensorView;
  /** As many axes as the input, in another buffer. */
  readonly output: TensorView;
  /** One for each axis. */
  readonly axes: readonly AxisWindow[];
}

/** An axis as it is. */
export const WHOLE_AXIS: AxisWindow = { start: 0, multiply: 1, divide: 1 };

type WindowKernels = Readonly<Record<'singles' | 'vectors', Kernel>>;

function windowKernel(vectors: boolean, divides: boolean): Kernel {
  const text = expand(template, { DIVIDES: divides, WHOLE: !divides });
  return {
    name: `window${divides ? ' that spreads' : ''}${vectors ? ', vec4u' : ''}`,
    file: 'src/kernels/structure/window.wgsl',
    wgsl: vectors ? text.replace('alias Element = u32;', 'alias Element = vec4u;') : text,
    bindings: ['read', 'read_write'],
  };
}

const windowKernels = (divides: boolean): WindowKernels => ({
  singles: windowKernel(false, divides),
  vectors: windowKernel(true, divides),
});
const copying = /* @__PURE__ */ windowKernels(false);
const spreading = /* @__PURE__ */ windowKernels(true);

interface SizedAxis extends AxisWindow {
  readonly input: number;
  readonly output: number;
}

/**
 * The window of `input` that `axes` describe, in the shape of `output`.
 * @returns one dispatch, or none when the output is empty.
 * @throws ShapeError when views do not fit, or when more than four axes are left after whole axes side by side are taken as one.
 */
export function window(_context: Context, { input, output, axes }: WindowCall): Dispatch[] {
  const caller = 'window';
  const rank = axes.length;
  if (input.shape.length !== rank || output.shape.length !== rank || input.dtype !== output.dtype) {
    throw new ShapeError(
      `${caller}: ${rank} axes need an input and an output of so many axes and one element type, ` +
        `got ${input.dtype} [${input.shape}] and ${output.dtype} [${output.shape}]`,
    );
  }
  checkView(caller, 'input', input, input.dtype, elementCount(input.shape));
  checkView(caller, 'output', output, output.dtype, elementCount(output.shape));
  checkSeparate(caller, { output }, { input });
  axes.forEach(({ multiply, divide }, k) => {
    checkSizes(caller, { multiply, divide }, 1);
    if (divide > 1 && output.shape[k]! >= 2 ** 24)
      throw new ShapeError(
        `${caller}: an axis that is spread must be shorter than 2^24, got ${output.shape[k]}`,
      );
  });
  const outputs = elementCount(output.shape);
  if (outputs === 0) return [];
  const merged = mergeWholeAxes(
    axes.map((axis, k) => ({ ...axis, input: input.shape[k]!, output: output.shape[k]! })),
  );
  if (merged.length > 4) {
    throw new ShapeError(
      `${caller}: at most four axes after merging whole ones, got ${merged.length}; do it in two steps`,
    );
  }
  while (merged.length < 4) merged.unshift({ ...WHOLE_AXIS, input: 1, output: 1 });
  const last = merged[3]!;
  const width = isWhole(last) && last.output % 4 === 0 ? 4 : 1;
  merged[3] = { ...last, input: last.input / width, output: last.output / width };
  const kernels = merged.some(({ divide }) => divide !== 1) ? spreading : copying;
  const column = (f: (axis: SizedAxis) => number) => merged.map(f);
  return [
    {
      kernel: width === 4 ? kernels.vectors : kernels.singles,
      views: [input, output],
      params: packParams(
        'uuuuiiiiiiiiiiiiiiiiu',
        ...column((axis) => axis.output),
        ...column((axis) => axis.input),
        ...column((axis) => axis.start),
        ...column((axis) => axis.multiply),
        ...column((axis) => axis.divide),
        outputs / width,
      ),
      workgroups: linearGrid(Math.ceil(outputs / width / 256)),
      work: 2 * outputs,
    },
  ];
}

function isWhole({ start, multiply, divide, input, output }: SizedAxis): boolean {
  return start === 0 && multiply === 1 && divide === 1 && input === output;
}

function mergeWholeAxes(axes: readonly SizedAxis[]): SizedAxis[] {
  const merged: SizedAxis[] = [];
  for (const axis of axes) {
    const before = merged.at(-1);
    if (before && isWhole(before) && isWhole(axis)) {
      merged[merged.length - 1] = {
        ...axis,
        input: before.input * axis.input,
        output: before.output * axis.output,
      };
    } else merged.push(axis);
  }
  return merged;
}
