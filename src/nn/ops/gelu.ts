/**
 * GELU x Phi(x) with the exact normal distribution function Phi (Hendrycks and Gimpel 2016; PyTorch's default, not the tanh form),
 * and the normal distribution and density functions its gradients need.
 */
import { apply, type Node } from '../graph.ts';
import { add, multiply, scale } from './arithmetic.ts';
import { elementwiseOperation } from './elementwise.ts';

const geluOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'gelu',
  expression: () => ({ text: 'a * normalCdf(a)' }),
  // d/dx x Phi(x) = Phi(x) + x phi(x)
  gradient: ({ inputs: [x], outputGradient }) => [
    multiply(outputGradient, add(normalCdf(x!), multiply(x!, normalPdf(x!)))),
  ],
});

const normalCdfOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'normalCdf',
  expression: () => ({ text: 'normalCdf(a)' }),
  gradient: ({ inputs: [x], outputGradient }) => [multiply(outputGradient, normalPdf(x!))],
});

const normalPdfOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'normalPdf',
  expression: () => ({ text: 'normalPdf(a)' }),
  // phi'(x) = -x phi(x)
  gradient: ({ inputs: [x], output, outputGradient }) => [
    multiply(outputGradient, scale(multiply(x!, output), -1)),
  ],
});

/** `x Phi(x)`. */
export function gelu(x: Node): Node {
  return apply(geluOperation, [x], undefined);
}

function normalCdf(x: Node): Node {
  return apply(normalCdfOperation, [x], undefined);
}

function normalPdf(x: Node): Node {
  return apply(normalPdfOperation, [x], undefined);
}
