/** ReLU: max(x, 0), NaN where x is. Its gradient is written with its own output, so that nobody needs to keep the pre-activation. */
import { apply, type Node } from '../graph.ts';
import { multiply } from './arithmetic.ts';
import { elementwiseOperation } from './elementwise.ts';

const reluOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'relu',
  epilogue: 'relu',
  expression: () => ({ text: 'rectified(a)' }),
  gradient: ({ output, outputGradient }) => [multiply(outputGradient, step(output))],
});

const stepOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'step',
  expression: () => ({ text: 'select(T(0.0), T(1.0), a > T(0.0))' }),
  gradient: () => [undefined],
});

/** `max(x, 0)`. Its gradient at 0 is 0, as PyTorch's. */
export function relu(x: Node): Node {
  return apply(reluOperation, [x], undefined);
}

/** 1 where x > 0, else 0; its gradient is taken as zero. */
export function step(x: Node): Node {
  return apply(stepOperation, [x], undefined);
}
