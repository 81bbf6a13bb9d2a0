/** Gradients of single samples: what Fisher information is made of. A network run on one image at a time, in evaluation mode. */
import { gradients } from '../../nn/gradient.ts';
import { leavesOf } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { crossEntropy, input, sum } from '../../nn/ops/index.ts';
import { compile, type Program } from '../../nn/program.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { PrunableWeight } from './prunable-weights.ts';

export interface SampleGradientsOptions {
  readonly model: Model;
  /** Parameters and buffers; stays the caller's. */
  readonly state: Arena;
  readonly weights: readonly PrunableWeight[];
  readonly data: GpuDataset;
}

export class SampleGradients {
  readonly context: Context;
  /** The gradient of the loss (cross-entropy with the true label) of the sample recorded last, of each weight. */
  readonly arena: Arena;
  readonly #data: GpuDataset;
  readonly #program: Program;

  /** The caller destroys it. */
  constructor(context: Context, { model, state, weights, data }: SampleGradientsOptions) {
    this.context = context;
    this.#data = data;
    const { logits } = forwardGraph(model);
    const loss = sum(crossEntropy(logits, input('labels', ['N'], 'u32')), 0);
    const names = new Set(weights.map(({ name }) => name));
    const leaves = leavesOf([loss], 'parameter').filter(({ attributes }) => names.has(attributes.name));
    const found = gradients(loss, leaves);
    this.arena = new Arena(context, new ArenaLayout(weights), 'gradients of a sample');
    try {
      this.#program = compile(context, {
        outputs: {},
        stores: leaves.map(({ attributes }, i) => [found[i]!, this.arena.view(attributes.name)] as const),
        arenas: [state],
        batchSize: 1,
      });
    } catch (error) {
      this.arena.destroy();
      throw error;
    }
  }

  /** Records the gradients of one sample of the data. */
  record(sample: number): void {
    this.#data.fill(this.#program, this.#data.inOrder, sample, 1);
    this.#program.run(1);
  }

  destroy(): void {
    this.#program.destroy();
    this.arena.destroy();
  }
}
