/**
 * Two-dimensional convolution and the two operations that are its gradients. The three are one trilinear form seen from three sides,
 * sum of input * weight * output gradient, so each one's gradients are the other two, to any order.
 */
import { ShapeError } from '../../base/errors.ts';
import {
  conv2dInputGradient as inputGradientKernel,
  conv2d as kernel,
  conv2dWeightGradient as weightGradientKernel,
} from '../../kernels/conv/conv2d.ts';
import { convolvedSize } from '../../kernels/conv/geometry.ts';
import { type Axis, axisSize, freshAxis, productAxis } from '../axes.ts';
import { apply, type Node } from '../graph.ts';
import type { AxesArguments, Operation } from '../operation.ts';
import { type Dim, expectRank, formatShape, type Shape } from '../shape.ts';
import { sumChannels } from './channels.ts';

/** Vertical and horizontal. */
export type Pair = readonly [number, number];

/** How a convolution slides over its input. */
export interface Conv2dOptions {
  /** Steps between outputs, vertically and horizontally; one number for both. Default: 1. */
  readonly stride?: number | Pair;
  /** Zeros on each side, above and below, left and right; one number for both. Default: 0. */
  readonly padding?: number | Pair;
  /** Channels are cut into as many groups; as many as there are channels makes a depthwise convolution. Default: 1. */
  readonly groups?: number;
}

interface Sliding {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly groups: number;
}

function slidingOf({ stride = 1, padding = 0, groups = 1 }: Conv2dOptions): Sliding {
  const pair = (value: number | Pair): Pair => (typeof value === 'number' ? [value, value] : value);
  return { stride: pair(stride), padding: pair(padding), groups };
}

const conv2dOperation: Operation<Sliding> = {
  name: 'conv2d',
  fuses: ['norm', 'addend', 'relu'],
  shape([x, weight, bias], sliding) {
    if (bias && (bias.length !== 1 || bias[0] !== weight![0])) {
      throw new ShapeError(
        `conv2d: the weight ${formatShape(weight!)} needs a bias [${weight![0]}], got ${formatShape(bias)}`,
      );
    }
    return convolvedShape('conv2d', x!, weight!, sliding);
  },
  kernels: ({ context, inputs: [input, weight, bias], output, attributes, epilogue }) =>
    kernel(context, {
      ...attributes,
      ...epilogue,
      input: input!,
      weight: weight!,
      output,
      ...(bias ? { bias } : {}),
    }),
  gradient({ inputs: [x, weight, bias], outputGradient: d, attributes, wanted }) {
    return [
      wanted[0] ? conv2dInputGradient(d, weight!, sizeOf(x!), attributes) : undefined,
      wanted[1] ? conv2dWeightGradient(x!, d, sizeOf(weight!), attributes) : undefined,
      bias && wanted[2] ? sumChannels(d) : undefined,
    ];
  },
  axes(a) {
    const [x, weight, bias] = a.inputs;
    tie(a, x!, weight!, a.output, a.attributes);
    if (bias) a.join(bias[0]!, a.output[1]!);
  },
};

interface InputGradientAttributes extends Sliding {
  /** H and W of the input. */
  readonly size: Pair;
}

const inputGradientOperation: Operation<InputGradientAttributes> = {
  name: 'conv2dInputGradient',
  shape([d, weight], { size, ...sliding }) {
    expectRank('conv2dInputGradient', 'the output gradient', d!, 4);
    expectRank('conv2dInputGradient', 'the weight', weight!, 4);
    const channels = (weight![1] as number) * sliding.groups;
    const shape = [d![0]!, channels, ...size];
    expectOutput('conv2dInputGradient', d!, convolvedShape('conv2dInputGradient', shape, weight!, sliding));
    return shape;
  },
  kernels: ({ context, inputs: [outputGradient, weight], output, attributes }) =>
    inputGradientKernel(context, {
      ...attributes,
      outputGradient: outputGradient!,
      weight: weight!,
      output,
    }),
  gradient({ inputs: [d, weight], outputGradient: x, attributes, wanted }) {
    return [
      wanted[0] ? conv2d(x, weight!, undefined, attributes) : undefined,
      wanted[1] ? conv2dWeightGradient(x, d!, sizeOf(weight!), attributes) : undefined,
    ];
  },
  axes(a) {
    const [d, weight] = a.inputs;
    tie(a, a.output, weight!, d!, a.attributes);
  },
};

interface WeightGradientAttributes extends Sliding {
  /** KH and KW of the weight. */
  readonly size: Pair;
}

const weightGradientOperation: Operation<WeightGradientAttributes> = {
  name: 'conv2dWeightGradient',
  shape([x, d], { size, ...sliding }) {
    expectRank('conv2dWeightGradient', 'the input', x!, 4);
    expectRank('conv2dWeightGradient', 'the output gradient', d!, 4);
    const shape = [d![1]!, (x![1] as number) / sliding.groups, ...size];
    expectOutput('conv2dWeightGradient', d!, convolvedShape('conv2dWeightGradient', x!, shape, sliding));
    return shape;
  },
  kernels: ({ context, inputs: [input, outputGradient], output, attributes, scratch }) =>
    weightGradientKernel(context, {
      ...attributes,
      input: input!,
      outputGradient: outputGradient!,
      output,
      scratch,
    }),
  gradient({ inputs: [x, d], outputGradient: weight, attributes, wanted }) {
    return [
      wanted[0] ? conv2dInputGradient(d!, weight, sizeOf(x!), attributes) : undefined,
      wanted[1] ? conv2d(x!, weight, undefined, attributes) : undefined,
    ];
  },
  axes(a) {
    const [x, d] = a.inputs;
    tie(a, x!, a.output, d!, a.attributes);
  },
};

/**
 * A convolution (in the sense of neural networks: a cross-correlation).
 * @param x [N, C, H, W]
 * @param weight [O, C / groups, KH, KW]
 * @param bias [O], or none
 * @returns [N, O, HO, WO], HO = floor((H + 2 padding - KH) / stride) + 1 and WO likewise.
 */
export function conv2d(x: Node, weight: Node, bias?: Node, options: Conv2dOptions = {}): Node {
  return apply(conv2dOperation, bias ? [x, weight, bias] : [x, weight], slidingOf(options));
}

/**
 * The gradient with respect to a convolution's input; also a transposed convolution.
 * @param outputGradient [N, O, HO, WO]
 * @param weight [O, C / groups, KH, KW]
 * @param size H and W of the input, which a stride above 1 leaves open.
 * @returns [N, C, H, W]
 */
export function conv2dInputGradient(
  outputGradient: Node,
  weight: Node,
  size: Pair,
  options: Conv2dOptions = {},
): Node {
  return apply(inputGradientOperation, [outputGradient, weight], { ...slidingOf(options), size });
}

/**
 * The gradient with respect to a convolution's weight.
 * @param x [N, C, H, W]
 * @param outputGradient [N, O, HO, WO]
 * @param size KH and KW of the weight, which a stride above 1 leaves open.
 * @returns [O, C / groups, KH, KW]
 */
export function conv2dWeightGradient(
  x: Node,
  outputGradient: Node,
  size: Pair,
  options: Conv2dOptions = {},
): Node {
  return apply(weightGradientOperation, [x, outputGradient], { ...slidingOf(options), size });
}

const sizeOf = ({ shape }: Node): Pair => [shape[2] as number, shape[3] as number];

function convolvedShape(
  caller: string,
  x: Shape,
  weight: Shape,
  { stride, padding, groups }: Sliding,
): Dim[] {
  expectRank(caller, 'the input', x, 4);
  expectRank(caller, 'the weight', weight, 4);
  const [batch, channels, height, width] = x as readonly [Dim, number, number, number];
  const [outChannels, perGroup, kernelH, kernelW] = weight as readonly [number, number, number, number];
  if (perGroup * groups !== channels || outChannels % groups !== 0) {
    throw new ShapeError(
      `${caller}: the weight ${formatShape(weight)} with groups ${groups} takes ${perGroup * groups} channels and gives a ` +
        `multiple of ${groups}, the input ${formatShape(x)} has ${channels}; use weights [O, C / groups, KH, KW]`,
    );
  }
  const outH = convolvedSize(caller, 'height', height, kernelH, stride[0], padding[0]);
  const outW = convolvedSize(caller, 'width', width, kernelW, stride[1], padding[1]);
  return [batch!, outChannels, outH, outW];
}

function expectOutput(caller: string, outputGradient: Shape, expected: Shape): void {
  if (outputGradient.join() !== expected.join()) {
    throw new ShapeError(
      `${caller}: the convolution has an output ${formatShape(expected)}, got an output gradient ${formatShape(outputGradient)}; ` +
        'pass the size, stride, padding and groups of the forward pass',
    );
  }
}

/** Channels carry the same index where they meet; with groups, that of the group and that inside it. Space is pinned. */
function tie(
  { join, pin }: Pick<AxesArguments, 'join' | 'pin'>,
  x: readonly Axis[],
  weight: readonly Axis[],
  y: readonly Axis[],
  { groups }: Sliding,
): void {
  join(x[0]!, y[0]!);
  const group = freshAxis(groups);
  join(x[1]!, productAxis([group, weight[1]!]));
  join(weight[0]!, y[1]!);
  if (groups > 1) join(weight[0]!, productAxis([group, freshAxis(axisSize(weight[0]!) / groups)]));
  for (const axis of [x, weight, y].flatMap((axes) => axes.slice(2)))
    pin(axis, 'a convolution slides over this axis');
}
