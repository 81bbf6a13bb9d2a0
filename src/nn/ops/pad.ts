/** Padding with zeros, cropping and strided subsampling: one operation, whose gradient is the same operation the other way round. */
import { OptionError, ShapeError } from '../../base/errors.ts';
import { type AxisWindow, WHOLE_AXIS, window } from '../../kernels/structure/window.ts';
import { type Axis, axisSize, concatenatedAxis, freshAxis } from '../axes.ts';
import { apply, type Node } from '../graph.ts';
import type { AxesArguments, Operation } from '../operation.ts';
import { type Dim, formatShape } from '../shape.ts';

interface WindowAttributes {
  /** One for each axis. */
  readonly axes: readonly AxisWindow[];
  /** Sizes of the output. */
  readonly sizes: readonly Dim[];
}

const windowOperation: Operation<WindowAttributes> = {
  name: 'window',
  shape([x], { axes, sizes }) {
    if (x!.length !== axes.length || sizes.some((size, k) => (size === 'N') !== (x![k] === 'N'))) {
      throw new ShapeError(
        `window: ${formatShape(x!)} cannot become ${formatShape(sizes)}; it keeps the number of axes and the batch`,
      );
    }
    return sizes;
  },
  kernels: ({ context, inputs: [input], output, attributes: { axes } }) =>
    window(context, { input: input!, output, axes }),
  // Output i is input p where p * divide = i * multiply + start; the adjoint finds i from p.
  gradient: ({ inputs: [x], outputGradient, attributes: { axes } }) => [
    apply(windowOperation, [outputGradient], {
      sizes: x!.shape,
      axes: axes.map(({ start, multiply, divide }) => ({
        start: start === 0 ? 0 : -start,
        multiply: divide,
        divide: multiply,
      })),
    }),
  ],
  axes({ inputs: [x], output, attributes: { axes }, join, pin }) {
    axes.forEach((axis, k) => {
      joinWindow(x![k]!, output[k]!, axis, { join, pin });
    });
  },
};

/** Both axes hold a common run; what only one of them has is cropped or padded. */
function joinWindow(
  x: Axis,
  output: Axis,
  { start, multiply, divide }: AxisWindow,
  { join, pin }: Pick<AxesArguments, 'join' | 'pin'>,
): void {
  if (multiply !== 1 || divide !== 1) {
    pin(x, 'every s-th index is taken');
    pin(output, 'every s-th index is taken');
    return;
  }
  if (Number.isNaN(axisSize(x))) {
    join(x, output);
    return;
  }
  const end = start + axisSize(output) - axisSize(x);
  const common = freshAxis(axisSize(x) - Math.max(start, 0) - Math.max(-end, 0));
  const around = (before: number, after: number) =>
    concatenatedAxis([freshAxis(Math.max(before, 0)), common, freshAxis(Math.max(after, 0))]);
  join(x, around(start, -end));
  join(output, around(-start, end));
}

/** Zeros before and after along one axis, such as channels on both sides (`axis` 1). */
export function pad(x: Node, axis: number, [before, after]: readonly [number, number]): Node {
  checkCounts('pad', x, axis, { before, after });
  const size = (x.shape[axis] as number) + before + after;
  return windowOf(x, { [axis]: { ...WHOLE_AXIS, start: -before, size } });
}

/** Zeros on all sides of space: `rows` above and below, `columns` left and right of [N, C, H, W]. */
export function padSpace(x: Node, rows: number, columns = rows): Node {
  checkCounts('padSpace', x, 2, { rows });
  checkCounts('padSpace', x, 3, { columns });
  return windowOf(x, {
    2: { ...WHOLE_AXIS, start: -rows, size: (x.shape[2] as number) + 2 * rows },
    3: { ...WHOLE_AXIS, start: -columns, size: (x.shape[3] as number) + 2 * columns },
  });
}

/** Indices start, start + step, ... below `end` of one axis. */
export function slice(x: Node, axis: number, start: number, end: number, step = 1): Node {
  checkCounts('slice', x, axis, { start, end });
  const size = x.shape[axis] as number;
  if (end > size || start >= end || !Number.isInteger(step) || step < 1) {
    throw new ShapeError(
      `slice: axis ${axis} of ${formatShape(x.shape)} has no indices ${start} to ${end} with step ${step}; use 0 <= start < end <= ${size}, step >= 1`,
    );
  }
  return windowOf(x, { [axis]: { start, multiply: step, divide: 1, size: Math.ceil((end - start) / step) } });
}

/** `x[:, :, ::stride, ::stride]`: every stride-th row and column of [N, C, H, W]. */
export function subsample(x: Node, stride = 2): Node {
  checkCounts('subsample', x, 2, {});
  checkCounts('subsample', x, 3, {});
  if (!Number.isInteger(stride) || stride < 1)
    throw new OptionError(`subsample: stride must be an integer of at least 1, got ${stride}`);
  const every = (axis: number) => ({
    start: 0,
    multiply: stride,
    divide: 1,
    size: Math.ceil((x.shape[axis] as number) / stride),
  });
  return windowOf(x, { 2: every(2), 3: every(3) });
}

/** The window that differs from the whole along the given axes. */
function windowOf(x: Node, along: Readonly<Record<number, AxisWindow & { readonly size: number }>>): Node {
  return apply(windowOperation, [x], {
    axes: x.shape.map((_, k) => {
      const { start, multiply, divide } = along[k] ?? WHOLE_AXIS;
      return { start, multiply, divide };
    }),
    sizes: x.shape.map((dim, k) => along[k]?.size ?? dim),
  });
}

function checkCounts(
  operation: string,
  x: Node,
  axis: number,
  counts: Readonly<Record<string, number>>,
): void {
  if (typeof x.shape[axis] !== 'number') {
    throw new ShapeError(
      `${operation}: ${formatShape(x.shape)} has no axis ${axis} of a fixed size; the batch cannot be cut`,
    );
  }
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isInteger(count) || count < 0)
      throw new OptionError(`${operation}: ${name} must be an integer of at least 0, got ${count}`);
  }
}
