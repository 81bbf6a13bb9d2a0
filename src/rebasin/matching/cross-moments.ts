/**
 * Second moments between the channels of two activations of the same samples, streaming over any number of batches: what activation
 * matching (ALGORITHMS 2.2) rests on.
 *
 * Activations may lie far from 0, so nothing is squared before a mean is taken off. The first batch's channel means are the shifts s:
 * all means are counted from them, and
 *
 *   covariance[i, j] = (sum of (a_i - s_i) (b_j - s_j)) / n - (mean_i - s_i) (mean_j - s_j)
 *
 * loses nothing as long as means of batches differ by no more than some standard deviations. Sums of products grow in f32 on the GPU for
 * a fixed number of batches and are then added to f64 sums on the host, so that the error does not grow with the number of batches.
 * Means and variances of batches are put together in f64 by the formula of Chan, Golub and LeVeque (1979), "Updating formulae and a
 * pairwise algorithm for computing sample variances".
 */
import { DataError, OptionError, ShapeError } from '../../base/errors.ts';
import { checkSizes } from '../../kernels/checks.ts';
import { type CrossMomentsSizes, crossMoments } from '../../kernels/cross-moments/cross-moments.ts';
import { channelStatistics, type Scratch } from '../../kernels/norm/channels.ts';
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, elementCount, type TensorView } from '../../runtime/kernel.ts';
import { Scope } from '../../runtime/scope.ts';
import type { Tensor } from '../../runtime/tensor.ts';

/** First and second moments of two activations over all samples and positions. */
export interface Moments {
  /** Samples times positions. */
  readonly count: number;
  /** f64 [channelsA], f64 [channelsB]. */
  readonly meanA: Float64Array;
  /** f64 [channelsB]. */
  readonly meanB: Float64Array;
  /** Biased: sum of squared distances from the mean / count. Exactly 0 for a channel that never changes. */
  readonly varianceA: Float64Array;
  /** f64 [channelsB]. */
  readonly varianceB: Float64Array;
  /** f64 [channelsA, channelsB], row-major, biased. */
  readonly covariance: Float64Array;
}

/** Of `CrossMoments`. */
export interface CrossMomentsOptions {
  /** Channels of the first stream. */
  readonly channelsA: number;
  /** Channels of the second. */
  readonly channelsB: number;
  /** Both activations are always the same view: half the work. Default: false. */
  readonly symmetric?: boolean;
}

/** Batches whose products are added in f32 before the sums move to f64. */
const BATCHES_PER_FLUSH = 64;

/** One of the two activations: where its shifts lie, and what is known of it so far, means counted from the shifts. */
interface Side {
  readonly name: string;
  readonly channels: number;
  /** Elements between the rows of its statistics: views start at multiples of 256 bytes. */
  readonly row: number;
  /** Where its rows begin in the statistics of a batch, in elements. */
  readonly start: number;
  /** f32 [2, row]: the first batch's means and variances. */
  readonly first: Tensor;
  readonly mean: Float64Array;
  readonly squares: Float64Array;
}

/** Moments of one pair of activations. The caller adds batches, asks for the result and destroys it. */
export class CrossMoments {
  readonly #context: Context;
  readonly #options: CrossMomentsOptions;
  readonly #scope = new Scope();
  readonly #a: Side;
  readonly #b: Side;
  /** f32 [channelsA, channelsB]: products of the batches since the last flush. */
  readonly #sums: Tensor;
  /** f32 [BATCHES_PER_FLUSH, #stride]: for each of these batches, rows of mean less shift and of variance, of A and of B. */
  readonly #statistics: Tensor;
  readonly #stride: number;
  /** Elements of a channel in each batch since the last flush. */
  #counts: number[] = [];
  #batches = 0;
  /** What has reached the host. */
  readonly #products: Float64Array;
  #count = 0;
  /** The merging of all flushes so far, in order. */
  #merged: Promise<void> = Promise.resolve();

  /** @throws ShapeError when there are no channels, OptionError when `symmetric` is asked for different numbers of channels. */
  constructor(context: Context, options: CrossMomentsOptions) {
    const { channelsA, channelsB, symmetric = false } = options;
    checkSizes('CrossMoments', { channelsA, channelsB }, 1);
    if (symmetric && channelsA !== channelsB) {
      throw new OptionError(
        `CrossMoments: symmetric moments need as many channels of A (${channelsA}) as of B (${channelsB}); leave symmetric out`,
      );
    }
    this.#context = context;
    this.#options = options;
    const own = (shape: readonly number[], label: string) =>
      this.#scope.own(context.tensor(shape, 'f32', { label }));
    const side = (name: string, channels: number, start: number): Side => {
      const row = 64 * Math.ceil(channels / 64);
      const [mean, squares] = [new Float64Array(channels), new Float64Array(channels)];
      return { name, channels, row, start, first: own([2, row], 'shifts'), mean, squares };
    };
    try {
      this.#a = side('A', channelsA, 0);
      this.#b = symmetric ? this.#a : side('B', channelsB, 2 * this.#a.row);
      this.#stride = this.#b.start + 2 * this.#b.row;
      this.#statistics = own([BATCHES_PER_FLUSH, this.#stride], 'statistics of batches');
      this.#sums = own([channelsA, channelsB], 'cross moments');
    } catch (error) {
      this.destroy();
      throw error;
    }
    this.#products = new Float64Array(channelsA * channelsB);
  }

  /**
   * Records one batch. Submits now and then, and waits for nothing: a loop over many batches calls `context.throttle()`.
   * @param a f32 [N, channelsA] or [N, channelsA, H, W], and `b` likewise with as many samples and positions: every position is a
   *   sample. Batches may differ in N. With `symmetric`, b is a.
   * @throws ShapeError when they do not fit.
   */
  add(a: TensorView, b: TensorView): void {
    const sizes = this.#sizesOf(a, b);
    const temporary: Tensor[] = [];
    const scratch = (shape: readonly number[]) => {
      const tensor = this.#context.tensor(shape, 'f32', { label: 'scratch' });
      temporary.push(tensor);
      return tensor;
    };
    try {
      this.#context.record(...this.#dispatches(sizes, a, b, scratch));
    } finally {
      for (const tensor of temporary) tensor.destroy();
    }
    this.#batches++;
    this.#counts.push(sizes.outer * sizes.inner);
    if (this.#counts.length === BATCHES_PER_FLUSH) this.#flush();
  }

  /**
   * Waits for all batches so far. More may be added afterwards.
   * @throws DataError when there was no batch, or when activations hold NaN or infinity or pass the range of f32.
   */
  async finish(): Promise<Moments> {
    this.#flush();
    await this.#merged;
    const count = this.#count;
    if (count === 0) throw new DataError('CrossMoments: there are no samples; add a batch first');
    const [a, b] = [this.#a, this.#b];
    const [shiftA, shiftB] = [await this.#context.read(shiftOf(a)), await this.#context.read(shiftOf(b))];
    return {
      count,
      meanA: a.mean.map((mean, i) => shiftA[i]! + mean),
      meanB: b.mean.map((mean, j) => shiftB[j]! + mean),
      varianceA: a.squares.map((squares) => squares / count),
      varianceB: b.squares.map((squares) => squares / count),
      covariance: this.#products.map(
        (sum, at) => sum / count - a.mean[Math.floor(at / b.channels)]! * b.mean[at % b.channels]!,
      ),
    };
  }

  /** Frees what it made, once what is recorded has run. Safe to call twice. */
  destroy(): void {
    this.#scope.destroy();
  }

  #sizesOf(a: TensorView, b: TensorView): CrossMomentsSizes {
    const caller = 'CrossMoments.add';
    const { channelsA, channelsB, symmetric } = this.#options;
    const [outer = 0, , ...space] = a.shape;
    const inner = elementCount(space);
    checkSizes(caller, { 'the number of samples': outer, 'the number of positions': inner }, 1);
    for (const [name, { shape, dtype }, channels] of [
      ['a', a, channelsA],
      ['b', b, channelsB],
    ] as const) {
      const expected = [outer, channels, ...space];
      if (shape.join() !== expected.join() || dtype !== 'f32') {
        throw new ShapeError(
          `${caller}: ${name} must be f32 [${expected}] beside a of shape [${a.shape}], got ${dtype} [${shape}]; pass the same samples`,
        );
      }
    }
    if (symmetric && (a.buffer !== b.buffer || a.offset !== b.offset)) {
      throw new ShapeError(
        `${caller}: symmetric moments take one view twice, got two views; pass one, or leave symmetric out`,
      );
    }
    return { outer, inner, channelsA, channelsB };
  }

  #dispatches(sizes: CrossMomentsSizes, a: TensorView, b: TensorView, scratch: Scratch): Dispatch[] {
    const context = this.#context;
    const [sideA, sideB] = [this.#a, this.#b];
    const dispatches: Dispatch[] = [];
    for (const [side, input] of new Map([
      [sideA, a],
      [sideB, b],
    ])) {
      const { channels, row, first } = side;
      const call = { ...sizes, channels, input, row, scratch };
      if (this.#batches === 0) dispatches.push(...channelStatistics(context, { ...call, output: first }));
      const output = part(this.#statistics, this.#counts.length * this.#stride + side.start, [2, row]);
      dispatches.push(...channelStatistics(context, { ...call, output, origin: shiftOf(side) }));
    }
    const shifts = { shiftA: shiftOf(sideA), shiftB: shiftOf(sideB) };
    const target = { output: this.#sums, accumulate: this.#counts.length > 0 };
    dispatches.push(...crossMoments(context, { ...sizes, a, b, ...shifts, ...target, scratch }));
    return dispatches;
  }

  /** Copies what the GPU holds to the host, to be merged when it arrives: later batches may overwrite it at once. */
  #flush(): void {
    const counts = this.#counts;
    if (counts.length === 0) return;
    this.#counts = [];
    const first = this.#batches - counts.length;
    const reads = Promise.all([
      this.#context.read(this.#sums),
      this.#context.read(part(this.#statistics, 0, [counts.length, this.#stride])),
    ]);
    this.#merged = Promise.all([reads, this.#merged]).then(([[sums, statistics]]) =>
      this.#merge(first, counts, sums, statistics),
    );
    this.#merged.catch(() => {}); // seen by `finish`
  }

  #merge(first: number, counts: readonly number[], sums: Float32Array, statistics: Float32Array): void {
    for (const [index, count] of counts.entries()) {
      const batch = statistics.subarray(index * this.#stride, (index + 1) * this.#stride);
      for (const side of new Set([this.#a, this.#b]))
        mergeBatch(side, this.#count, count, batch, first + index);
      this.#count += count;
    }
    for (const [at, sum] of sums.entries()) {
      if (!Number.isFinite(sum)) {
        const [i, j] = [Math.floor(at / this.#b.channels), at % this.#b.channels];
        throw new DataError(
          `CrossMoments: the products of channel ${i} of A and channel ${j} of B pass the range of f32 in batches ${first} to ` +
            `${first + counts.length - 1}; scale the activations down`,
        );
      }
      this.#products[at]! += sum;
    }
  }
}

/** Chan's formula: n elements more, with their mean and biased variance, on top of `before`. */
function mergeBatch(side: Side, before: number, n: number, batch: Float32Array, index: number): void {
  const { name, channels, row, start, mean, squares } = side;
  for (let c = 0; c < channels; c++) {
    const batchMean = batch[start + c]!;
    const batchVariance = batch[start + row + c]!;
    if (!Number.isFinite(batchMean) || !Number.isFinite(batchVariance)) {
      throw new DataError(
        `CrossMoments: channel ${c} of activation ${name} holds NaN or infinity, or passes the range of f32, in batch ${index} ` +
          `(mean ${batchMean} from the first batch's, variance ${batchVariance}); look at the network's weights and inputs`,
      );
    }
    const distance = batchMean - mean[c]!;
    const share = n / (before + n);
    mean[c]! += distance * share;
    squares[c]! += n * batchVariance + distance * distance * before * share;
  }
}

/**
 * Pearson correlation of each channel of A with each of B: covariance / (s_A s_B + epsilon), s the standard deviation. A channel that
 * never changes (a dead unit) has correlation 0 with all.
 * `epsilon` is 0 by default; REPAIR's and rethink's published codes have 1e-4.
 * @returns f64 [channelsA, channelsB], row-major.
 */
export function pearsonCorrelation(moments: Moments, { epsilon = 0 } = {}): Float64Array {
  const { varianceA, varianceB, covariance } = moments;
  return covariance.map((value, at) => {
    const a = varianceA[Math.floor(at / varianceB.length)]!;
    const b = varianceB[at % varianceB.length]!;
    return a === 0 || b === 0 ? 0 : value / (Math.sqrt(a) * Math.sqrt(b) + epsilon);
  });
}

/** The second moment that is not centred, E[a b] = covariance + mean_A mean_B. @returns f64 [channelsA, channelsB], row-major. */
export function secondMoment(moments: Moments): Float64Array {
  const { meanA, meanB, covariance } = moments;
  return covariance.map(
    (value, at) => value + meanA[Math.floor(at / meanB.length)]! * meanB[at % meanB.length]!,
  );
}

const shiftOf = ({ first, channels }: Side): TensorView => part(first, 0, [channels]);

const part = ({ buffer, dtype }: Tensor, at: number, shape: readonly number[]): TensorView => ({
  buffer,
  offset: 4 * at,
  shape,
  dtype,
});
