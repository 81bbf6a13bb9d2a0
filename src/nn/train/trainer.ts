/** One training step after another: the program, the optimizer, and all state on the GPU that they share. */
import { FormatError } from '../../base/errors.ts';
import { axpy } from '../../kernels/arena/arena.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { TensorView } from '../../runtime/kernel.ts';
import { parameterGradients } from '../gradient.ts';
import { forwardGraph, type Model, stateEntries } from '../models/model.ts';
import { input, mean, multiply, smoothedCrossEntropy } from '../ops/index.ts';
import { compile, type Program } from '../program.ts';
import type { Augment, GpuDataset } from './gpu-dataset.ts';
import { FROZEN, Optimizer, type OptimizerOptions } from './optimizer.ts';

/** What a trainer is compiled for. */
export interface TrainerOptions {
  /** The architecture. */
  readonly model: Model;
  /** Its kind and constants. */
  readonly optimizer: OptimizerOptions;
  /** Samples a step. */
  readonly batchSize: number;
  /** Parts that a batch is computed in, their gradients summed: for batches larger than memory. Default: 1. */
  readonly accumulate?: number;
  /** Share of a label's probability that is spread over all classes, 0 to 1. Default: 0. */
  readonly labelSmoothing?: number | undefined;
  /** Whether each step says what its samples' losses count. Default: false, all alike. */
  readonly weighted?: boolean;
}

/** One step: over samples `order[start .. start + count - 1]`. */
export interface TrainingStep {
  /** Where the samples are. */
  readonly data: GpuDataset;
  /** u32 [data.count]: the epoch's order of the samples. */
  readonly order: TensorView;
  /** The first of the batch in that order. */
  readonly start: number;
  /** Samples in the batch. */
  readonly count: number;
  /** Of this step. */
  readonly learningRate: number;
  /** [data.count], gets each sample's loss at its place in the order. */
  readonly losses: TensorView;
  /** f32 [data.count], what each sample's loss counts, at its place in the order. Of a weighted trainer. */
  readonly weights?: TensorView | undefined;
  /** Default: images as they are. */
  readonly augment?: Augment | undefined;
}

/** One training step compiled: forward, backward, update. `fit` is a loop around it. */
export class Trainer {
  readonly #context: Context;
  readonly #microBatch: number;
  readonly #parameters: Arena;
  readonly #gradients: Arena;
  readonly #buffers: Arena;
  /** Sum of the parts' gradients; the gradients themselves where there is one part. */
  readonly #total: Arena;
  readonly #optimizer: Optimizer;
  readonly #program: Program;

  /** The caller destroys the trainer. Values are undefined until `load`. */
  constructor(context: Context, options: TrainerOptions) {
    const { model, optimizer, batchSize, accumulate = 1, labelSmoothing = 0, weighted = false } = options;
    this.#context = context;
    this.#microBatch = Math.ceil(batchSize / accumulate);
    const entries = stateEntries(model);
    const layoutOf = (kind: 'parameter' | 'buffer') =>
      new ArenaLayout(entries.filter((entry) => entry.kind === kind));
    this.#parameters = new Arena(context, layoutOf('parameter'), 'parameters');
    this.#gradients = new Arena(context, layoutOf('parameter'), 'gradients');
    this.#buffers = new Arena(context, layoutOf('buffer'), 'buffers');
    this.#total =
      accumulate > 1 ? new Arena(context, layoutOf('parameter'), 'summed gradients') : this.#gradients;
    this.#optimizer = new Optimizer(context, optimizer, this.#parameters, this.#total);
    try {
      this.#program = this.#compile(model, labelSmoothing, weighted);
    } catch (error) {
      this.#destroyState();
      throw error;
    }
  }

  #compile(model: Model, labelSmoothing: number, weighted: boolean): Program {
    const { logits, updates } = forwardGraph(model, { training: true });
    const losses = smoothedCrossEntropy(logits, input('labels', ['N'], 'u32'), labelSmoothing);
    const counted = weighted ? multiply(losses, input('weights', ['N'])) : losses;
    const stores = [
      ...[...parameterGradients(mean(counted, 0))].map(
        ([name, node]) => [node, this.#gradients.view(name)] as const,
      ),
      ...[...updates].map(([name, node]) => [node, this.#buffers.view(name)] as const),
    ];
    const { arenas } = this;
    return compile(this.#context, { outputs: { losses }, stores, arenas, batchSize: this.#microBatch });
  }

  /** Sets parameters and buffers, and the optimizer's state after `steps` steps where given. @throws FormatError */
  load(values: HostTensors, optimizer: readonly HostTensors[] = [], steps = 0): void {
    if (steps > 0 && optimizer.length !== this.#optimizer.state.length) {
      throw new FormatError(
        `trainer.load: this optimizer keeps ${this.#optimizer.state.length} arrays a parameter, the state has ${optimizer.length}`,
      );
    }
    this.#parameters.write(values);
    this.#buffers.write(values);
    this.#optimizer.resumeAt(steps);
    for (const [index, arena] of this.#optimizer.state.entries())
      if (steps > 0) arena.write(optimizer[index]!);
  }

  /** Records one step. @throws StateError inside `context.recording`: start, augmentation and learning rate would stay what they were. */
  step({ data, order, start, count, learningRate, losses, weights, augment }: TrainingStep): void {
    const context = this.#context;
    context.checkNotRecording('trainer.step', FROZEN);
    const parts = this.#total !== this.#gradients;
    if (parts) context.recorder.clear(this.#total.buffer);
    for (let at = start; at < start + count; at += this.#microBatch) {
      const size = Math.min(this.#microBatch, start + count - at);
      data.fill(this.#program, order, at, size, augment);
      if (weights) {
        const target = this.#program.input('weights');
        context.recorder.copy(
          weights.buffer,
          weights.offset + 4 * at,
          target.buffer,
          target.offset,
          4 * size,
        );
      }
      this.#program.run(size);
      const { buffer, offset } = this.#program.output('losses');
      context.recorder.copy(buffer, offset, losses.buffer, losses.offset + 4 * at, 4 * size);
      // A part's gradient is of its own mean: weighted by its share it adds up to that of the batch.
      if (parts)
        context.record(
          ...axpy(context, { alpha: size / count, x: this.#gradients.windows, y: this.#total.windows }),
        );
    }
    this.#optimizer.step(learningRate);
  }

  /** Where parameters and buffers are, step after step. They are the trainer's: to be read, or copied. */
  get arenas(): readonly Arena[] {
    return [this.#parameters, this.#buffers];
  }

  /** Parameters and buffers by name. */
  async values(): Promise<Map<string, Float32Array>> {
    return new Map([...(await this.#parameters.read()), ...(await this.#buffers.read())]);
  }

  /** The optimizer's moments or velocities, each by parameter name. */
  async optimizerState(): Promise<Map<string, Float32Array>[]> {
    const state: Map<string, Float32Array>[] = [];
    for (const arena of this.#optimizer.state) state.push(await arena.read());
    return state;
  }

  /** Frees what it made; arenas and data stay. */
  destroy(): void {
    this.#program.destroy();
    this.#destroyState();
  }

  #destroyState(): void {
    this.#optimizer.destroy();
    for (const arena of new Set([this.#parameters, this.#gradients, this.#buffers, this.#total]))
      arena.destroy();
  }
}
