/** Softplus log(1 + e^x), and the sigmoid that is its gradient. */
import { apply, type Node } from '../graph.ts';
import { multiply, offset, scale } from './arithmetic.ts';
import { elementwiseOperation } from './elementwise.ts';

const softplusOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'softplus',
  expression: () => ({ text: 'softplus(a)' }),
  gradient: ({ inputs: [x], outputGradient }) => [multiply(outputGradient, sigmoid(x!))],
});

const sigmoidOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'sigmoid',
  expression: () => ({ text: 'sigmoid(a)' }),
  gradient: ({ output, outputGradient }) => [
    multiply(outputGradient, multiply(output, offset(scale(output, -1), 1))),
  ],
});

/** `log(1 + exp(x))`, computed without overflow. */
export function softplus(x: Node): Node {
  return apply(softplusOperation, [x], undefined);
}

/** `1 / (1 + exp(-x))`. */
export function sigmoid(x: Node): Node {
  return apply(sigmoidOperation, [x], undefined);
}
