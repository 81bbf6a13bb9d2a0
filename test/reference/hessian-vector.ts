/**
 * Gradient and H v of the mean cross-entropy in float64: the gradient by the float64 interpreter, H v by central differences of that
 * gradient along v. No rule for second gradients is used.
 */
import { gradients } from '../../src/nn/gradient.ts';
import { leavesOf, topologicalOrder } from '../../src/nn/graph.ts';
import { forwardGraph, type Model } from '../../src/nn/models/model.ts';
import * as ops from '../../src/nn/ops/index.ts';
import { evaluateReference, type LeafValues } from './graph.ts';

export interface SecondOrderReference {
  readonly loss: number;
  readonly gradient: ReadonlyMap<string, Float64Array>;
  readonly product: ReadonlyMap<string, Float64Array>;
  /** Whether a ReLU changes sign between the two points of the difference; H v is that of one piece only if not. */
  readonly crossesKink: boolean;
}

/**
 * The error of H v is step^2 / 6 times the third derivative along v, and 1e-16 |g| / step.
 * @param leaves images [count, ...] and labels [count] beside parameters and buffers
 */
export function secondOrderReference(
  model: Model,
  leaves: LeafValues,
  direction: ReadonlyMap<string, ArrayLike<number>>,
  count: number,
  variables: 'parameters' | 'all' = 'parameters',
  step = 1e-5,
): SecondOrderReference {
  const { logits } = forwardGraph(model);
  const loss = ops.mean(ops.crossEntropy(logits, ops.input('labels', ['N'], 'u32')), 0);
  const differentiated = [
    ...leavesOf([loss], 'parameter'),
    ...(variables === 'all' ? leavesOf([loss], 'buffer') : []),
  ];
  const names = differentiated.map((leaf) => leaf.attributes.name as string);
  const nodes = gradients(loss, differentiated);
  const signs = topologicalOrder([loss])
    .filter(({ operation }) => operation.name === 'relu')
    .map((node) => ops.step(node));
  const at = (by: number) => {
    const moved = new Map(leaves);
    for (const name of names) {
      const along = direction.get(name)!;
      moved.set(
        name,
        Float64Array.from(leaves.get(name)!, (value, i) => value + by * along[i]!),
      );
    }
    return evaluateReference([loss, ...nodes, ...signs], moved, count);
  };
  const [here, ahead, behind] = [at(0), at(step), at(-step)];
  const named = (of: (index: number) => Float64Array) => new Map(names.map((name, i) => [name, of(i + 1)]));
  const kinks = signs.map((_, i) => 1 + names.length + i);
  return {
    loss: here[0]![0]!,
    gradient: named((i) => here[i]!),
    product: named((i) => ahead[i]!.map((value, k) => (value - behind[i]![k]!) / (2 * step))),
    crossesKink: kinks.some((i) => ahead[i]!.some((value, k) => value !== behind[i]![k]!)),
  };
}
