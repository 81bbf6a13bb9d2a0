/** Log-softmax, and cross-entropy with smoothed labels, which is written with it. */
import { OptionError } from '../../base/errors.ts';
import * as kernels from '../../kernels/softmax/log-softmax.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { expectRank } from '../shape.ts';
import { add, multiply, scale, subtract } from './arithmetic.ts';
import { crossEntropy, softmax } from './cross-entropy.ts';
import { joinEveryAxis } from './elementwise.ts';
import { broadcast, mean, sum } from './sum.ts';

const logSoftmaxOperation: Operation<undefined> = {
  name: 'logSoftmax',
  shape([x]) {
    expectRank('logSoftmax', 'the logits', x!, 2);
    return x!;
  },
  kernels: ({ context, inputs: [logits], output }) =>
    kernels.logSoftmax(context, { logits: logits!, output }),
  // dx = dy - softmax(x) * sum(dy)
  gradient({ inputs: [x], outputGradient }) {
    const total = broadcast(sum(outputGradient, 1), 1, x!.shape[1]!);
    return [subtract(outputGradient, multiply(softmax(x!), total))];
  },
  axes: joinEveryAxis,
};

/** Logarithm of the softmax along the last axis of [N, C]. */
export function logSoftmax(logits: Node): Node {
  return apply(logSoftmaxOperation, [logits], undefined);
}

/**
 * Cross-entropy with the label's probability 1 - smoothing + smoothing / C and smoothing / C for every other class, as PyTorch's
 * `label_smoothing` (Szegedy et al. 2016).
 * @param logits [N, C] @param labels [N], u32 @param smoothing 0 to 1; 0 is `crossEntropy`
 * @returns [N]
 */
export function smoothedCrossEntropy(logits: Node, labels: Node, smoothing: number): Node {
  if (!(smoothing >= 0 && smoothing <= 1))
    throw new OptionError(`smoothedCrossEntropy: smoothing must be 0 to 1, got ${smoothing}`);
  const ofLabel = crossEntropy(logits, labels);
  if (smoothing === 0) return ofLabel;
  return add(scale(ofLabel, 1 - smoothing), scale(mean(logSoftmax(logits), 1), -smoothing));
}
