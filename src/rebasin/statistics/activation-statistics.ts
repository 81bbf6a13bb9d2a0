/**
 * Statistics of a network's activations, streaming over any data: per layer and channel the mean, the variance, how much of it is exactly
 * zero, and the scale (mean of |x|; Qu and Horvath 2024). From taps on the graph, so every network has them; the arenas are read as they
 * are at each call, so it can look on while a network is trained or swept.
 *
 * Each batch is reduced on the GPU (variances about the batch's own mean, in one pass); batches are put together on the host in float64
 * by Chan, Golub and LeVeque's formula, so neither large means nor many batches cost accuracy.
 */
import { DataError, OptionError } from '../../base/errors.ts';
import { fittingBatchSize } from '../../nn/batch-size.ts';
import type { Node } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { spaceOf } from '../../nn/ops/channels.ts';
import { add, batchStatistics, offset, relu, scale, step, sumChannels } from '../../nn/ops/index.ts';
import { compile, type Program } from '../../nn/program.ts';
import { findTaps, type Tap } from '../../nn/taps.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';

/** One tap's statistics: one value a channel, over images and positions. */
export interface ChannelSummary {
  /** Of each channel. */
  readonly mean: Float64Array;
  /** Biased: divided by the number of values. */
  readonly variance: Float64Array;
  /** Share of values that are exactly 0, from 0 to 1. */
  readonly zeroRatio: Float64Array;
  /** Mean of |x|. */
  readonly scale: Float64Array;
}

/** What activations do at one tap. */
export interface TapStatistics extends ChannelSummary {
  /** Of the tap. */
  readonly kind: Tap['kind'];
  /** Of the tap. */
  readonly name: string;
  /** Values a channel: images times positions. */
  readonly count: number;
}

/** Of `ActivationStatistics`. */
export interface ActivationStatisticsOptions {
  /** The architecture. */
  readonly model: Model;
  /** Where parameters and buffers are read from; they stay the caller's. */
  readonly arenas: readonly Arena[];
  /** Which taps to look at. Default: all. */
  readonly wanted?: (tap: Tap) => boolean;
  /** Images at once. Default: 100. */
  readonly batchSize?: number;
}

/** What a batch is reduced to, each [C]. */
const QUANTITIES = ['mean', 'variance', 'absolute', 'zeros'] as const;

/** Floats of batch results that wait on the GPU to be read together: 16 MiB. */
const WAITING = 4 * 1024 * 1024;

/** How to be told, and how to stop. */
export interface MeasureOptions {
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the images recorded so far. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Means, variances and more of every channel at every tap, over a whole data set; batches are put together in float64. */
export class ActivationStatistics {
  readonly #context: Context;
  readonly #taps: readonly Tap[];
  /** The results of one batch. */
  readonly #batch: Arena;
  readonly #program: Program;

  /** The caller destroys it. @throws OptionError when no tap is wanted. */
  constructor(
    context: Context,
    { model, arenas, wanted = () => true, batchSize = 100 }: ActivationStatisticsOptions,
  ) {
    this.#context = context;
    this.#taps = findTaps([forwardGraph(model).logits]).filter(wanted);
    if (this.#taps.length === 0) {
      throw new OptionError(`activation statistics: none of the taps of ${model.name} is wanted; want one`);
    }
    const entries = this.#taps.flatMap(({ node }, index) =>
      QUANTITIES.map((quantity) => ({ name: `${index} ${quantity}`, shape: [node.shape[1] as number] })),
    );
    this.#batch = new Arena(context, new ArenaLayout(entries), 'statistics of a batch');
    try {
      const stores = this.#taps.flatMap(({ node }, index) =>
        Object.entries(quantitiesOf(node)).map(
          ([quantity, value]) => [value, this.#batch.view(`${index} ${quantity}`)] as const,
        ),
      );
      const nodes = this.#taps.map(({ node }) => node);
      const fitting = fittingBatchSize(context, nodes, batchSize);
      this.#program = compile(context, { outputs: {}, stores, arenas, batchSize: fitting });
    } catch (error) {
      this.#batch.destroy();
      throw error;
    }
  }

  /**
   * Runs the network over all images.
   * @returns one entry a tap, in the network's own order.
   * @throws DataError naming the first of the taps with a value that is not finite. (A ReLU may hide a NaN of the layer before it.)
   */
  async measure(data: GpuDataset, { signal, onProgress }: MeasureOptions = {}): Promise<TapStatistics[]> {
    const program = this.#program;
    const { length } = this.#batch.layout;
    const batches = Math.ceil(data.count / program.batchSize);
    const waiting = this.#context.tensor([
      Math.min(batches, Math.max(1, Math.floor(WAITING / length))),
      length,
    ]);
    const streams = this.#taps.map((tap) => new ChannelStream(tap));
    let sizes: number[] = [];
    try {
      for (let start = 0; start < data.count; start += program.batchSize) {
        const size = Math.min(program.batchSize, data.count - start);
        data.fillImages(program, data.inOrder, start, size);
        program.run(size);
        const { recorder } = this.#context;
        recorder.copy(this.#batch.buffer, 0, waiting.buffer, 4 * length * sizes.length, 4 * length);
        sizes.push(size);
        await this.#context.throttle();
        signal?.throwIfAborted();
        onProgress?.(start + size);
        if (sizes.length < waiting.shape[0]! && start + size < data.count) continue;
        this.#add(streams, await waiting.read(), sizes);
        sizes = [];
      }
      return streams.map((stream) => stream.result());
    } finally {
      waiting.destroy();
    }
  }

  /** @param sizes images of each batch whose results `rows` holds, one after another. */
  #add(streams: readonly ChannelStream[], rows: Float32Array, sizes: readonly number[]): void {
    const { layout } = this.#batch;
    for (const [row, images] of sizes.entries()) {
      for (const [index, stream] of streams.entries()) {
        const [mean, variance, absolute, zeros] = QUANTITIES.map((quantity) => {
          const slice = layout.slice(`${index} ${quantity}`);
          const start = row * layout.length + slice.start;
          return rows.subarray(start, start + slice.length);
        });
        stream.add(images, { mean: mean!, variance: variance!, absolute: absolute!, zeros: zeros! });
      }
    }
  }

  /** Frees its program and buffers; arenas and data stay. */
  destroy(): void {
    this.#program.destroy();
    this.#batch.destroy();
  }
}

/** |x| and the zeros cost a tensor of the tap's size each, written and read once; mean and variance read the tap itself. */
function quantitiesOf(x: Node): Record<(typeof QUANTITIES)[number], Node> {
  const magnitude = add(relu(x), relu(scale(x, -1)));
  const zero = offset(scale(add(step(x), step(scale(x, -1))), -1), 1);
  return { ...batchStatistics(x), absolute: sumChannels(magnitude), zeros: sumChannels(zero) };
}

/** One tap's statistics over the batches so far. */
class ChannelStream {
  readonly #tap: Tap;
  readonly #mean: Float64Array;
  /** Sums of squares about the mean. */
  readonly #squares: Float64Array;
  readonly #absolute: Float64Array;
  readonly #zeros: Float64Array;
  #count = 0;

  constructor(tap: Tap) {
    const channels = tap.node.shape[1] as number;
    this.#tap = tap;
    this.#mean = new Float64Array(channels);
    this.#squares = new Float64Array(channels);
    this.#absolute = new Float64Array(channels);
    this.#zeros = new Float64Array(channels);
  }

  /** @param batch mean, biased variance, sum of |x|, number of zeros. @throws DataError when one is not finite. */
  add(images: number, batch: Readonly<Record<(typeof QUANTITIES)[number], Float32Array>>): void {
    const added = images * spaceOf(this.#tap.node.shape);
    const share = added / (this.#count + added);
    for (const [c, mean] of batch.mean.entries()) {
      const [variance, absolute] = [batch.variance[c]!, batch.absolute[c]!];
      if (!Number.isFinite(mean + variance + absolute)) {
        const { kind, name } = this.#tap;
        throw new DataError(
          `activation statistics: channel ${c} of ${kind} "${name}" is not finite on these images; the network has diverged`,
        );
      }
      const distance = mean - this.#mean[c]!;
      this.#mean[c]! += distance * share;
      this.#squares[c]! += added * variance + distance * distance * this.#count * share;
      this.#absolute[c]! += absolute;
      this.#zeros[c]! += batch.zeros[c]!;
    }
    this.#count += added;
  }

  result(): TapStatistics {
    const { kind, name } = this.#tap;
    const count = this.#count;
    const perValue = (sums: Float64Array) => sums.map((sum) => sum / count);
    return {
      kind,
      name,
      count,
      mean: this.#mean,
      variance: perValue(this.#squares),
      zeroRatio: perValue(this.#zeros),
      scale: perValue(this.#absolute),
    };
  }
}
