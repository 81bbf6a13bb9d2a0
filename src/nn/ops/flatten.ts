/** Axes side by side taken as one, and one axis taken apart: the same elements in the same order under another shape. */
import { ShapeError } from '../../base/errors.ts';
import { productAxis } from '../axes.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { formatShape } from '../shape.ts';

interface MergeAttributes {
  readonly first: number;
  readonly last: number;
}

// Elementwise, with another shape: a consumer that is elementwise reads the elements where they are, others get a copy.
const mergeAxesOperation: Operation<MergeAttributes> = {
  name: 'mergeAxes',
  shape([x], { first, last }) {
    const merged = x!.slice(first, last + 1);
    if (!(first >= 0 && first <= last && last < x!.length) || merged.includes('N')) {
      throw new ShapeError(
        `mergeAxes: axes ${first} to ${last} of ${formatShape(x!)} cannot become one; name axes without the batch, in order`,
      );
    }
    const size = (merged as number[]).reduce((product, dim) => product * dim, 1);
    return [...x!.slice(0, first), size, ...x!.slice(last + 1)];
  },
  expression: () => ({ text: 'a' }),
  gradient: ({ inputs: [x], outputGradient, attributes: { first, last } }) => [
    splitAxis(outputGradient, first, x!.shape.slice(first, last + 1) as number[]),
  ],
  axes({ inputs: [x], output, attributes: { first, last }, join }) {
    x!.slice(0, first).forEach((axis, k) => {
      join(axis, output[k]!);
    });
    join(productAxis(x!.slice(first, last + 1)), output[first]!);
    x!.slice(last + 1).forEach((axis, k) => {
      join(axis, output[first + 1 + k]!);
    });
  },
};

const splitAxisOperation: Operation<{ readonly axis: number; readonly sizes: readonly number[] }> = {
  name: 'splitAxis',
  shape([x], { axis, sizes }) {
    const size = sizes.reduce((product, dim) => product * dim, 1);
    if (x![axis] !== size) {
      throw new ShapeError(
        `splitAxis: axis ${axis} of ${formatShape(x!)} cannot become ${sizes.join(' x ')}, which is ${size}`,
      );
    }
    return [...x!.slice(0, axis), ...sizes, ...x!.slice(axis + 1)];
  },
  expression: () => ({ text: 'a' }),
  gradient: ({ outputGradient, attributes: { axis, sizes } }) => [
    mergeAxes(outputGradient, axis, axis + sizes.length - 1),
  ],
  axes({ inputs: [x], output, attributes: { axis, sizes }, join }) {
    x!.forEach((whole, k) => {
      if (k === axis) join(whole, productAxis(output.slice(axis, axis + sizes.length)));
      else join(whole, output[k < axis ? k : k + sizes.length - 1]!);
    });
  },
};

/** [N, C, H, W] to [N, C * H * W], PyTorch's order; [N, C] stays as it is. */
export function flatten(x: Node): Node {
  return x.shape.length === 2 ? x : mergeAxes(x, 1, x.shape.length - 1);
}

/** Axes `first` to `last` as one, the first of them outermost. */
export function mergeAxes(x: Node, first: number, last: number): Node {
  return apply(mergeAxesOperation, [x], { first, last });
}

/** Axis `axis` as several axes of the given sizes, the outermost first. */
export function splitAxis(x: Node, axis: number, sizes: readonly number[]): Node {
  return apply(splitAxisOperation, [x], { axis, sizes });
}
