/** Graphs and values for tests of matching: small networks with every kind of axis, and seeded values for them. */
import { RandomStream } from '../../src/base/random.ts';
import type { Node } from '../../src/nn/graph.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { forwardGraph } from '../../src/nn/models/model.ts';
import {
  add,
  batchNorm,
  buffer,
  concatenate,
  flatten,
  input,
  linear,
  mean,
  pad,
  parameter,
  relu,
} from '../../src/nn/ops/index.ts';
import type { PermutationSpec } from '../../src/rebasin/spec/permutation-spec.ts';
import { derivePermutationSpec } from '../../src/rebasin/spec/permutation-spec.ts';
import { elementCount } from '../../src/runtime/kernel.ts';
import { convolution } from './symbolic-operations.ts';

export function mlpSpec(...widths: number[]): PermutationSpec {
  return derivePermutationSpec([forwardGraph(mlp({ widths })).logits]);
}

const dense = (name: string, x: Node, width: number): Node =>
  linear(x, parameter(`${name}.weight`, [width, x.shape[1] as number]), parameter(`${name}.bias`, [width]));

/** A residual stream of three writers; every operation has kernels. */
export function residualMlp(width: number, inside: number): Node {
  let x = relu(dense('stem', input('x', ['N', 5]), width));
  for (const block of ['block1', 'block2']) {
    x = add(x, dense(`${block}.b`, relu(dense(`${block}.a`, x, inside)), width));
  }
  return dense('head', x, 3);
}

const conv = (name: string, x: Node, channels: number, groups = 1): Node =>
  convolution(x, parameter(`${name}.weight`, [channels, (x.shape[1] as number) / groups, 3, 3]), groups);

const norm = (name: string, x: Node): Node => {
  const shape = [x.shape[1] as number];
  const mean = buffer(`${name}.running_mean`, shape);
  const variance = buffer(`${name}.running_var`, shape);
  const weight = parameter(`${name}.weight`, shape);
  return batchNorm(x, { mean, variance }, weight, parameter(`${name}.bias`, shape));
};

/**
 * Specs in which units lie in every way: as rows, columns, middle axes, segments, scattered runs and factors.
 * These graphs have no kernels.
 */
export function unusualSpecs(): Record<string, PermutationSpec> {
  const images = input('images', ['N', 3, 2, 3]);
  const pooled = (x: Node): Node => mean(mean(x, 3), 2);
  const stem = relu(norm('bn', conv('conv', images, 6)));
  const optionA = relu(
    add(norm('bn2', conv('conv2', relu(conv('inner', stem, 5)), 12)), pad(stem, 1, [3, 3])),
  );
  return {
    'a flattened convolution': derivePermutationSpec([dense('head', flatten(conv('conv2', stem, 7)), 4)]),
    'zero-padded channels': derivePermutationSpec([dense('head', pooled(optionA), 4)]),
    'zero-padded channels, flattened': derivePermutationSpec([dense('head', flatten(optionA), 4)]),
    'a concatenation': derivePermutationSpec([
      dense('head', flatten(concatenate([stem, conv('other', images, 4), stem])), 4),
    ]),
    'a grouped convolution': derivePermutationSpec([
      dense('head', flatten(conv('grouped', conv('conv2', stem, 12), 6, 3)), 4),
    ]),
  };
}

/** Values of every entry, uniform in +-1 on 24 bits. */
export function randomValues(spec: PermutationSpec, seed: number): Map<string, Float32Array> {
  const random = new RandomStream(seed, 'test values');
  return new Map(
    spec.entries.map(({ name, shape }) => {
      const values = new Float32Array(elementCount(shape));
      random.derive(name).fillUniform(values, -1, 1);
      return [name, values];
    }),
  );
}
