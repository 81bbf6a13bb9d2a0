/** Small graphs for normalisation, pooling and structure operations, by name: part of the list of `operation-cases.ts`. */
import { RandomStream } from '../../src/base/random.ts';
import type { Node } from '../../src/nn/graph.ts';
import * as ops from '../../src/nn/ops/index.ts';

const p = ops.parameter;

export function normCases(N: number): Record<string, Node> {
  const x = () => p('x', [N, 3, 2, 4]);
  const odd = () => p('x', [N, 3]);
  const plane = () => p('x', [2, 2, 5, 4]);
  const [weight, bias] = [p('weight', [3]), p('bias', [3])];
  const tracked = ops.offset(p('tracked', []), 3);
  const training = (input: Node, momentum: number | null) =>
    ops.batchNormTraining(input, {
      weight,
      bias,
      runningMean: p('running_mean', [3]),
      runningVar: p('running_var', [3]),
      momentum,
      batchesTracked: tracked,
    });
  const positive = ops.multiply(p('variance', [3]), p('variance', [3]));
  return {
    'broadcast over channels': ops.multiply(x(), ops.broadcastChannels(weight, x().shape)),
    'sum of channels': ops.sumChannels(x()),
    'sum of channels [N, C]': ops.sumChannels(odd()),
    'batch mean': ops.batchStatistics(x()).mean,
    'batch variance': ops.batchStatistics(x()).variance,
    'batch norm, training': training(x(), 0.1).output,
    'batch norm, training [N, C]': training(odd(), 0.1).output,
    'batch norm, training, relu': ops.relu(training(x(), 0.1).output),
    'batch norm, statistics of the batch by hand': ops.batchNorm(x(), ops.batchStatistics(x()), weight, bias),
    'batch norm, evaluation': ops.batchNorm(x(), { mean: p('mean', [3]), variance: positive }, weight, bias),
    'batch norm, evaluation, no weight': ops.batchNorm(
      odd(),
      { mean: p('mean', [3]), variance: positive },
      undefined,
      undefined,
      0.5,
    ),
    'running mean': training(x(), 0.3).stores.running_mean!,
    'running variance': training(odd(), 0.3).stores.running_var!,
    'running variance over a batch': training(ops.input('batched', ['N', 3]), 0.3).stores.running_var!,
    'running mean, cumulative': training(x(), null).stores.running_mean!,
    'layer norm over channels': ops.layerNorm(x(), weight, bias, { eps: 0.1 }),
    'layer norm over channels [N, C], relu': ops.relu(ops.layerNorm(odd(), weight, bias, { eps: 0.1 })),
    'layer norm over samples': ops.layerNorm(plane(), undefined, undefined, { over: 'sample', eps: 0.1 }),
    'group norm': ops.groupNorm(p('x', [2, 6, 3]), 3, p('weight6', [6]), p('bias6', [6]), 0.1),
    flatten: ops.multiply(ops.flatten(x()), ops.flatten(p('y', [N, 3, 2, 4]))),
    'axis split': ops.splitAxis(p('x', [N, 6]), 1, [2, 3]),
    'concatenated channels': ops.concatenate([x(), p('y', [N, 2, 2, 4]), x()]),
    'concatenated rows': ops.concatenate([odd(), p('y', [4, 3])], 0),
    dropout: ops.dropout(x(), 0.3, new RandomStream(3, 'dropout'), ops.input('step', [], 'u32')),
    logSoftmax: ops.logSoftmax(p('logits', [N, 7])),
    'cross-entropy, labels smoothed': ops.smoothedCrossEntropy(
      p('logits', [N, 7]),
      ops.input('labels', [N], 'u32'),
      0.1,
    ),
    'padded channels': ops.pad(x(), 1, [1, 2]),
    'padded space': ops.padSpace(x(), 1, 2),
    sliced: ops.slice(x(), 1, 1, 3),
    subsampled: ops.subsample(plane()),
    'zero-padded shortcut': ops.pad(ops.subsample(x()), 1, [2, 1]),
    'max pool': ops.maxPool(plane(), 2),
    'max pool, overlapping, padded': ops.maxPool(plane(), 3, { stride: 2, padding: 1 }),
    'average pool': ops.averagePool(plane(), [2, 3], { stride: [3, 1] }),
    'average pool, overlapping, padded': ops.averagePool(plane(), 3, { stride: 2, padding: 1 }),
    'global average pool': ops.globalAveragePool(plane()),
  };
}
