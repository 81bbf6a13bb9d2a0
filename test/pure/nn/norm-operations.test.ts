/** What norms, pooling and structure operations refuse, before any GPU work, and the shapes they give. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import type { Node } from '../../../src/nn/graph.ts';
import * as ops from '../../../src/nn/ops/index.ts';

const x = ops.input('x', ['N', 6, 7, 8]);
const vector = (size: number) => ops.parameter('v', [size]);
const statistics = { mean: vector(6), variance: vector(6) };
const step = ops.input('step', [], 'u32');
const stream = new RandomStream(1, 'dropout');

describe('shapes', () => {
  it.each<[string, Node, readonly unknown[]]>([
    ['flatten', ops.flatten(x), ['N', 336]],
    ['flatten [N, C]', ops.flatten(ops.input('y', ['N', 5])), ['N', 5]],
    ['maxPool', ops.maxPool(x, 2), ['N', 6, 3, 4]],
    ['maxPool 3 / 2, padded', ops.maxPool(x, 3, { stride: 2, padding: 1 }), ['N', 6, 4, 4]],
    ['averagePool', ops.averagePool(x, [7, 2], { stride: 1 }), ['N', 6, 1, 7]],
    ['globalAveragePool', ops.globalAveragePool(x), ['N', 6]],
    ['pad', ops.pad(x, 1, [2, 4]), ['N', 12, 7, 8]],
    ['padSpace', ops.padSpace(x, 1), ['N', 6, 9, 10]],
    ['subsample', ops.subsample(x), ['N', 6, 4, 4]],
    ['slice', ops.slice(x, 1, 2, 6, 3), ['N', 2, 7, 8]],
    ['concatenate', ops.concatenate([x, x]), ['N', 12, 7, 8]],
    ['batchNorm', ops.batchNorm(x, statistics), x.shape],
    ['dropout', ops.dropout(x, 0.5, stream, step), x.shape],
  ])('%s', (_name, node, shape) => {
    expect(node.shape).toEqual(shape);
  });

  it('is the input itself where nothing is to be done', () => {
    expect(ops.dropout(x, 0, stream, step)).toBe(x);
    expect(
      ops.smoothedCrossEntropy(ops.input('z', ['N', 3]), ops.input('l', ['N'], 'u32'), 0).operation.name,
    ).toBe('crossEntropy');
  });
});

describe('errors name the operation, what it expected and what it got', () => {
  const tracked = { runningMean: vector(6), runningVar: vector(6) };
  it.each<[string, () => unknown, RegExp]>([
    [
      'a weight of another size',
      () => ops.batchNorm(x, statistics, vector(5)),
      /batchNorm: .*6 channels.*weight \[6\], got \[5\]/,
    ],
    [
      'running statistics of another size',
      () => ops.batchNormTraining(x, { ...tracked, runningVar: vector(5) }),
      /runningVar \[6\], got \[5\]/,
    ],
    [
      'an average over nothing counted',
      () => ops.batchNormTraining(x, { ...tracked, momentum: null }),
      /batchesTracked must count/,
    ],
    [
      'one axis',
      () => ops.batchStatistics(ops.input('y', ['N'])),
      /batchStatistics: needs an input \[N, C\]/,
    ],
    [
      'groups that do not divide',
      () => ops.groupNorm(x, 4),
      /groupNorm: 4 groups must divide the 6 channels of \[N, 6, 7, 8\]/,
    ],
    [
      'a layer norm of another size',
      () => ops.layerNorm(x, vector(5)),
      /6 channels needs a weight \[6\], got \[5\]/,
    ],
    [
      'a pool of three axes',
      () => ops.maxPool(ops.input('y', ['N', 6, 7]), 2),
      /maxPool: the input needs 4 axes/,
    ],
    ['a window larger than the plane', () => ops.averagePool(x, 9), /averagePool: kernel \[9,9\].*7 x 8/],
    [
      'too much padding',
      () => ops.maxPool(x, 2, { padding: 2 }),
      /padding 2 must be at most half the kernel 2/,
    ],
    [
      'a stride of 0',
      () => ops.maxPool(x, 2, { stride: 0 }),
      /stride must be an integer of at least 1, got 0/,
    ],
    ['flattening the batch', () => ops.mergeAxes(x, 0, 1), /mergeAxes: axes 0 to 1 of \[N, 6, 7, 8\]/],
    [
      'a split that does not fit',
      () => ops.splitAxis(x, 1, [2, 2]),
      /splitAxis: axis 1 .*cannot become 2 x 2, which is 4/,
    ],
    ['padding the batch', () => ops.pad(x, 0, [1, 1]), /pad: .*no axis 0 of a fixed size/],
    [
      'negative padding',
      () => ops.pad(x, 1, [-1, 1]),
      /pad: before must be an integer of at least 0, got -1/,
    ],
    ['an empty slice', () => ops.slice(x, 1, 3, 3), /slice: axis 1 of \[N, 6, 7, 8\] has no indices 3 to 3/],
    [
      'subsampling by 0',
      () => ops.subsample(x, 0),
      /subsample: stride must be an integer of at least 1, got 0/,
    ],
    [
      'parts that disagree',
      () => ops.concatenate([x, ops.input('y', ['N', 6, 7, 7])]),
      /concatenate: .*\[N, 6, 7, 8\], \[N, 6, 7, 7\]/,
    ],
    ['no parts', () => ops.concatenate([]), /concatenate: needs at least one part/],
    ['a rate of 1', () => ops.dropout(x, 1, stream, step), /dropout: rate must be 0 <= rate < 1, got 1/],
    [
      'a step of another type',
      () => ops.dropout(x, 0.5, stream, ops.input('s', [])),
      /dropout: the step must be u32, got f32/,
    ],
    [
      'a vector of steps',
      () => ops.dropout(x, 0.5, stream, ops.input('s', [2], 'u32')),
      /the step is one number.*got \[2\]/,
    ],
    ['too much smoothing', () => ops.smoothedCrossEntropy(x, step, 2), /smoothing must be 0 to 1, got 2/],
  ])('%s', (_name, make, message) => {
    expect(make).toThrow(message);
  });
});
