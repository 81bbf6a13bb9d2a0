/**
 * Loss and accuracy of a network over a data set.
 *
 * Each sample's loss and correctness are kept on the GPU, and only then summed in a fixed tree whose last step is done in float64 on
 * the host: the result does not depend on the batch size.
 */
import { partialCount, partialSums, sumFloat64 } from '../../kernels/reduce/partials.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { TensorView } from '../../runtime/kernel.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { forwardGraph, type Model } from '../models/model.ts';
import { correct, crossEntropy, input } from '../ops/index.ts';
import { compile, type Program } from '../program.ts';
import type { GpuDataset } from './gpu-dataset.ts';

export interface Evaluation {
  /** Mean cross-entropy, natural logarithm. */
  readonly loss: number;
  /** Fraction of samples whose largest logit is the label's. */
  readonly accuracy: number;
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of samples recorded. */
  readonly onProgress?: (samples: number) => void;
}

/** Evaluates one model over one data set, again and again as the arena's values change. */
export class Evaluator {
  readonly context: Context;
  readonly dataset: GpuDataset;
  readonly program: Program;
  readonly #losses: Tensor;
  readonly #corrects: Tensor;
  readonly #partials: number;

  /** @param arenas where the model's parameters (and buffers) are; read at each evaluation. The caller destroys the evaluator. */
  constructor(
    context: Context,
    model: Model,
    arenas: readonly Arena[],
    dataset: GpuDataset,
    batchSize = 500,
  ) {
    this.context = context;
    this.dataset = dataset;
    const { logits } = forwardGraph(model);
    const labels = input('labels', ['N'], 'u32');
    this.program = compile(context, {
      outputs: { logits, losses: crossEntropy(logits, labels), corrects: correct(logits, labels) },
      arenas,
      batchSize: Math.min(batchSize, dataset.count),
    });
    this.#losses = context.tensor([dataset.count]);
    this.#corrects = context.tensor([dataset.count]);
    this.#partials = partialCount(dataset.count);
  }

  /** Floats that `record` writes: a multiple of 64, so that results of several evaluations can lie side by side in one tensor. */
  get resultLength(): number {
    return 2 * this.#stride;
  }

  get #stride(): number {
    return Math.ceil(this.#partials / 64) * 64;
  }

  /**
   * Records one evaluation of what the arenas hold now. Nothing is read back; awaits only back-pressure.
   * @param target `resultLength` floats, for `result`.
   */
  async record(target: TensorView, { signal, onProgress }: EvaluateOptions = {}): Promise<void> {
    const { context, dataset, program } = this;
    for (let start = 0; start < dataset.count; start += program.batchSize) {
      const batchSize = Math.min(program.batchSize, dataset.count - start);
      dataset.fill(program, dataset.inOrder, start, batchSize);
      program.run(batchSize);
      for (const [name, all] of [
        ['losses', this.#losses],
        ['corrects', this.#corrects],
      ] as const) {
        const { buffer, offset } = program.output(name);
        context.recorder.copy(buffer, offset, all.buffer, 4 * start, 4 * batchSize);
      }
      await context.throttle();
      signal?.throwIfAborted();
      onProgress?.(start + batchSize);
    }
    const part = (index: number): TensorView => ({
      ...target,
      offset: target.offset + 4 * index * this.#stride,
      shape: [this.#partials],
    });
    context.record(
      ...partialSums(context, { input: this.#losses, output: part(0) }),
      ...partialSums(context, { input: this.#corrects, output: part(1) }),
    );
  }

  /** Loss and accuracy from what `record` wrote. */
  result(floats: Float32Array): Evaluation {
    const total = (index: number) =>
      sumFloat64(floats.subarray(index * this.#stride, index * this.#stride + this.#partials));
    return { loss: total(0) / this.dataset.count, accuracy: total(1) / this.dataset.count };
  }

  /** Evaluates what the arenas hold now. */
  async evaluate(options: EvaluateOptions = {}): Promise<Evaluation> {
    const target = this.context.tensor([this.resultLength]);
    try {
      await this.record(target, options);
      return this.result(await target.read());
    } finally {
      target.destroy();
    }
  }

  /** Logits of the first `count` samples, at most one batch: [count, classes], row by row. */
  async logits(count: number): Promise<Float32Array> {
    const { context, dataset, program } = this;
    dataset.fill(program, dataset.inOrder, 0, count);
    program.run(count);
    return context.read(program.output('logits', count));
  }

  destroy(): void {
    this.program.destroy();
    this.#losses.destroy();
    this.#corrects.destroy();
  }
}
