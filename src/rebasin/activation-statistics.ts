/**
 * Statistics of a network's activations, streaming over any data: per layer and channel the mean, the variance, how much of it is exactly
 * zero, and the scale (mean of |x|; Qu and Horvath 2024). From taps on the graph, so every network has them; the arenas are read as they
 * are at each call, so it can look on while a network is trained or swept.
 *
 * Each batch is reduced on the GPU (variances about the batch's own mean, in one pass); batches are put together on the host in float64
 * by Chan, Golub and LeVeque's formula, so neither large means nor many batches cost accuracy.
 */
import { DataError } from '../base/errors.ts';
import type { Node } from '../nn/graph.ts';
import { forwardGraph, type Model } from '../nn/models/model.ts';
import { add, batchStatistics, offset, relu, scale, step, sumChannels } from '../nn/ops/index.ts';
import { compile, type Program } from '../nn/program.ts';
import { findTaps, type Tap } from '../nn/taps.ts';
import type { GpuDataset } from '../nn/train/gpu-dataset.ts';
import type { Arena } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { elementCount } from '../runtime/kernel.ts';
import type { Tensor } from '../runtime/tensor.ts';

/** One tap's statistics: one value a channel, over images and positions. */
export interface ChannelSummary {
  readonly mean: Float64Array;
  /** Biased: divided by the number of values. */
  readonly variance: Float64Array;
  /** Share of values that are exactly 0, from 0 to 1. */
  readonly zeroRatio: Float64Array;
  /** Mean of |x|. */
  readonly scale: Float64Array;
}

export interface TapStatistics extends ChannelSummary {
  readonly kind: Tap['kind'];
  readonly name: string;
  /** Values a channel: images times positions. */
  readonly count: number;
}

export interface ActivationStatisticsOptions {
  readonly model: Model;
  /** Where parameters and buffers are read from; they stay the caller's. */
  readonly arenas: readonly Arena[];
  /** Which taps to look at. Default: all. */
  readonly wanted?: (tap: Tap) => boolean;
  /** Images at once. Default: 100. */
  readonly batchSize?: number;
}

const QUANTITIES = ['mean', 'variance', 'absolute', 'zeros'] as const;

export class ActivationStatistics {
  readonly #context: Context;
  readonly #taps: readonly Tap[];
  readonly #program: Program;

  /** The caller destroys it. */
  constructor(
    context: Context,
    { model, arenas, wanted = () => true, batchSize = 100 }: ActivationStatisticsOptions,
  ) {
    this.#context = context;
    this.#taps = findTaps([forwardGraph(model).logits]).filter(wanted);
    const outputs: Record<string, Node> = {};
    for (const [index, { node }] of this.#taps.entries()) {
      const { mean, variance } = batchStatistics(node);
      const negative = scale(node, -1);
      const zero = offset(scale(add(step(node), step(negative)), -1), 1);
      outputs[`${index} mean`] = mean;
      outputs[`${index} variance`] = variance;
      outputs[`${index} absolute`] = sumChannels(add(relu(node), relu(negative)));
      outputs[`${index} zeros`] = sumChannels(zero);
    }
    this.#program = compile(context, { outputs, arenas, batchSize });
  }

  /**
   * Runs the network over all images.
   * @returns one entry a tap, in the network's own order.
   * @throws DataError naming the first layer with a value that is not finite.
   */
  async measure(
    data: GpuDataset,
    {
      signal,
      onProgress,
    }: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: ((done: number) => void) | undefined;
    } = {},
  ): Promise<TapStatistics[]> {
    const program = this.#program;
    const sizes = this.#taps.map(({ node }) => node.shape[1] as number);
    const row = QUANTITIES.length * sizes.reduce((sum, size) => sum + size, 0);
    const batches = Math.ceil(data.count / program.batchSize);
    const all = this.#context.tensor([batches, row]);
    try {
      for (let batch = 0; batch < batches; batch++) {
        const start = batch * program.batchSize;
        const size = Math.min(program.batchSize, data.count - start);
        data.fillImages(program, data.inOrder, start, size);
        program.run(size);
        this.#copyOutputs(all, batch * row);
        await this.#context.throttle();
        signal?.throwIfAborted();
        onProgress?.(start + size);
      }
      const values = await all.read();
      const sizeOf = (batch: number) => Math.min(program.batchSize, data.count - batch * program.batchSize);
      let at = 0;
      return this.#taps.map((tap, index) => {
        const rows = Array.from({ length: batches }, (_, batch) => ({
          images: sizeOf(batch),
          values: values.subarray(batch * row + at, batch * row + at + QUANTITIES.length * sizes[index]!),
        }));
        at += QUANTITIES.length * sizes[index]!;
        return mergeBatches(tap, rows);
      });
    } finally {
      all.destroy();
    }
  }

  #copyOutputs(all: Tensor, start: number): void {
    let at = start;
    for (const [index] of this.#taps.entries()) {
      for (const quantity of QUANTITIES) {
        const { buffer, offset: from, shape } = this.#program.output(`${index} ${quantity}`);
        this.#context.recorder.copy(buffer, from, all.buffer, 4 * at, 4 * elementCount(shape));
        at += elementCount(shape);
      }
    }
  }

  destroy(): void {
    this.#program.destroy();
  }
}

/** Batches of mean, variance, sum of |x| and number of zeros, each [C], put together. */
function mergeBatches(
  { kind, name, node }: Tap,
  batches: readonly { readonly images: number; readonly values: Float32Array }[],
): TapStatistics {
  const channels = node.shape[1] as number;
  const space = elementCount(node.shape.slice(2) as number[]);
  const vector = () => new Float64Array(channels);
  const merged = { mean: vector(), variance: vector(), zeroRatio: vector(), scale: vector() };
  let count = 0;
  for (const { images, values } of batches) {
    const added = images * space;
    const share = added / (count + added);
    for (let c = 0; c < channels; c++) {
      const distance = values[c]! - merged.mean[c]!;
      merged.mean[c]! += distance * share;
      // While merging this holds the sum of squares about the mean.
      merged.variance[c]! += added * values[channels + c]! + distance * distance * count * share;
      merged.scale[c]! += values[2 * channels + c]!;
      merged.zeroRatio[c]! += values[3 * channels + c]!;
    }
    count += added;
  }
  for (let c = 0; c < channels; c++) {
    for (const quantity of [merged.variance, merged.scale, merged.zeroRatio]) quantity[c]! /= count;
    if (!Number.isFinite(merged.mean[c]! + merged.variance[c]!)) {
      throw new DataError(
        `activation statistics: channel ${c} of ${kind} "${name}" is not finite on these images; the network has diverged`,
      );
    }
  }
  return { kind, name, count, ...merged };
}
