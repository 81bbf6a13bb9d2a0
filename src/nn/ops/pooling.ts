/** Max, average and global average pooling of [N, C, H, W]; channels keep their index, space is pinned. */
import * as kernels from '../../kernels/pool/pool.ts';
import { sum as sumKernel } from '../../kernels/reduce/sum.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { apply, type Node } from '../graph.ts';
import type { AxesArguments, Operation } from '../operation.ts';
import { expectRank, type Shape } from '../shape.ts';
import { scale } from './arithmetic.ts';
import { spaceOf } from './channels.ts';

/** Rows and columns, or one number for both. */
export type Size2d = number | readonly [number, number];

/** Of `maxPool` and `averagePool`. */
export interface PoolOptions {
  /** Default: the kernel. */
  readonly stride?: Size2d;
  /** At most half the kernel. Default: 0. */
  readonly padding?: Size2d;
}

type PoolWindow = kernels.PoolWindow;

interface UnpoolAttributes extends PoolWindow {
  /** Shape of what was pooled. */
  readonly shape: Shape;
}

const maxPoolOperation: Operation<PoolWindow> = {
  name: 'maxPool',
  shape: ([x], attributes) => pooledShape('maxPool', x!, attributes),
  kernels: ({ context, inputs: [input], output, attributes }) =>
    kernels.maxPool(context, { input: input!, output, ...attributes }),
  gradient({ inputs: [x], outputGradient, attributes }) {
    const indices = apply(maxPoolIndicesOperation, [x!], attributes);
    return [apply(maxUnpoolOperation, [outputGradient, indices], { ...attributes, shape: x!.shape })];
  },
  axes: poolAxes,
};

/** Where each window's largest value lies in its plane. Piecewise constant: no gradient. */
const maxPoolIndicesOperation: Operation<PoolWindow> = {
  name: 'maxPoolIndices',
  dtype: 'u32',
  shape: ([x], attributes) => pooledShape('maxPool', x!, attributes),
  kernels: ({ context, inputs: [input], output, attributes }) =>
    kernels.maxPoolIndices(context, { input: input!, output, ...attributes }),
  axes: poolAxes,
};

/** Linear in its first input; its adjoint gathers by the same indices. */
const maxUnpoolOperation: Operation<UnpoolAttributes> = {
  name: 'maxUnpool',
  shape: (_inputs, { shape }) => shape,
  kernels: ({ context, inputs: [input, indices], output, attributes }) =>
    kernels.maxUnpool(context, { input: input!, indices: indices!, output, ...attributes }),
  gradient: ({ inputs: [, indices], outputGradient, attributes }) => [
    apply(gatherIndicesOperation, [outputGradient, indices!], attributes),
    undefined,
  ],
  axes: poolAxes,
};

const gatherIndicesOperation: Operation<UnpoolAttributes> = {
  name: 'gatherIndices',
  shape: ([, indices]) => indices!,
  kernels: ({ context, inputs: [input, indices], output }) =>
    kernels.gatherIndices(context, { input: input!, indices: indices!, output }),
  gradient: ({ inputs: [, indices], outputGradient, attributes }) => [
    apply(maxUnpoolOperation, [outputGradient, indices!], attributes),
    undefined,
  ],
  axes: poolAxes,
};

const averagePoolOperation: Operation<PoolWindow> = {
  name: 'averagePool',
  shape: ([x], attributes) => pooledShape('averagePool', x!, attributes),
  kernels: ({ context, inputs: [input], output, attributes }) =>
    kernels.averagePool(context, { input: input!, output, ...attributes }),
  gradient: ({ inputs: [x], outputGradient, attributes }) => [
    apply(averageUnpoolOperation, [outputGradient], { ...attributes, shape: x!.shape }),
  ],
  axes: poolAxes,
};

const averageUnpoolOperation: Operation<UnpoolAttributes> = {
  name: 'averageUnpool',
  shape: (_inputs, { shape }) => shape,
  kernels: ({ context, inputs: [input], output, attributes }) =>
    kernels.averageUnpool(context, { input: input!, output, ...attributes }),
  gradient: ({ outputGradient, attributes: { kernel, stride, padding } }) => [
    apply(averagePoolOperation, [outputGradient], { kernel, stride, padding }),
  ],
  axes: poolAxes,
};

const sumSpaceOperation: Operation<undefined> = {
  name: 'sumSpace',
  shape([x]) {
    expectRank('globalAveragePool', 'the input', x!, 4);
    return x!.slice(0, 2);
  },
  kernels({ context, inputs: [input], output, scratch }) {
    const [n, c, ...space] = input!.shape;
    const sizes = { outer: n! * c!, size: elementCount(space), inner: 1 };
    return sumKernel(context, { input: input!, ...sizes, output, scratch });
  },
  gradient: ({ inputs: [x], outputGradient }) => [
    apply(broadcastSpaceOperation, [outputGradient], { shape: x!.shape }),
  ],
  axes: ({ inputs: [x], output, join }) => {
    join(x![0]!, output[0]!);
    join(x![1]!, output[1]!);
  },
};

const broadcastSpaceOperation: Operation<{ readonly shape: Shape }> = {
  name: 'broadcastSpace',
  shape: (_inputs, { shape }) => shape,
  expression: () => ({ text: 'a' }),
  broadcastPattern: (input, output) => ({
    inner: elementCount(output.slice(2)),
    size: elementCount(input),
  }),
  gradient: ({ outputGradient }) => [apply(sumSpaceOperation, [outputGradient], undefined)],
  axes: ({ inputs: [x], output, join }) => {
    join(x![0]!, output[0]!);
    join(x![1]!, output[1]!);
  },
};

function poolAxes({ inputs, output, join, pin }: AxesArguments): void {
  for (const axes of [...inputs, output]) {
    join(axes[0]!, output[0]!);
    join(axes[1]!, output[1]!);
    for (const axis of axes.slice(2)) pin(axis, 'pooling windows lie in space');
  }
}

function pooledShape(operation: string, x: Shape, window: PoolWindow): Shape {
  expectRank(operation, 'the input', x, 4);
  const [n, c, height, width] = x;
  return [n!, c!, ...kernels.pooledSize(operation, [height as number, width as number], window)];
}

function windowOf(kernel: Size2d, { stride = kernel, padding = 0 }: PoolOptions): PoolWindow {
  const pair = (size: Size2d) => (typeof size === 'number' ? ([size, size] as const) : size);
  return { kernel: pair(kernel), stride: pair(stride), padding: pair(padding) };
}

/** The largest value of each window; the gradient goes to the first of equals, as in PyTorch. */
export function maxPool(x: Node, kernel: Size2d, options: PoolOptions = {}): Node {
  return apply(maxPoolOperation, [x], windowOf(kernel, options));
}

/** The mean of each window; padding counts as zeros, as in PyTorch (`count_include_pad`). */
export function averagePool(x: Node, kernel: Size2d, options: PoolOptions = {}): Node {
  return apply(averagePoolOperation, [x], windowOf(kernel, options));
}

/** The mean over space: [N, C, H, W] to [N, C]. */
export function globalAveragePool(x: Node): Node {
  return scale(apply(sumSpaceOperation, [x], undefined), 1 / spaceOf(x.shape));
}
