/** Hyperbolic tangent; its gradient is 1 - y^2 of its own output y. */
import { apply, type Node } from '../graph.ts';
import { multiply, offset, scale } from './arithmetic.ts';
import { elementwiseOperation } from './elementwise.ts';

const tanhOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'tanh',
  expression: () => ({ text: 'tanhSafe(a)' }),
  gradient: ({ output, outputGradient }) => [
    multiply(outputGradient, offset(scale(multiply(output, output), -1), 1)),
  ],
});

/** `tanh(x)`. */
export function tanh(x: Node): Node {
  return apply(tanhOperation, [x], undefined);
}
