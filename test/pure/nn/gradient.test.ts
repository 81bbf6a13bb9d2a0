/** Gradient rules against central differences of the float64 reference: no GPU and no float32 in the way. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../src/nn/gradient.ts';
import type { Node } from '../../../src/nn/graph.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { evaluateReference, finiteDifferences } from '../../reference/graph.ts';
import { type OperationCase, operationCases } from '../../support/operation-cases.ts';

/** sum(w * output) with weights that tell elements apart. */
function weightedSum(output: Node): Node {
  let total: Node = ops.multiply(output, ops.parameter('probe', output.shape as number[]));
  while (total.shape.length > 0) total = ops.sum(total, 0);
  return total;
}

function probe(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 + ((i * 7) % 5) / 3);
}

function leavesWithProbe({ output, leaves, batchSize }: OperationCase): Map<string, Float64Array> {
  const length = output.shape.reduce<number>((a, b) => a * (b === 'N' ? batchSize : b), 1);
  return new Map([...leaves, ['probe', probe(length)]]);
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

/** Central differences with step 1e-5 in float64: error about 1e-10 |f'''| + 1e-16 |f| / 1e-5, so 1e-7 is ample for values near 1. */
const TOLERANCE = 1e-7;

const cases = operationCases().filter(
  (c) => c.parameters.length > 0 && !['step', 'correct'].includes(c.name),
);

describe('gradients', () => {
  for (const operationCase of cases) {
    it(`${operationCase.name} agrees with finite differences`, () => {
      const { output, parameters, batchSize } = operationCase;
      const loss = weightedSum(output);
      const leaves = leavesWithProbe(operationCase);
      const analytic = evaluateReference(gradients(loss, parameters), leaves, batchSize);
      parameters.forEach((parameter, i) => {
        const name = parameter.attributes.name as string;
        const f = (x: Float64Array) =>
          evaluateReference([loss], new Map([...leaves, [name, x]]), batchSize)[0]![0]!;
        expect(largestDifference(analytic[i]!, finiteDifferences(f, leaves.get(name)!))).toBeLessThan(
          TOLERANCE,
        );
      });
    });

    it(`${operationCase.name} has a second-order gradient that agrees with finite differences`, () => {
      const { output, parameters, batchSize } = operationCase;
      const [parameter] = parameters;
      // The first gradient, made a scalar by another probe, differentiated again.
      const first = gradients(weightedSum(ops.multiply(output, output)), [parameter!])[0]!;
      let scalar: Node = ops.multiply(first, ops.parameter('probe2', first.shape as number[]));
      while (scalar.shape.length > 0) scalar = ops.sum(scalar, 0);
      const leaves = new Map([...leavesWithProbe(operationCase)]);
      const name = parameter!.attributes.name as string;
      leaves.set('probe2', probe(leaves.get(name)!.length));
      const analytic = evaluateReference(gradients(scalar, [parameter!]), leaves, batchSize)[0]!;
      const f = (x: Float64Array) =>
        evaluateReference([scalar], new Map([...leaves, [name, x]]), batchSize)[0]![0]!;
      // A step of 1e-5 leaves 1e-16 * |f| / 1e-5 with |f| up to about 1e3.
      expect(largestDifference(analytic, finiteDifferences(f, leaves.get(name)!))).toBeLessThan(1e-5);
    });
  }

  it('gives zeros where the output does not depend on a node', () => {
    const unused = ops.parameter('unused', [3]);
    const [gradient] = gradients(ops.sum(ops.parameter('x', [2]), 0), [unused]);
    expect(
      evaluateReference(
        [gradient!],
        new Map([
          ['unused', [1, 2, 3]],
          ['x', [1, 2]],
        ]),
        1,
      )[0],
    ).toEqual(new Float64Array(3));
  });

  it('refuses an output that is no scalar when no vector is given', () => {
    expect(() => gradients(ops.parameter('x', [2]), [])).toThrow(/needs an outputGradient/);
  });

  it('names the operation that has no gradient', () => {
    const logits = ops.parameter('logits', [2, 3]);
    const loss = ops.sum(ops.correct(logits, ops.input('labels', [2], 'u32')), 0);
    expect(() => gradients(loss, [logits])).toThrow(/"correct" has no gradient/);
  });
});
