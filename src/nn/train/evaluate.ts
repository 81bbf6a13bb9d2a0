/**
 * Loss and accuracy of a network over a data set.
 *
 * Each sample's loss and correctness are kept on the GPU, and only then summed in a fixed tree whose last step is done in float64 on
 * the host: the result does not depend on the batch size.
 */
import { OptionError } from '../../base/errors.ts';
import { partialCount, partialSums, sumFloat64 } from '../../kernels/reduce/partials.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { TensorView } from '../../runtime/kernel.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { fittingBatchSize } from '../batch-size.ts';
import type { Node } from '../graph.ts';
import { forwardGraph, type Model } from '../models/model.ts';
import { correct, crossEntropy, input } from '../ops/index.ts';
import { compile, type Program } from '../program.ts';
import type { GpuDataset } from './gpu-dataset.ts';

/** How well a network does on a data set. */
export interface Evaluation {
  /** Mean cross-entropy, natural logarithm. */
  readonly loss: number;
  /** Fraction of samples whose largest logit is the label's. */
  readonly accuracy: number;
}

/** How to be told, and how to stop. */
export interface EvaluateOptions {
  /** Looked at after each batch: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of samples recorded. */
  readonly onProgress?: ((samples: number) => void) | undefined;
}

/** Of `Evaluator.record`. */
export interface RecordOptions extends EvaluateOptions {
  /** f32 [count, classes], filled with all logits, which are read back batch after batch. Default: nothing is read back. */
  readonly logits?: Float32Array | undefined;
}

/** Where logits come from, for whoever knows a shorter way to them than the whole network. */
export interface LogitSource {
  /** [N, classes], of inputs by any name but `labels`. */
  readonly logits: Node;
  /** Records what fills these inputs of a program with samples `start` to `start + batchSize - 1` of the data set. */
  fill(program: Program, start: number, batchSize: number): void;
}

/** Samples at once, unless one says otherwise. */
export const EVALUATION_BATCH_SIZE = 500;

/** Evaluates one model over one data set, again and again as the arena's values change. */
export class Evaluator {
  /** Where it runs. */
  readonly context: Context;
  /** What it evaluates on; stays the caller's. */
  readonly dataset: GpuDataset;
  /** The network, with logits, losses and hits as outputs. */
  readonly program: Program;
  readonly #classes: number;
  readonly #source: LogitSource;
  readonly #losses: Tensor;
  readonly #corrects: Tensor;
  readonly #partials: number;

  /**
   * The caller destroys the evaluator.
   * @param arenas where the model's parameters (and buffers) are; read at each evaluation.
   * @param source of the logits; it stays the caller's. Default: the model, on the data set's images.
   */
  constructor(
    context: Context,
    model: Model,
    arenas: readonly Arena[],
    dataset: GpuDataset,
    batchSize = EVALUATION_BATCH_SIZE,
    source = wholeNetwork(model, dataset),
  ) {
    this.context = context;
    this.dataset = dataset;
    this.#classes = model.classes;
    this.#source = source;
    const { logits } = source;
    const labels = input('labels', ['N'], 'u32');
    this.program = compile(context, {
      outputs: { logits, losses: crossEntropy(logits, labels), corrects: correct(logits, labels) },
      arenas,
      batchSize: fittingBatchSize(context, [logits], Math.min(batchSize, dataset.count)),
    });
    this.#losses = context.tensor([dataset.count]);
    this.#corrects = context.tensor([dataset.count]);
    this.#partials = partialCount(dataset.count);
  }

  /** Number of floats that all logits of the data set are: count times classes. */
  get logitsLength(): number {
    return this.dataset.count * this.#classes;
  }

  /** Floats that `record` writes: a multiple of 64, so that results of several evaluations can lie side by side in one tensor. */
  get resultLength(): number {
    return 2 * this.#stride;
  }

  get #stride(): number {
    return Math.ceil(this.#partials / 64) * 64;
  }

  /**
   * Records one evaluation of what the arenas hold now. Nothing is read back unless `logits` asks for it; awaits only back-pressure.
   * @param target `resultLength` floats, for `result`.
   */
  async record(target: TensorView, { logits, ...options }: RecordOptions = {}): Promise<void> {
    const { context, dataset, program } = this;
    await this.#batches(dataset.count, options, async (start, batchSize) => {
      for (const [name, all] of [
        ['losses', this.#losses],
        ['corrects', this.#corrects],
      ] as const) {
        const { buffer, offset } = program.output(name);
        context.recorder.copy(buffer, offset, all.buffer, 4 * start, 4 * batchSize);
      }
      logits?.set(await this.#logits(batchSize), start * this.#classes);
    });
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

  /**
   * Logits of the first `count` samples, read back batch by batch. Default: of all.
   * @returns [count, classes], row by row.
   * @throws OptionError when the data set has fewer samples.
   */
  async logits(count = this.dataset.count, options: EvaluateOptions = {}): Promise<Float32Array> {
    if (count > this.dataset.count) {
      throw new OptionError(`logits: expected at most ${this.dataset.count} samples, got ${count}`);
    }
    const all = new Float32Array(count * this.#classes);
    await this.#batches(count, options, async (start, batchSize) => {
      all.set(await this.#logits(batchSize), start * this.#classes);
    });
    return all;
  }

  /** The logits of the batch that was run last. */
  #logits(batchSize: number): Promise<Float32Array> {
    return this.context.read(this.program.output('logits', batchSize));
  }

  /** Runs the program on the first `count` samples, and `then` after each batch. */
  async #batches(
    count: number,
    { signal, onProgress }: EvaluateOptions,
    then: (start: number, batchSize: number) => Promise<void>,
  ): Promise<void> {
    const { context, dataset, program } = this;
    for (let start = 0; start < count; start += program.batchSize) {
      const batchSize = Math.min(program.batchSize, count - start);
      this.#source.fill(program, start, batchSize);
      dataset.fillLabels(program, dataset.inOrder, start, batchSize);
      program.run(batchSize);
      await then(start, batchSize);
      await context.throttle();
      signal?.throwIfAborted();
      onProgress?.(start + batchSize);
    }
  }

  /** Frees its program and results; data set and arenas stay. */
  destroy(): void {
    this.program.destroy();
    this.#losses.destroy();
    this.#corrects.destroy();
  }
}

function wholeNetwork(model: Model, dataset: GpuDataset): LogitSource {
  return {
    logits: forwardGraph(model).logits,
    fill: (program, start, batchSize) => dataset.fillImages(program, dataset.inOrder, start, batchSize),
  };
}
