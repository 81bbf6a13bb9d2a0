/**
 * Batch normalisation (Ioffe and Szegedy 2015) of [N, C] and [N, C, H, W]: with the batch's own statistics in training, with running
 * ones in evaluation. `batchStatistics` knows a channel, `batchNorm` applies what is known; in training the gradient of both together
 * is one pass of sums over x and dy and one pass that writes dx.
 */
import { OptionError } from '../../base/errors.ts';
import { channelStatistics } from '../../kernels/norm/channels.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import type { Shape } from '../shape.ts';
import { add, multiply, offset, scale, scaleByBatch, subtract } from './arithmetic.ts';
import { channelSizes, channelsOf, expectVector, row, spaceOf } from './channels.ts';
import { elementwiseOperation } from './elementwise.ts';
import { fill } from './fill.ts';
import { centredSums, inverseDeviation, normalise, normaliseAdded, normaliseOperation } from './normalise.ts';
import { broadcast } from './sum.ts';

/** Mean and biased variance of each channel, both [C]. */
export interface ChannelStatistics {
  /** [C]. */
  readonly mean: Node;
  /** [C], biased. */
  readonly variance: Node;
}

/** Row 0: mean, row 1: biased variance. */
const statisticsOperation: Operation<undefined> = {
  name: 'batchStatistics',
  shape: ([x]) => [2, channelsOf('batchStatistics', x!)],
  kernels: ({ context, inputs: [input], output, scratch }) =>
    channelStatistics(context, { ...channelSizes(input!.shape), input: input!, output, scratch }),
  // d mean / dx = 1/n, d variance / dx = 2 (x - mean) / n
  gradient: ({ inputs: [x], output, outputGradient }) => [
    normalise(
      x!,
      row(output, 0),
      meanFactor(row(outputGradient, 1), x!.shape, 2),
      meanFactor(row(outputGradient, 0), x!.shape, 1),
    ),
  ],
  axes({ inputs: [x], output, join, pin }) {
    join(x![1]!, output[1]!);
    pin(output[0]!, 'the mean and the variance');
  },
};

/**
 * The same values in training, where mean, r = 1 / sqrt(variance + eps) and factor = r weight come from x and weight themselves: the
 * gradients of x and weight are those of the whole,
 * dx = factor (dy - sum(dy) / n - (x - mean) r^2 sum(dy (x - mean)) / n), dweight = r sum(dy (x - mean)), dbias = sum(dy).
 * Inputs x, mean, factor, bias, weight, r.
 */
const trainingNormRules: Pick<Operation<undefined>, 'name' | 'gradient'> = {
  name: 'trainingNorm',
  gradient({ inputs: [x, mean, factor, , , r], outputGradient: dy, wanted }) {
    const sums = centredSums(dy, x!, mean!);
    const [total, product] = [row(sums, 0), row(sums, 1)];
    const toX = () => {
      const slope = multiply(multiply(multiply(r!, r!), factor!), meanFactor(product, x!.shape, -1));
      const shift = multiply(factor!, meanFactor(total, x!.shape, -1));
      return normaliseAdded(x!, mean!, slope, shift, dy, factor!);
    };
    return [
      wanted[0] ? toX() : undefined,
      undefined,
      undefined,
      wanted[3] ? total : undefined,
      wanted[4] ? multiply(product, r!) : undefined,
      undefined,
    ];
  },
};
const trainingNormOperation: Operation<undefined> = /* @__PURE__ */ Object.assign(
  {},
  normaliseOperation,
  trainingNormRules,
);

interface UnbiasAttributes {
  readonly space: number;
  /** Default: the batch size of the run. */
  readonly samples: number | undefined;
}

/** n / (n - 1) a, n = N * space of the run; a itself where n is 1. */
const unbiasOperation: Operation<UnbiasAttributes> = /* @__PURE__ */ elementwiseOperation<UnbiasAttributes>({
  name: 'unbias',
  expression: ({ space, samples }, batchSize) => {
    const n = (samples ?? batchSize) * space;
    return { text: 'a * s0', scalars: [n / Math.max(1, n - 1)] };
  },
  gradient: ({ outputGradient, attributes }) => [apply(unbiasOperation, [outputGradient], attributes)],
});

/** 1 / (a + 1). */
const cumulativeRateOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'cumulativeRate',
  expression: () => ({ text: 'T(1.0) / (a + T(1.0))' }),
  gradient: ({ output, outputGradient }) => [multiply(outputGradient, scale(multiply(output, output), -1))],
});

/**
 * a + (b - a) c, and exactly b where c is 1: the first value of an average must not depend on what was there before.
 * Inputs old, batch, rate.
 */
const averageOperation = /* @__PURE__ */ elementwiseOperation({
  name: 'runningAverage',
  expression: () => ({ text: 'select(a + (b - a) * c, b, c == T(1.0))' }),
  gradient: ({ inputs: [old, batch, rate], outputGradient: d, wanted }) => [
    wanted[0] ? subtract(d, multiply(d, rate!)) : undefined,
    wanted[1] ? multiply(d, rate!) : undefined,
    wanted[2] ? multiply(d, subtract(batch!, old!)) : undefined,
  ],
});

/** `factor / n` times a vector, n = N * space. */
function meanFactor(vector: Node, shape: Shape, factor: number): Node {
  const perSample = factor / spaceOf(shape);
  return shape[0] === 'N' ? scaleByBatch(vector, perSample) : scale(vector, perSample / shape[0]!);
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
  checkVectors(x, { mean, variance, weight, bias });
  const deviation = inverseDeviation(variance, eps);
  const factor = weight ? multiply(deviation, weight) : deviation;
  return normalise(x, mean, factor, bias ?? fill(mean.shape, 0));
}

/** Running statistics and how they move. */
export interface BatchNormState {
  /** Scale, [C]. */
  readonly weight?: Node;
  /** Shift, [C]. */
  readonly bias?: Node;
  /** Buffers [C]. */
  readonly runningMean: Node;
  /** [C]. */
  readonly runningVar: Node;
  /** Share of the batch in the new running statistics; null: cumulative average over all batches, as PyTorch's None. Default: 0.1. */
  readonly momentum?: number | null;
  /** Batches seen so far, []: a buffer, which then is stored with one more, or an input. Needed when momentum is null. */
  readonly batchesTracked?: Node;
  /** Default: 1e-5. */
  readonly eps?: number;
}

/** What batch norm gives in training. */
export interface BatchNormTraining {
  /** Of the input's shape. */
  readonly output: Node;
  /** New values of the buffers by name, to be stored where the old ones are once these have been read, as programs do. */
  readonly stores: Readonly<Record<string, Node>>;
}

/**
 * Batch norm with the batch's own statistics, and what the running statistics become:
 * `(1 - momentum) * old + momentum * batch`, with the unbiased variance n / (n - 1), n = N * H * W of the run (where n is 1: biased).
 * @throws OptionError when momentum is null and nothing counts the batches.
 */
export function batchNormTraining(x: Node, state: BatchNormState): BatchNormTraining {
  const { runningMean, runningVar, eps = 1e-5 } = state;
  checkVectors(x, { runningMean, runningVar, weight: state.weight, bias: state.bias });
  const { mean, variance, stores } = trackStatistics(x, state);
  const { weight = fill(mean.shape, 1), bias = fill(mean.shape, 0) } = state;
  const r = inverseDeviation(variance, eps);
  return {
    output: apply(trainingNormOperation, [x, mean, multiply(r, weight), bias, weight, r], undefined),
    stores,
  };
}

export interface TrackedStatistics extends ChannelStatistics {
  /** The variance divided by n - 1 where `variance` is divided by n; what running statistics take up. */
  readonly unbiasedVariance: Node;
  /** New values of the buffers by name. */
  readonly stores: Readonly<Record<string, Node>>;
}

/**
 * The batch's statistics (`variance` biased), and what running statistics become with them, as `batchNormTraining` says.
 * @param x [N, C] or [N, C, H, W]
 * @throws OptionError when momentum is null and nothing counts the batches.
 */
export function trackStatistics(
  x: Node,
  state: Pick<BatchNormState, 'runningMean' | 'runningVar' | 'momentum' | 'batchesTracked'>,
): TrackedStatistics {
  const { runningMean, runningVar, momentum = 0.1, batchesTracked } = state;
  const { mean, variance } = batchStatistics(x);
  const samples = x.shape[0] === 'N' ? undefined : x.shape[0];
  const unbiased = apply(unbiasOperation, [variance], { space: spaceOf(x.shape), samples });
  const update = runningUpdate(momentum, batchesTracked);
  const counted = batchesTracked?.attributes?.kind === 'buffer' ? batchesTracked : undefined;
  return {
    mean,
    variance,
    unbiasedVariance: unbiased,
    stores: {
      [runningMean.attributes.name]: update(runningMean, mean),
      [runningVar.attributes.name]: update(runningVar, unbiased),
      ...(counted ? { [counted.attributes.name]: offset(counted, 1) } : {}),
    },
  };
}

function checkVectors(x: Node, vectors: Readonly<Record<string, Node | undefined>>): void {
  const channels = channelsOf('batchNorm', x.shape);
  for (const [name, vector] of Object.entries(vectors))
    if (vector) expectVector('batchNorm', name, vector.shape, channels);
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
  return (old, batch) => apply(averageOperation, [old, batch, broadcast(rate, 0, old.shape[0]!)], undefined);
}
