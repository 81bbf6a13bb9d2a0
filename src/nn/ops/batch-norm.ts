/**
 * Batch normalisation (Ioffe and Szegedy 2015) of [N, C] and [N, C, H, W]: with the batch's own statistics in training, with running
 * ones in evaluation. `batchStatistics` knows a channel, `batchNorm` applies what is known; the gradient of both together is one pass
 * of sums over x and dy, and one elementwise pass.
 */
import { OptionError } from '../../base/errors.ts';
import { elementwise } from '../../kernels/elementwise/elementwise.ts';
import { centredChannelSums, channelStatistics } from '../../kernels/norm/channels.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { expectSameShape, type Shape } from '../shape.ts';
import { add, multiply, offset, scale, scaleByBatch, subtract } from './arithmetic.ts';
import { broadcastChannels, channelSizes, channelsOf, expectVector, row, spaceOf } from './channels.ts';
import { elementwiseOperation } from './elementwise.ts';
import { fill } from './fill.ts';
import { broadcast } from './sum.ts';

/** Mean and biased variance of each channel, both [C]. */
export interface ChannelStatistics {
  readonly mean: Node;
  readonly variance: Node;
}

/** Row 0: mean, row 1: biased variance. */
const statisticsOperation: Operation<undefined> = {
  name: 'batchStatistics',
  shape: ([x]) => [2, channelsOf('batchStatistics', x!)],
  kernels: ({ context, inputs: [input], output, scratch }) =>
    channelStatistics(context, { ...channelSizes(input!.shape), input: input!, output, scratch }),
  // d mean / dx = 1/n, d variance / dx = 2 (x - mean) / n
  gradient({ inputs: [x], output, outputGradient }) {
    const fromMean = meanFactor(row(outputGradient, 0), x!.shape, 1);
    const fromVariance = meanFactor(row(outputGradient, 1), x!.shape, 2);
    const centred = subtract(x!, broadcastChannels(row(output, 0), x!.shape));
    return [
      add(
        broadcastChannels(fromMean, x!.shape),
        multiply(centred, broadcastChannels(fromVariance, x!.shape)),
      ),
    ];
  },
  axes({ inputs: [x], output, join, pin }) {
    join(x![1]!, output[1]!);
    pin(output[0]!, 'the mean and the variance');
  },
};

const normaliseOperation: Operation<undefined> = {
  name: 'normalise',
  fusesActivation: true,
  shape([x, mean, factor, shift]) {
    const channels = channelsOf('batchNorm', x!);
    expectVector('batchNorm', 'a mean', mean!, channels);
    expectVector('batchNorm', 'a variance and a weight', factor!, channels);
    expectVector('batchNorm', 'a bias', shift!, channels);
    return x!;
  },
  kernels({ context, inputs: [x, ...vectors], output, activation }) {
    const { channels, inner } = channelSizes(x!.shape);
    const value = 'fma(a - b, c, d)';
    return elementwise(context, {
      expression: activation === 'relu' ? `max(${value}, T(0.0))` : value,
      inputs: [{ view: x! }, ...vectors.map((view) => ({ view, broadcast: { inner, size: channels } }))],
      output,
    });
  },
  gradient({ inputs: [x, mean, factor], outputGradient: dy, wanted }) {
    const toVectors = () => {
      const sums = apply(centredSumsOperation, [dy, x!, mean!], undefined);
      const total = row(sums, 0);
      return [scale(multiply(total, factor!), -1), row(sums, 1), total];
    };
    const toX = () => multiply(dy, broadcastChannels(factor!, x!.shape));
    const vectors = wanted.slice(1).includes(true) ? toVectors() : [];
    return [wanted[0] ? toX() : undefined, ...vectors];
  },
  axes({ inputs: [x, ...vectors], output, join }) {
    for (const [k, axis] of x!.entries()) join(axis, output[k]!);
    for (const vector of vectors) join(vector[0]!, output[1]!);
  },
};

/** Row 0: sum of g, row 1: sum of g (x - mean), over everything but the channels. Inputs g, x, mean. */
const centredSumsOperation: Operation<undefined> = {
  name: 'centredSums',
  shape([g, x, mean]) {
    expectSameShape('centredSums', g!, x!);
    const channels = channelsOf('centredSums', x!);
    expectVector('centredSums', 'a mean', mean!, channels);
    return [2, channels];
  },
  kernels: ({ context, inputs: [a, b, centre], output, scratch }) =>
    centredChannelSums(context, {
      ...channelSizes(a!.shape),
      a: a!,
      b: b!,
      centre: centre!,
      output,
      scratch,
    }),
  gradient({ inputs: [g, x, mean], output, outputGradient, wanted }) {
    const toTotal = row(outputGradient, 0);
    const toProduct = row(outputGradient, 1);
    const everywhere = broadcastChannels(toProduct, x!.shape);
    const toG = () => {
      const centred = subtract(x!, broadcastChannels(mean!, x!.shape));
      return add(broadcastChannels(toTotal, x!.shape), multiply(everywhere, centred));
    };
    return [
      wanted[0] ? toG() : undefined,
      wanted[1] ? multiply(everywhere, g!) : undefined,
      wanted[2] ? scale(multiply(toProduct, row(output, 0)), -1) : undefined,
    ];
  },
  axes({ inputs: [g, x, mean], output, join, pin }) {
    for (const [k, axis] of g!.entries()) join(axis, x![k]!);
    join(x![1]!, output[1]!);
    join(mean![0]!, output[1]!);
    pin(output[0]!, 'the sum and the product');
  },
};

const inverseDeviationOperation = elementwiseOperation<{ readonly eps: number }>({
  name: 'inverseDeviation',
  expression: ({ eps }) => ({ text: 'T(1.0) / sqrt(a + T(s0))', scalars: [eps] }),
  // d (v + eps)^(-1/2) = -1/2 (v + eps)^(-3/2)
  gradient: ({ output, outputGradient }) => [
    multiply(outputGradient, scale(multiply(output, multiply(output, output)), -0.5)),
  ],
});

interface UnbiasAttributes {
  readonly space: number;
  /** Default: the batch size of the run. */
  readonly samples: number | undefined;
}

/** n / (n - 1) a, n = N * space of the run; a itself where n is 1. */
const unbiasOperation: Operation<UnbiasAttributes> = elementwiseOperation<UnbiasAttributes>({
  name: 'unbias',
  expression: ({ space, samples }, batchSize) => {
    const n = (samples ?? batchSize) * space;
    return { text: 'a * s0', scalars: [n / Math.max(1, n - 1)] };
  },
  gradient: ({ outputGradient, attributes }) => [apply(unbiasOperation, [outputGradient], attributes)],
});

/** 1 / (a + 1). */
const cumulativeRateOperation = elementwiseOperation({
  name: 'cumulativeRate',
  expression: () => ({ text: 'T(1.0) / (a + T(1.0))' }),
  gradient: ({ output, outputGradient }) => [multiply(outputGradient, scale(multiply(output, output), -1))],
});

/** `factor / n` times a vector, n = N * space. */
function meanFactor(vector: Node, shape: Shape, factor: number): Node {
  const perSample = factor / spaceOf(shape);
  return shape[0] === 'N' ? scaleByBatch(vector, perSample) : scale(vector, perSample / shape[0]!);
}

/** `1 / sqrt(variance + eps)`, element by element. */
export function inverseDeviation(variance: Node, eps: number): Node {
  return apply(inverseDeviationOperation, [variance], { eps });
}

/**
 * Mean and biased variance of each channel over the batch and space, in one pass that loses nothing to a large mean.
 * @param x [N, C] or [N, C, H, W]
 */
export function batchStatistics(x: Node): ChannelStatistics {
  const statistics = apply(statisticsOperation, [x], undefined);
  return { mean: row(statistics, 0), variance: row(statistics, 1) };
}

/**
 * `(x - mean) / sqrt(variance + eps) * weight + bias`, channel by channel; a ReLU that follows is part of the same pass.
 * @param x [N, C] or [N, C, H, W]
 * @param statistics the batch's (`batchStatistics`) in training, running ones in evaluation
 * @param weight [C]. Default: ones.
 * @param bias [C]. Default: zeros.
 */
export function batchNorm(
  x: Node,
  { mean, variance }: ChannelStatistics,
  weight?: Node,
  bias?: Node,
  eps = 1e-5,
): Node {
  const deviation = inverseDeviation(variance, eps);
  const factor = weight ? multiply(deviation, weight) : deviation;
  return apply(normaliseOperation, [x, mean, factor, bias ?? fill(mean.shape, 0)], undefined);
}

export interface BatchNormState {
  readonly weight?: Node;
  readonly bias?: Node;
  /** Buffers [C]. */
  readonly runningMean: Node;
  readonly runningVar: Node;
  /** Share of the batch in the new running statistics; null: cumulative average over all batches, as PyTorch's None. Default: 0.1. */
  readonly momentum?: number | null;
  /** Batches seen so far, []: a buffer, which then is stored with one more, or an input. Needed when momentum is null. */
  readonly batchesTracked?: Node;
  /** Default: 1e-5. */
  readonly eps?: number;
}

export interface BatchNormTraining {
  readonly output: Node;
  /**
   * New values of the buffers by name, to be stored to where the old ones are. Keep their order: the count of batches is read before
   * it is written.
   */
  readonly stores: Readonly<Record<string, Node>>;
}

/**
 * Batch norm with the batch's own statistics, and what the running statistics become:
 * `(1 - momentum) * old + momentum * batch`, with the unbiased variance n / (n - 1), n = N * H * W of the run (where n is 1: biased).
 * @throws OptionError when momentum is null and nothing counts the batches.
 */
export function batchNormTraining(x: Node, state: BatchNormState): BatchNormTraining {
  const { weight, bias, runningMean, runningVar, momentum = 0.1, batchesTracked, eps } = state;
  const statistics = batchStatistics(x);
  const { mean, variance } = statistics;
  const samples = x.shape[0] === 'N' ? undefined : x.shape[0];
  const unbiased = apply(unbiasOperation, [variance], { space: spaceOf(x.shape), samples });
  const update = runningUpdate(momentum, batchesTracked);
  const counted = batchesTracked?.attributes?.kind === 'buffer' ? batchesTracked : undefined;
  return {
    output: batchNorm(x, statistics, weight, bias, eps),
    stores: {
      [runningMean.attributes.name]: update(runningMean, mean),
      [runningVar.attributes.name]: update(runningVar, unbiased),
      ...(counted ? { [counted.attributes.name]: offset(counted, 1) } : {}),
    },
  };
}

function runningUpdate(
  momentum: number | null,
  batchesTracked: Node | undefined,
): (old: Node, batch: Node) => Node {
  if (momentum !== null) return (old, batch) => add(scale(old, 1 - momentum), scale(batch, momentum));
  if (!batchesTracked) {
    throw new OptionError(
      'batchNormTraining: momentum null averages over all batches, so batchesTracked must count them, got none; pass it or a momentum',
    );
  }
  const rate = apply(cumulativeRateOperation, [batchesTracked], undefined);
  return (old, batch) => add(old, multiply(subtract(batch, old), broadcast(rate, 0, old.shape[0]!)));
}
