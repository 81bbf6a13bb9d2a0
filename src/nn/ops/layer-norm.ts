/**
 * Norms within a sample: layer norm (Ba, Kiros and Hinton 2016) over the channels at each position or over the whole sample, and group
 * norm (Wu and He 2018). A scale and a shift for each channel follow. Training and evaluation are the same.
 */
import { ShapeError } from '../../base/errors.ts';
import * as kernels from '../../kernels/norm/standardise.ts';
import { axisSize, separateSegmentsAxis } from '../axes.ts';
import { apply, type Node } from '../graph.ts';
import type { AxesArguments, Operation } from '../operation.ts';
import { expectSameShape, formatShape, type Shape } from '../shape.ts';
import { add, multiply, scale, subtract } from './arithmetic.ts';
import { channelsOf } from './channels.ts';
import { joinEveryAxis } from './elementwise.ts';
import { fill } from './fill.ts';
import { inverseDeviation, normalise } from './normalise.ts';

interface MeanAttributes {
  readonly together: kernels.Together;
}

interface StandardiseAttributes extends MeanAttributes {
  readonly eps: number;
}

const standardiseOperation: Operation<StandardiseAttributes> = {
  name: 'standardise',
  shape: ([x], attributes) => checkedShape(x!, attributes),
  kernels: ({ context, inputs: [input], output, attributes, scratch }) =>
    kernels.standardise(context, { input: input!, output, ...attributes, scratch }),
  gradient: ({ inputs: [x], outputGradient, attributes }) => [
    apply(standardiseGradientOperation, [x!, outputGradient], attributes),
  ],
  axes: standardiseAxes,
};

/**
 * G(x, d) = r (d - mean(d) - y mean(d y)), y = (x - mean(x)) r. Linear and its own adjoint in d; with v the gradient of the result,
 * through r and y: G(x, w) - r^2 y (mean(v d) - mean(v) mean(d) - mean(v y) mean(d y)), w = -r (v mean(d y) + d mean(v y)).
 */
const standardiseGradientOperation: Operation<StandardiseAttributes> = {
  name: 'standardiseGradient',
  shape([x, d], attributes) {
    expectSameShape('standardiseGradient', x!, d!);
    return checkedShape(x!, attributes);
  },
  kernels: ({ context, inputs: [input, outputGradient], output, attributes, scratch }) =>
    kernels.standardiseGradient(context, {
      input: input!,
      outputGradient: outputGradient!,
      output,
      ...attributes,
      scratch,
    }),
  gradient({ inputs: [x, d], outputGradient: v, attributes, wanted }) {
    const { together, eps } = attributes;
    const pullBack = (w: Node) => apply(standardiseGradientOperation, [x!, w], attributes);
    const mean = (a: Node) => apply(spreadMeanOperation, [a], { together });
    const toX = () => {
      const centred = subtract(x!, mean(x!));
      const r = inverseDeviation(mean(multiply(centred, centred)), eps);
      const y = multiply(centred, r);
      const meanDy = mean(multiply(d!, y));
      const meanVy = mean(multiply(v, y));
      const w = scale(multiply(r, add(multiply(v, meanDy), multiply(d!, meanVy))), -1);
      const common = subtract(
        mean(multiply(v, d!)),
        add(multiply(mean(v), mean(d!)), multiply(meanVy, meanDy)),
      );
      return subtract(pullBack(w), multiply(multiply(multiply(r, r), y), common));
    };
    return [wanted[0] ? toX() : undefined, wanted[1] ? pullBack(v) : undefined];
  },
  axes: standardiseAxes,
};

/** The mean of what belongs together, everywhere in it: its own adjoint. */
const spreadMeanOperation: Operation<MeanAttributes> = {
  name: 'spreadMean',
  shape: ([x], attributes) => checkedShape(x!, attributes),
  kernels: ({ context, inputs: [input], output, attributes, scratch }) =>
    kernels.spreadMean(context, { input: input!, output, ...attributes, scratch }),
  gradient: ({ outputGradient, attributes }) => [apply(spreadMeanOperation, [outputGradient], attributes)],
  axes: standardiseAxes,
};

/** Channels keep their index; those of different groups must not change places. */
function standardiseAxes(a: AxesArguments<MeanAttributes>): void {
  joinEveryAxis(a);
  const { together } = a.attributes;
  if (together === 'channels' || together.groups === 1) return;
  const [, channels] = a.output;
  a.join(channels!, separateSegmentsAxis(together.groups, axisSize(channels!) / together.groups));
}

function checkedShape(x: Shape, { together }: MeanAttributes): Shape {
  const channels = channelsOf('layerNorm', x);
  if (together === 'channels') return x;
  const { groups } = together;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ShapeError(
      `groupNorm: ${groups} groups must divide the ${channels} channels of ${formatShape(x)}; use a divisor`,
    );
  }
  return x;
}

/**
 * `(x - mean) / sqrt(variance + eps) * weight + bias` of each sample.
 * @param x [N, C] or [N, C, H, W]
 * @param weight [C]. Default: ones. @param bias [C]. Default: zeros.
 * `over`: mean and variance over the channels at each position, or over all of C, H and W. Default: `channels`. `eps`: 1e-5.
 */
export function layerNorm(
  x: Node,
  weight?: Node,
  bias?: Node,
  { over = 'channels', eps = 1e-5 }: { over?: 'channels' | 'sample'; eps?: number } = {},
): Node {
  const together = over === 'channels' ? over : { groups: 1 };
  return affine(apply(standardiseOperation, [x], { together, eps }), weight, bias);
}

/** Layer norm over each of `groups` runs of C / groups channels and all their positions. */
export function groupNorm(x: Node, groups: number, weight?: Node, bias?: Node, eps = 1e-5): Node {
  return affine(apply(standardiseOperation, [x], { together: { groups }, eps }), weight, bias);
}

function affine(x: Node, weight: Node | undefined, bias: Node | undefined): Node {
  if (!weight && !bias) return x;
  const channels = channelsOf('layerNorm', x.shape);
  const [ones, zeros] = [fill([channels], 1), fill([channels], 0)];
  return normalise(x, zeros, weight ?? ones, bias ?? zeros);
}
