/** Addition, subtraction, multiplication of tensors of one shape, and multiplication by a number. */
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { elementwiseOperation } from './elementwise.ts';

const addOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'add',
  epilogue: 'addend',
  expression: () => ({ text: 'a + b' }),
  gradient: ({ outputGradient }) => [outputGradient, outputGradient],
});

const subtractOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'subtract',
  expression: () => ({ text: 'a - b' }),
  gradient: ({ outputGradient, wanted }) => [
    outputGradient,
    wanted[1] ? scale(outputGradient, -1) : undefined,
  ],
});

const multiplyOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'multiply',
  expression: () => ({ text: 'a * b' }),
  gradient: ({ inputs: [a, b], outputGradient, wanted }) => [
    wanted[0] ? multiply(outputGradient, b!) : undefined,
    wanted[1] ? multiply(outputGradient, a!) : undefined,
  ],
});

interface ScaleAttributes {
  readonly factor: number;
  /** The factor is multiplied by N to this power: -1 for means over the batch. */
  readonly batchPower: -1 | 0;
}

const scaleOperation: Operation<ScaleAttributes> = /* @__PURE__ */ elementwiseOperation<ScaleAttributes>({
  name: 'scale',
  expression: ({ factor, batchPower }, batchSize) => ({
    text: 'a * s0',
    scalars: [batchPower === 0 ? factor : factor / batchSize],
  }),
  gradient: ({ outputGradient, attributes }) => [apply(scaleOperation, [outputGradient], attributes)],
});

const offsetOperation = /* @__PURE__ */ elementwiseOperation<{ readonly offset: number }>({
  name: 'offset',
  expression: ({ offset }) => ({ text: 'a + s0', scalars: [offset] }),
  gradient: ({ outputGradient }) => [outputGradient],
});

/** `a + b`, both of one shape. */
export function add(a: Node, b: Node): Node {
  return apply(addOperation, [a, b], undefined);
}

/** `a - b`, both of one shape. */
export function subtract(a: Node, b: Node): Node {
  return apply(subtractOperation, [a, b], undefined);
}

/** `a * b` element by element, both of one shape. */
export function multiply(a: Node, b: Node): Node {
  return apply(multiplyOperation, [a, b], undefined);
}

/** `factor * a`. */
export function scale(a: Node, factor: number): Node {
  return apply(scaleOperation, [a], { factor, batchPower: 0 });
}

/** `factor / N * a`, N the batch size of the run: what turns sums over a batch into means. */
export function scaleByBatch(a: Node, factor = 1): Node {
  return apply(scaleOperation, [a], { factor, batchPower: -1 });
}

/** `a + offset`, the same number for every element. */
export function offset(a: Node, offset: number): Node {
  return apply(offsetOperation, [a], { offset });
}
