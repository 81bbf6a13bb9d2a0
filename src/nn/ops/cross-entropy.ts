/** Softmax, cross-entropy of logits with integer labels, and the count of correct predictions. */
import { ShapeError } from '../../base/errors.ts';
import * as kernels from '../../kernels/softmax/softmax.ts';
import { apply, type Node } from '../graph.ts';
import type { AxesArguments, Operation } from '../operation.ts';
import { expectRank, formatShape, type Shape } from '../shape.ts';
import { multiply, subtract } from './arithmetic.ts';
import { joinEveryAxis } from './elementwise.ts';
import { fill } from './fill.ts';
import { broadcast, sum } from './sum.ts';

const softmaxOperation: Operation<undefined> = {
  name: 'softmax',
  shape([x]) {
    expectRank('softmax', 'the logits', x!, 2);
    return x!;
  },
  kernels: ({ context, inputs: [logits], output }) => kernels.softmax(context, { logits: logits!, output }),
  // dx = y * (dy - sum(dy * y))
  gradient({ output, outputGradient }) {
    const inner = sum(multiply(outputGradient, output), 1);
    return [multiply(output, subtract(outputGradient, broadcast(inner, 1, output.shape[1]!)))];
  },
  axes: joinEveryAxis,
};

const crossEntropyOperation: Operation<undefined> = {
  name: 'crossEntropy',
  shape([logits, labels]) {
    return lossShape('crossEntropy', logits!, labels!);
  },
  kernels: ({ context, inputs: [logits, labels], output }) =>
    kernels.crossEntropy(context, { logits: logits!, labels: labels!, output }),
  gradient({ inputs: [logits, labels], outputGradient }) {
    return [crossEntropyGradient(logits!, labels!, outputGradient), undefined];
  },
  axes: pinClasses,
};

const crossEntropyGradientOperation: Operation<undefined> = {
  name: 'crossEntropyGradient',
  shape([logits, labels, scale]) {
    lossShape('crossEntropyGradient', logits!, labels!);
    expectRank('crossEntropyGradient', 'the scale', scale!, 1);
    return logits!;
  },
  kernels: ({ context, inputs: [logits, labels, scale], output }) =>
    kernels.crossEntropyGradient(context, { logits: logits!, labels: labels!, scale: scale!, output }),
  gradient({ inputs: [logits, labels, scale], outputGradient: v, wanted }) {
    // With p the softmax: G = scale (p - onehot), so dG/dlogits applied to v is scale p (v - p.v), and dG/dscale is v.(p - onehot).
    const classes = logits!.shape[1]!;
    const toLogits = () => {
      const p = softmax(logits!);
      const centred = subtract(v, broadcast(sum(multiply(p, v), 1), 1, classes));
      return multiply(broadcast(scale!, 1, classes), multiply(p, centred));
    };
    const unscaled = () => crossEntropyGradient(logits!, labels!, undefined);
    return [
      wanted[0] ? toLogits() : undefined,
      undefined,
      wanted[2] ? sum(multiply(v, unscaled()), 1) : undefined,
    ];
  },
  axes: pinClasses,
};

const correctOperation: Operation<undefined> = {
  name: 'correct',
  shape([logits, labels]) {
    return lossShape('correct', logits!, labels!);
  },
  kernels: ({ context, inputs: [logits, labels], output }) =>
    kernels.correct(context, { logits: logits!, labels: labels!, output }),
  axes: pinClasses,
};

/** Labels point into the class axis, so no permutation of classes is allowed: from a scalar loss they would otherwise look free. */
function pinClasses({ inputs: [logits, labels, scale], output, join, pin }: AxesArguments): void {
  join(logits![0]!, output[0]!);
  join(labels![0]!, output[0]!);
  if (scale) join(scale[0]!, output[0]!);
  if (output[1]) join(logits![1]!, output[1]);
  pin(logits![1]!, 'labels index the classes');
}

function lossShape(operation: string, logits: Shape, labels: Shape): Shape {
  expectRank(operation, 'the logits', logits, 2);
  if (labels.length !== 1 || labels[0] !== logits[0]) {
    throw new ShapeError(
      `${operation}: logits ${formatShape(logits)} need labels [${logits[0]}], got ${formatShape(labels)}`,
    );
  }
  return [logits[0]!];
}

/** Softmax along the last axis of [N, C]. */
export function softmax(logits: Node): Node {
  return apply(softmaxOperation, [logits], undefined);
}

/**
 * Cross-entropy of each row, `log(sum(exp(logits))) - logits[label]`, natural logarithm.
 * @param logits [N, C]
 * @param labels [N], u32, each below C
 * @returns [N]
 */
export function crossEntropy(logits: Node, labels: Node): Node {
  return apply(crossEntropyOperation, [logits, labels], undefined);
}

/** `(softmax(logits) - onehot(labels)) * scale[n]`; scale is 1 where it is left out. */
function crossEntropyGradient(logits: Node, labels: Node, scale: Node | undefined): Node {
  return apply(
    crossEntropyGradientOperation,
    [logits, labels, scale ?? fill([logits.shape[0]!], 1)],
    undefined,
  );
}

/** 1 where the largest logit is the label's, else 0: [N]. It has no gradient. */
export function correct(logits: Node, labels: Node): Node {
  return apply(correctOperation, [logits, labels], undefined);
}
