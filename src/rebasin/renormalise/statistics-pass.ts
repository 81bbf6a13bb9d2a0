/** One pass over data that gathers statistics on the way: the loop of every re-normalisation that looks at activations. */
import type { Node } from '../../nn/graph.ts';
import { input } from '../../nn/ops/index.ts';
import type { Program } from '../../nn/program.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';

/** [], the batches before this one: what cumulative averages divide by. A graph that tracks statistics has it as an input. */
export const batchesTracked = (): Node => input('batchesTracked', []);

/**
 * Runs a program over all images in their own order, counting batches from 0. Awaits only back-pressure.
 *
 * The images are cut into batches as equal as can be: running statistics weigh batches alike, and a short last batch would count as much
 * as a full one (51 images in batches of 50 are 25 and 26).
 * @param program reads `images` and, where it averages, `batchesTracked`.
 */
export async function passOver(data: GpuDataset, program: Program, signal?: AbortSignal): Promise<void> {
  const { context, count } = data;
  const tracked = program.input('batchesTracked');
  const batches = Math.ceil(count / program.batchSize);
  const cut = (batch: number) => Math.floor((batch * count) / batches);
  for (let batch = 0; batch < batches; batch++) {
    const size = cut(batch + 1) - cut(batch);
    context.write(tracked, Float32Array.of(batch));
    data.fillImages(program, data.inOrder, cut(batch), size);
    program.run(size);
    await context.throttle();
    signal?.throwIfAborted();
  }
}
