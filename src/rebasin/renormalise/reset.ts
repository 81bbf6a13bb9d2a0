/**
 * RESET (Jordan et al. 2023, REPAIR, for networks with batch norm): the running statistics of a merged network belong to no network
 * that was trained, so they are estimated anew. One pass in training mode over data, statistics averaged over all batches.
 */
import { UnsupportedError } from '../../base/errors.ts';
import { fittingBatchSize } from '../../nn/batch-size.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { compile, type Program } from '../../nn/program.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { hasBatchNorm } from './layers.ts';
import type { Renormaliser } from './renormaliser.ts';
import { batchesTracked, passOver } from './statistics-pass.ts';

/** Measures the running statistics of batch norm anew. */
export class BatchNormReset implements Renormaliser {
  readonly #program: Program;
  readonly #data: GpuDataset;

  /**
   * @param state arena with the model's parameters and buffers; `record` overwrites its running means and variances.
   * @param data images to estimate the statistics on.
   * @param batchSize images whose statistics are taken together, fewer where a binding holds fewer. The caller destroys the reset; arena and data stay the caller's.
   * @throws UnsupportedError when the model has no batch norm.
   */
  constructor(context: Context, model: Model, state: Arena, data: GpuDataset, batchSize = 250) {
    const { updates } = forwardGraph(model, {
      training: true,
      momentum: null,
      batchesTracked: batchesTracked(),
    });
    checkReset(model);
    this.#data = data;
    this.#program = compile(context, {
      outputs: {},
      stores: [...updates].map(([name, node]) => [node, state.view(name)] as const),
      arenas: [state],
      batchSize: fittingBatchSize(context, [...updates.values()], Math.min(batchSize, data.count)),
    });
  }

  /** Records one pass over the data; awaits only back-pressure. Variances are unbiased, batches (equal but for one image) weighted equally. */
  async record(signal?: AbortSignal): Promise<void> {
    await passOver(this.#data, this.#program, signal);
  }

  /** As `record`: running statistics do not depend on how the weights came about. */
  async correct(_coefficients: readonly number[], signal?: AbortSignal): Promise<void> {
    await this.record(signal);
  }

  destroy(): void {
    this.#program.destroy();
  }
}

/** @throws UnsupportedError unless the model has batch norm. */
export function checkReset(model: Model): void {
  if (hasBatchNorm(model)) return;
  throw new UnsupportedError(
    `reset: ${model.name} has no batch norm, so there are no running statistics to estimate`,
  );
}
