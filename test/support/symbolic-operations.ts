/** Operations that only have a shape and an axes rule: enough to build the graphs on which axes and specs are tested. */
import {
  type Axis,
  concatenatedAxis,
  freshAxis,
  productAxis,
  separateSegmentsAxis,
} from '../../src/nn/axes.ts';
import { apply, type Node } from '../../src/nn/graph.ts';
import type { AxesArguments, Operation } from '../../src/nn/operation.ts';
import { joinEveryAxis } from '../../src/nn/ops/elementwise.ts';
import type { Dim, Shape } from '../../src/nn/shape.ts';

function symbolic<A>(
  name: string,
  shape: (inputs: readonly Shape[], attributes: A) => Shape,
  axes: (a: AxesArguments<A>) => void,
): Operation<A> {
  return { name, shape, axes };
}

function joinAll(a: readonly Axis[], b: readonly Axis[], join: AxesArguments['join']): void {
  for (const [k, axis] of a.entries()) join(axis, b[k]!);
}

const width = (dim: Dim | undefined): number => dim as number;

/** [N, C, H, W] to [N, C * H * W]. */
export function flatten(x: Node): Node {
  const operation = symbolic<undefined>(
    'flatten',
    ([s]) => [s![0]!, s!.slice(1).reduce<number>((product, dim) => product * width(dim), 1)],
    ({ inputs: [x], output, join }) => {
      join(x![0]!, output[0]!);
      join(productAxis(x!.slice(1)), output[1]!);
    },
  );
  return apply(operation, [x], undefined);
}

/** Concatenation along axis 1. */
export function concatenate(...parts: Node[]): Node {
  const operation = symbolic<undefined>(
    'concatenate',
    (shapes) => [
      shapes[0]![0]!,
      shapes.reduce((sum, shape) => sum + width(shape[1]), 0),
      ...shapes[0]!.slice(2),
    ],
    ({ inputs, output, join }) => {
      for (const axes of inputs) joinAll(axes, [output[0]!, axes[1]!, ...output.slice(2)], join);
      join(concatenatedAxis(inputs.map((axes) => axes[1]!)), output[1]!);
    },
  );
  return apply(operation, parts, undefined);
}

const around = (axis: Axis, [before, after]: readonly [number, number]): Axis =>
  concatenatedAxis([freshAxis(before), axis, freshAxis(after)]);

/** Zeros before and after along axis 1. */
export function padChannels(x: Node, amount: readonly [number, number]): Node {
  const operation = symbolic<readonly [number, number]>(
    'padChannels',
    ([s], [before, after]) => [s![0]!, before + width(s![1]) + after, ...s!.slice(2)],
    ({ inputs: [x], output, attributes, join }) => {
      joinAll([x![0]!, around(x![1]!, attributes), ...x!.slice(2)], output, join);
    },
  );
  return apply(operation, [x], amount);
}

/** Channels start .. end - 1 of axis 1. */
export function sliceChannels(x: Node, start: number, end: number): Node {
  const operation = symbolic<readonly [number, number]>(
    'sliceChannels',
    ([s]) => [s![0]!, end - start, ...s!.slice(2)],
    ({ inputs: [x], output, attributes, join }) => {
      joinAll(x!, [output[0]!, around(output[1]!, attributes), ...output.slice(2)], join);
    },
  );
  return apply(operation, [x], [start, width(x.shape[1]) - end]);
}

/** A convolution of `groups` groups, same-padded: weight [out, in / groups, h, w]. */
export function convolution(x: Node, weight: Node, groups = 1): Node {
  const operation = symbolic<{ groups: number; perGroup: number }>(
    'convolution',
    ([s, w]) => [s![0]!, w![0]!, ...s!.slice(2)],
    ({ inputs: [x, weight], output, attributes: { groups, perGroup }, join, pin }) => {
      join(x![0]!, output[0]!);
      const group = freshAxis(groups);
      join(x![1]!, productAxis([group, weight![1]!]));
      join(weight![0]!, productAxis([group, freshAxis(perGroup)]));
      join(weight![0]!, output[1]!);
      for (const axis of [...x!.slice(2), ...output.slice(2), ...weight!.slice(2)]) pin(axis, 'space');
    },
  );
  return apply(operation, [x, weight], { groups, perGroup: width(weight.shape[0]) / groups });
}

/** Scale and shift of each channel: x [N, C, ...], scale [C]. */
export function scaleChannels(x: Node, ...vectors: Node[]): Node {
  const operation = symbolic<undefined>(
    'scaleChannels',
    ([s]) => s!,
    ({ inputs: [x, ...vectors], output, join }) => {
      joinAll(x!, output, join);
      for (const vector of vectors) join(vector[0]!, x![1]!);
    },
  );
  return apply(operation, [x, ...vectors], undefined);
}

/** Normalises each of `groups` runs of channels by itself. */
export function groupNorm(x: Node, groups: number): Node {
  const channels = width(x.shape[1]);
  const operation = symbolic<undefined>(
    'groupNorm',
    ([s]) => s!,
    (a) => {
      joinEveryAxis(a);
      a.join(a.output[1]!, separateSegmentsAxis(groups, channels / groups));
    },
  );
  return apply(operation, [x], undefined);
}
