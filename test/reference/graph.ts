/**
 * A float64 interpreter of graphs, in plain loops: the reference for every operation's kernels and, by finite differences, for every
 * operation's gradient. An operation without an entry here fails the test that lists them all.
 */

import { type Node, topologicalOrder } from '../../src/nn/graph.ts';
import { concreteShape } from '../../src/nn/shape.ts';
import { portableOperations } from './operations.ts';

export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Values of leaves by name. */
export type LeafValues = ReadonlyMap<string, ArrayLike<number>>;

/** Evaluates nodes in float64. */
export function evaluateReference(
  outputs: readonly Node[],
  leaves: LeafValues,
  batchSize: number,
): Float64Array[] {
  const values = new Map<Node, NdArray>();
  for (const node of topologicalOrder(outputs)) {
    const shape = concreteShape(node.shape, batchSize);
    values.set(node, { shape, data: compute(node, shape, values, leaves, batchSize) });
  }
  return outputs.map((node) => values.get(node)!.data);
}

function compute(
  node: Node,
  shape: readonly number[],
  values: ReadonlyMap<Node, NdArray>,
  leaves: LeafValues,
  batchSize: number,
): Float64Array {
  const { operation, inputs, attributes } = node;
  if (attributes?.kind) {
    const value = leaves.get(attributes.name);
    if (!value) throw new Error(`reference: no value for leaf "${attributes.name}"`);
    return Float64Array.from(value);
  }
  const reference = portableOperations[operation.name];
  if (!reference)
    throw new Error(`reference: operation "${operation.name}" has no float64 reference; add one`);
  return reference(
    inputs.map((input) => values.get(input)!),
    shape,
    attributes,
    batchSize,
  );
}

/** Central differences of a scalar function of one leaf. */
export function finiteDifferences(
  f: (x: Float64Array) => number,
  x: Float64Array,
  step = 1e-5,
): Float64Array {
  return x.map((_, i) => {
    const moved = (by: number) => {
      const copy = Float64Array.from(x);
      copy[i]! += by;
      return f(copy);
    };
    return (moved(step) - moved(-step)) / (2 * step);
  });
}
