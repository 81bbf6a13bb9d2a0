/** Sums over one axis, and broadcasts, which are each other's gradients. */
import { ShapeError } from '../../base/errors.ts';
import { sum as sumKernel } from '../../kernels/reduce/sum.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { type Dim, formatShape, type Shape } from '../shape.ts';
import { scale, scaleByBatch } from './arithmetic.ts';

const sumOperation: Operation<{ readonly axis: number }> = {
  name: 'sum',
  shape([x], { axis }) {
    if (axis < 0 || axis >= x!.length) throw new ShapeError(`sum: ${formatShape(x!)} has no axis ${axis}`);
    return x!.filter((_, k) => k !== axis);
  },
  kernels({ context, inputs: [input], output, attributes: { axis }, scratch }) {
    const { shape } = input!;
    return sumKernel(context, {
      input: input!,
      outer: elementCount(shape.slice(0, axis)),
      size: shape[axis]!,
      inner: elementCount(shape.slice(axis + 1)),
      output,
      scratch,
    });
  },
  gradient: ({ inputs: [x], outputGradient, attributes: { axis } }) => [
    broadcast(outputGradient, axis, x!.shape[axis]!),
  ],
  axes({ inputs: [x], output, attributes: { axis }, join }) {
    // The summed axis is free: a sum does not see its order.
    const kept = x!.filter((_, k) => k !== axis);
    for (const [k, xAxis] of kept.entries()) join(xAxis, output[k]!);
  },
};

interface BroadcastAttributes {
  readonly axis: number;
  readonly size: Dim;
}

const broadcastOperation: Operation<BroadcastAttributes> = {
  name: 'broadcast',
  shape([x], { axis, size }) {
    if (axis < 0 || axis > x!.length)
      throw new ShapeError(`broadcast: ${formatShape(x!)} cannot get an axis ${axis}`);
    return [...x!.slice(0, axis), size, ...x!.slice(axis)];
  },
  expression: () => ({ text: 'a' }),
  broadcastPattern(input, output, { axis }) {
    // Only a new first or last axis is a pattern (i / inner) % size; `broadcast` refuses others.
    return axis === 0
      ? { inner: 1, size: elementCount(input) }
      : { inner: output[axis]!, size: elementCount(input) };
  },
  gradient: ({ outputGradient, attributes: { axis } }) => [sum(outputGradient, axis)],
  axes({ inputs: [x], output, attributes: { axis }, join }) {
    for (const [k, xAxis] of x!.entries()) join(xAxis, output[k < axis ? k : k + 1]!);
  },
};

/** Sum over one axis, which disappears: `sum([N, C], 0)` is [C]. */
export function sum(x: Node, axis: number): Node {
  return apply(sumOperation, [x], { axis });
}

/** Mean over one axis, which disappears. */
export function mean(x: Node, axis: number): Node {
  const size = x.shape[axis];
  const total = sum(x, axis);
  return size === 'N' ? scaleByBatch(total) : scale(total, 1 / (size ?? 1));
}

/** A new first or last axis of the given size along which the values repeat: `broadcast([C], 0, 'N')` is [N, C]. */
export function broadcast(x: Node, axis: number, size: Dim): Node {
  if (axis !== 0 && axis !== x.shape.length) {
    throw new ShapeError(
      `broadcast: adds a first or a last axis, got axis ${axis} for ${formatShape(x.shape)}`,
    );
  }
  return apply(broadcastOperation, [x], { axis, size });
}

/** `x` with a vector repeated over all leading axes: [C] to [N, C]. */
export function broadcastLike(x: Node, shape: Shape): Node {
  let result = x;
  for (let axis = shape.length - x.shape.length - 1; axis >= 0; axis--)
    result = broadcast(result, 0, shape[axis]!);
  return result;
}
