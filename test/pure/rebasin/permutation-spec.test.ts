import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/nn/graph.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph } from '../../../src/nn/models/model.ts';
import {
  add,
  batchNorm,
  broadcast,
  buffer,
  concatenate,
  flatten,
  groupNorm,
  input,
  layerNorm,
  linear,
  maxPool,
  mean,
  pad,
  parameter,
  relu,
  slice,
  subsample,
  sum,
} from '../../../src/nn/ops/index.ts';
import { derivePermutationSpec, type PermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { convolution } from '../../support/symbolic-operations.ts';

const specOf = (...outputs: Node[]): PermutationSpec => derivePermutationSpec(outputs);

/** `fc1[512]: fc1.weight.0 fc1.bias.0 fc2.weight.1` */
function summary(spec: PermutationSpec): string[] {
  return spec.groups.map(
    ({ name, size, places }) =>
      `${name}[${size}]: ${places.map(({ tensor, axis }) => `${tensor}.${axis}`).join(' ')}`,
  );
}

const sizes = (spec: PermutationSpec) => spec.groups.map(({ name, size }) => [name, size]);

const conv = (name: string, x: Node, channels: number, groups = 1): Node =>
  convolution(x, parameter(`${name}.weight`, [channels, (x.shape[1] as number) / groups, 3, 3]), groups);

const norm = (name: string, x: Node): Node => {
  const shape = [x.shape[1] as number];
  const mean = buffer(`${name}.running_mean`, shape);
  const variance = buffer(`${name}.running_var`, shape);
  const weight = parameter(`${name}.weight`, shape);
  return batchNorm(x, { mean, variance }, weight, parameter(`${name}.bias`, shape));
};

const dense = (name: string, x: Node, width: number): Node =>
  linear(x, parameter(`${name}.weight`, [width, x.shape[1] as number]), parameter(`${name}.bias`, [width]));

const pooled = (x: Node): Node => mean(mean(x, 3), 2);

const images = input('images', ['N', 3, 8, 8]);

describe('derivePermutationSpec', () => {
  it('gives an MLP one group for each hidden layer', () => {
    for (let hidden = 0; hidden < 5; hidden++) {
      const widths = [784, ...Array.from({ length: hidden }, (_, i) => 16 + i), 10];
      const spec = specOf(forwardGraph(mlp({ widths })).logits);
      expect(summary(spec)).toEqual(
        Array.from(
          { length: hidden },
          (_, i) => `fc${i + 1}[${16 + i}]: fc${i + 1}.weight.0 fc${i + 1}.bias.0 fc${i + 2}.weight.1`,
        ),
      );
      expect(spec.quadratic).toEqual([]);
    }
  });

  it('describes entries: flags, pinned axes and their reasons', () => {
    const spec = specOf(forwardGraph(mlp({ widths: [4, 3, 2] })).logits);
    const all = { scored: true, interpolated: true, decayed: true, trained: true };
    expect(spec.entries).toEqual([
      {
        ...all,
        name: 'fc1.weight',
        shape: [3, 4],
        kind: 'parameter',
        permuted: true,
        pinned: [{ axis: 1, reason: 'the network\'s input "images"' }],
      },
      { ...all, name: 'fc1.bias', shape: [3], kind: 'parameter', permuted: true, pinned: [] },
      {
        ...all,
        name: 'fc2.weight',
        shape: [2, 3],
        kind: 'parameter',
        permuted: true,
        pinned: [{ axis: 0, reason: "the network's output" }],
      },
      {
        ...all,
        name: 'fc2.bias',
        shape: [2],
        kind: 'parameter',
        permuted: false,
        pinned: [{ axis: 0, reason: "the network's output" }],
      },
    ]);
  });

  it('permutes buffers without scoring, decaying or training them', () => {
    const spec = specOf(dense('head', pooled(norm('bn', conv('conv', images, 6))), 2));
    expect(sizes(spec)).toEqual([['conv', 6]]);
    const { permuted, scored, interpolated, decayed, trained } = spec.entries.find(
      ({ name }) => name === 'bn.running_var',
    )!;
    expect({ permuted, scored, interpolated, decayed, trained }).toEqual({
      permuted: true,
      scored: false,
      interpolated: true,
      decayed: false,
      trained: false,
    });
  });

  it('is plain data', () => {
    const spec = specOf(forwardGraph(mlp({ widths: [4, 3, 2] })).logits);
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  });

  it('leaves a group of one unit out', () => {
    expect(specOf(forwardGraph(mlp({ widths: [4, 1, 3, 2] })).logits).groups.map((g) => g.name)).toEqual([
      'fc2',
    ]);
  });

  it('ties a residual stream and frees what is inside its blocks', () => {
    let x = conv('stem', images, 6);
    for (let block = 0; block < 2; block++) {
      x = relu(add(conv(`${block}.b`, relu(conv(`${block}.a`, x, 4)), 6), x));
    }
    expect(summary(specOf(dense('head', pooled(x), 2)))).toEqual([
      'stem[6]: stem.weight.0 0.a.weight.1 0.b.weight.0 1.a.weight.1 1.b.weight.0 head.weight.1',
      '0.a[4]: 0.a.weight.0 0.b.weight.1',
      '1.a[4]: 1.a.weight.0 1.b.weight.1',
    ]);
  });

  it('gives a flattened axis the channels as its outer factor', () => {
    const spec = specOf(dense('head', flatten(conv('conv', images, 5)), 2));
    expect(sizes(spec)).toEqual([['conv', 5]]);
    expect(spec.groups[0]!.places.at(-1)).toEqual({
      tensor: 'head.weight',
      axis: 1,
      blocks: [{ unit: 0, start: 0, count: 5 }],
      inner: 64,
      outer: [],
    });
  });

  it('gives a concatenation one segment for each part', () => {
    const hidden = input('x', ['N', 4]);
    const spec = specOf(dense('head', concatenate([dense('a', hidden, 3), dense('b', hidden, 5)]), 2));
    expect(summary(spec)).toEqual([
      'a[3]: a.weight.0 a.bias.0 head.weight.1',
      'b[5]: b.weight.0 b.bias.0 head.weight.1',
    ]);
    expect(spec.groups[1]!.places.at(-1)!.blocks).toEqual([{ unit: 0, start: 3, count: 5 }]);
  });

  it('lets one group lie on one axis twice', () => {
    const x = dense('a', input('x', ['N', 4]), 3);
    const spec = specOf(dense('head', concatenate([x, x]), 2));
    expect(summary(spec)).toEqual(['a[3]: a.weight.0 a.bias.0 head.weight.1 head.weight.1']);
    expect(spec.groups[0]!.places.at(-1)!.blocks).toEqual([{ unit: 0, start: 3, count: 3 }]);
    expect(spec.quadratic).toEqual([]);
  });

  it('merges segments that every tensor treats alike, wherever they lie', () => {
    const x = dense('a', input('x', ['N', 4]), 16);
    const wide = relu(add(pad(x, 1, [8, 8]), dense('b', x, 32)));
    const spec = specOf(dense('head', wide, 2));
    expect(sizes(spec)).toEqual([
      ['a', 16],
      ['b', 16],
    ]);
    expect(spec.groups[1]!.places.at(-1)).toEqual({
      tensor: 'head.weight',
      axis: 1,
      blocks: [
        { unit: 0, start: 0, count: 8 },
        { unit: 8, start: 24, count: 8 },
      ],
      inner: 1,
      outer: [],
    });
  });

  it('gives ResNet20 with zero-padded shortcuts 16 + 16 + 32 stream channels and nine interiors', () => {
    let x = relu(norm('bn1', conv('conv1', images, 16)));
    for (const [stage, width] of [16, 32, 64].entries()) {
      for (let block = 0; block < 3; block++) {
        const name = `layer${stage + 1}.${block}`;
        const inside = relu(norm(`${name}.bn1`, conv(`${name}.conv1`, x, width)));
        const out = norm(`${name}.bn2`, conv(`${name}.conv2`, inside, width));
        const grown = (width - (x.shape[1] as number)) / 2;
        x = relu(add(out, grown > 0 ? pad(x, 1, [grown, grown]) : x));
      }
    }
    const spec = specOf(dense('linear', pooled(x), 10));
    expect(sizes(spec)).toEqual([
      ['conv1', 16],
      ['layer1.0.conv1', 16],
      ['layer1.1.conv1', 16],
      ['layer1.2.conv1', 16],
      ['layer2.0.conv1', 32],
      ['layer2.0.conv2', 16],
      ['layer2.1.conv1', 32],
      ['layer2.2.conv1', 32],
      ['layer3.0.conv1', 64],
      ['layer3.0.conv2', 32],
      ['layer3.1.conv1', 64],
      ['layer3.2.conv1', 64],
    ]);
    expect(spec.quadratic).toEqual([]);
    const head = (group: string) =>
      spec.groups
        .find(({ name }) => name === group)!
        .places.find(({ tensor }) => tensor === 'linear.weight')!;
    expect(head('conv1').blocks).toEqual([{ unit: 0, start: 24, count: 16 }]);
    expect(head('layer2.0.conv2').blocks).toEqual([
      { unit: 0, start: 16, count: 8 },
      { unit: 8, start: 40, count: 8 },
    ]);
    expect(head('layer3.0.conv2').blocks).toEqual([
      { unit: 0, start: 0, count: 16 },
      { unit: 16, start: 48, count: 16 },
    ]);
  });

  it('keeps halves apart that an operation treats apart', () => {
    const x = dense('a', input('x', ['N', 4]), 8);
    const head = dense('head', x, 2);
    expect(sizes(specOf(head))).toEqual([['a', 8]]);
    const tap = sum(slice(x, 1, 0, 4), 1);
    expect(sizes(specOf(head, tap))).toEqual([
      ['a', 4],
      ['a#2', 4],
    ]);
  });

  it('permutes within the groups of a group norm only', () => {
    const spec = specOf(dense('head', pooled(groupNorm(conv('conv', images, 12), 3)), 2));
    expect(sizes(spec)).toEqual([
      ['conv', 4],
      ['conv#2', 4],
      ['conv#3', 4],
    ]);
    for (const norm of [(x: Node) => groupNorm(x, 1), layerNorm]) {
      const layer = specOf(dense('head', pooled(norm(conv('conv', images, 12))), 2));
      expect(sizes(layer)).toEqual([['conv', 12]]);
    }
  });

  it('joins channels across pooling and subsampling', () => {
    const x = subsample(maxPool(conv('conv', images, 6), 2));
    expect(summary(specOf(dense('head', flatten(x), 2)))).toEqual(['conv[6]: conv.weight.0 head.weight.1']);
    const rows = parameter('positions', [6, 8, 8]);
    const shaped = maxPool(broadcast(rows, 0, 'N'), 2);
    const spec = specOf(dense('head', flatten(shaped), 2));
    expect(spec.entries.find(({ name }) => name === 'positions')!.pinned).toEqual([
      { axis: 1, reason: 'pooling windows lie in space' },
      { axis: 2, reason: 'pooling windows lie in space' },
    ]);
  });

  it('splits the channels of a grouped convolution into groups and units of a group', () => {
    const x = conv('grouped', conv('before', images, 12), 6, 3);
    const spec = specOf(dense('head', pooled(x), 2));
    expect(summary(spec)).toEqual([
      'before[3]: before.weight.0 grouped.weight.0 head.weight.1',
      'before#2[4]: before.weight.0 grouped.weight.1',
      'grouped[2]: grouped.weight.0 head.weight.1',
    ]);
    expect(spec.groups[0]!.places.map(({ inner }) => inner)).toEqual([4, 2, 2]);
    expect(spec.groups[1]!.places[0]).toMatchObject({ inner: 1, outer: [{ count: 3, stride: 4 }] });
  });

  it('ties a depthwise convolution to its input', () => {
    const x = conv('depthwise', conv('before', images, 6), 6, 6);
    expect(summary(specOf(dense('head', pooled(x), 2)))).toEqual([
      'before[6]: before.weight.0 depthwise.weight.0 head.weight.1',
    ]);
  });

  it('reports one group on two axes of a tensor', () => {
    const x = dense('stem', input('x', ['N', 4]), 6);
    const spec = specOf(dense('head', add(x, relu(dense('block', x, 6))), 2));
    expect(spec.quadratic).toEqual([{ tensor: 'block.weight', group: 'stem', axes: [0, 1] }]);
  });

  it('refuses a parameter and a buffer of one name', () => {
    const x = input('x', ['N', 4]);
    const both = add(linear(x, parameter('w', [3, 4])), linear(x, buffer('w', [3, 4])));
    expect(() => specOf(both)).toThrow('"w" is a parameter and a buffer');
  });
});
