/**
 * What norms are made of: `normalise` applies known numbers channel by channel, `centredSums` is all that its gradient needs to know of
 * a channel, `normaliseAdded` is how the gradients of a norm and of its statistics become one pass. Each has gradients of its own.
 */
import { centredChannelSums } from '../../kernels/norm/channels.ts';
import {
  normaliseAdded as normaliseAddedKernel,
  normalise as normaliseKernel,
} from '../../kernels/norm/normalise.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { expectSameShape } from '../shape.ts';
import { multiply, scale } from './arithmetic.ts';
import { broadcastChannels, channelSizes, channelsOf, expectVector, row, sumChannels } from './channels.ts';
import { elementwiseOperation } from './elementwise.ts';

/** (x - mean) * factor + shift, channel by channel: the norm itself, and the shape of the gradients of its statistics and sums. */
export const normaliseOperation: Operation<undefined> = {
  name: 'normalise',
  fuses: ['relu'],
  epilogue: 'norm',
  shape([x, mean, factor, shift]) {
    const channels = channelsOf('norm', x!);
    expectVector('norm', 'a mean', mean!, channels);
    expectVector('norm', 'a weight', factor!, channels);
    expectVector('norm', 'a bias', shift!, channels);
    return x!;
  },
  kernels: ({ context, inputs: [input, mean, factor, shift], output, epilogue }) =>
    normaliseKernel(context, {
      ...channelSizes(input!.shape),
      input: input!,
      mean: mean!,
      factor: factor!,
      shift: shift!,
      output,
      activation: epilogue.activation,
    }),
  gradient({ inputs: [x, mean, factor], outputGradient: dy, wanted }) {
    const toVectors = () => {
      const sums = centredSums(dy, x!, mean!);
      const total = row(sums, 0);
      return [scale(multiply(total, factor!), -1), row(sums, 1), total];
    };
    const toX = () => multiply(dy, broadcastChannels(factor!, x!.shape));
    const vectors = wanted.slice(1).includes(true) ? toVectors() : [];
    return [wanted[0] ? toX() : undefined, ...vectors];
  },
  axes({ inputs: [x, ...vectors], output, join }) {
    for (const [k, axis] of x!.entries()) join(axis, output[k]!);
    for (const vector of vectors) join(vector[0]!, output[1]!);
  },
};

/** (x - mean) factor + shift + g slope, channel by channel. Inputs x, mean, factor, shift, g, slope. */
const normaliseAddedOperation: Operation<undefined> = {
  name: 'normaliseAdded',
  shape([x, , , , g]) {
    expectSameShape('normaliseAdded', x!, g!);
    return x!;
  },
  kernels: ({ context, inputs: [input, mean, factor, shift, added, slope], output }) =>
    normaliseAddedKernel(context, {
      ...channelSizes(input!.shape),
      input: input!,
      mean: mean!,
      factor: factor!,
      shift: shift!,
      added: added!,
      slope: slope!,
      output,
    }),
  gradient({ inputs: [x, mean, factor, , g, slope], outputGradient: v, wanted }) {
    const sums = centredSums(v, x!, mean!);
    const total = row(sums, 0);
    return [
      wanted[0] ? multiply(v, broadcastChannels(factor!, x!.shape)) : undefined,
      wanted[1] ? scale(multiply(total, factor!), -1) : undefined,
      wanted[2] ? row(sums, 1) : undefined,
      wanted[3] ? total : undefined,
      wanted[4] ? multiply(v, broadcastChannels(slope!, x!.shape)) : undefined,
      wanted[5] ? sumChannels(multiply(v, g!)) : undefined,
    ];
  },
  axes({ inputs: [x, mean, factor, shift, g, slope], output, join }) {
    for (const axes of [x!, g!]) for (const [k, axis] of axes.entries()) join(axis, output[k]!);
    for (const vector of [mean!, factor!, shift!, slope!]) join(vector[0]!, output[1]!);
  },
};

/** Row 0: sum of g, row 1: sum of g (x - mean), over everything but the channels. Inputs g, x, mean. */
const centredSumsOperation: Operation<undefined> = {
  name: 'centredSums',
  shape([g, x, mean]) {
    expectSameShape('centredSums', g!, x!);
    const channels = channelsOf('centredSums', x!);
    expectVector('centredSums', 'a mean', mean!, channels);
    return [2, channels];
  },
  kernels: ({ context, inputs: [a, b, centre], output, scratch }) =>
    centredChannelSums(context, {
      ...channelSizes(a!.shape),
      a: a!,
      b: b!,
      centre: centre!,
      output,
      scratch,
    }),
  gradient({ inputs: [g, x, mean], output, outputGradient, wanted }) {
    const toTotal = row(outputGradient, 0);
    const toProduct = row(outputGradient, 1);
    const toG = () => normalise(x!, mean!, toProduct, toTotal);
    return [
      wanted[0] ? toG() : undefined,
      wanted[1] ? multiply(g!, broadcastChannels(toProduct, x!.shape)) : undefined,
      wanted[2] ? scale(multiply(toProduct, row(output, 0)), -1) : undefined,
    ];
  },
  axes({ inputs: [g, x, mean], output, join, pin }) {
    for (const [k, axis] of g!.entries()) join(axis, x![k]!);
    join(x![1]!, output[1]!);
    join(mean![0]!, output[1]!);
    pin(output[0]!, 'the sum and the product');
  },
};

const inverseDeviationOperation = /* @__PURE__ */ elementwiseOperation<{ readonly eps: number }>({
  name: 'inverseDeviation',
  expression: ({ eps }) => ({ text: 'T(1.0) / sqrt(a + T(s0))', scalars: [eps] }),
  // d (v + eps)^(-1/2) = -1/2 (v + eps)^(-3/2)
  gradient: ({ output, outputGradient }) => [
    multiply(outputGradient, scale(multiply(output, multiply(output, output)), -0.5)),
  ],
});

/** `(x - mean) * factor + shift`, x [N, C, ...], the others [C]. A ReLU that follows is part of the same pass. */
export function normalise(x: Node, mean: Node, factor: Node, shift: Node): Node {
  return apply(normaliseOperation, [x, mean, factor, shift], undefined);
}

/** `(x - mean) * factor + shift + g * slope`, x and g [N, C, ...], the others [C]. */
export function normaliseAdded(x: Node, mean: Node, factor: Node, shift: Node, g: Node, slope: Node): Node {
  return apply(normaliseAddedOperation, [x, mean, factor, shift, g, slope], undefined);
}

/** [2, C]: row 0 the sum of g over everything but the channels, row 1 that of `g * (x - mean)`. */
export function centredSums(g: Node, x: Node, mean: Node): Node {
  return apply(centredSumsOperation, [g, x, mean], undefined);
}

/** `1 / sqrt(variance + eps)`, element by element. */
export function inverseDeviation(variance: Node, eps: number): Node {
  return apply(inverseDeviationOperation, [variance], { eps });
}
