/** One pass over data that gathers statistics on the way: the loop of every re-normalisation that looks at activations. */
import type { Node } from '../../nn/graph.ts';
import { input } from '../../nn/ops/index.ts';
import type { Program } from '../../nn/program.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';

/** [], the batches before this one: what cumulative averages divide by. A graph that tracks statistics has it as an input. */
export const batchesTracked = (): Node => input('batchesTracked', []);

/**
 * Runs a program over all images in their own order, counting batches from 0. Awaits only back-pressure.
 * @param program reads `images` and, where it averages, `batchesTracked`.
 */
export async function passOver(data: GpuDataset, program: Program, signal?: AbortSignal): Promise<void> {
  const { context } = data;
  const tracked = program.input('batchesTracked');
  for (let start = 0, batch = 0; start < data.count; start += program.batchSize, batch++) {
    const size = Math.min(program.batchSize, data.count - start);
    context.write(tracked, Float32Array.of(batch));
    data.fillImages(program, data.inOrder, start, size);
    program.run(size);
    await context.throttle();
    signal?.throwIfAborted();
  }
}
