/**
 * What two networks do on the same images, tap by tap: the cross moments of every unit of one with every unit of the other, streaming.
 * Matching by activations and the closed form of REPAIR both begin here.
 */
import { compile } from '../../nn/program.ts';
import type { Tap } from '../../nn/taps.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { Scope } from '../../runtime/scope.ts';
import { CrossMoments, type Moments } from './cross-moments.ts';

export interface ActivationPairsOptions {
  /** Values to look at, all of one graph that both networks have. */
  readonly taps: readonly Tap[];
  /** Values of both networks; only read. */
  readonly a: Arena;
  readonly b: Arena;
  readonly data: GpuDataset;
  /** Images at once. Default: what keeps the tapped values of one network within 128 MiB, at most 250. Decides rounding. */
  readonly batchSize?: number | undefined;
  /** Images done. */
  readonly onProgress?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const TAPPED_BYTES = 2 ** 27;

/** @returns the moments at each tap over all images and positions. */
export async function activationPairs(
  context: Context,
  options: ActivationPairsOptions,
): Promise<{ readonly tap: Tap; readonly moments: Moments }[]> {
  const { taps, a, b, data, signal } = options;
  const bytes = taps.reduce((sum, { node }) => sum + 4 * elementCount(node.shape.slice(1) as number[]), 0);
  const most = Math.max(1, Math.min(250, Math.floor(TAPPED_BYTES / Math.max(1, bytes))));
  const batchSize = Math.min(options.batchSize ?? most, data.count);
  const outputs = Object.fromEntries(taps.map(({ node }, index) => [String(index), node]));
  const scope = new Scope();
  try {
    const programs = [a, b].map((arena) =>
      scope.own(compile(context, { outputs, stores: [], arenas: [arena], batchSize })),
    );
    const moments = taps.map(({ node }) => {
      const channels = node.shape[1] as number;
      return scope.own(new CrossMoments(context, { channelsA: channels, channelsB: channels }));
    });
    for (let start = 0; start < data.count; start += batchSize) {
      const size = Math.min(batchSize, data.count - start);
      for (const program of programs) {
        data.fillImages(program, data.inOrder, start, size);
        program.run(size);
      }
      for (const [index, moment] of moments.entries()) {
        const [ofA, ofB] = programs.map((program) => program.output(String(index), size));
        moment.add(ofA!, ofB!);
      }
      await context.throttle();
      signal?.throwIfAborted();
      options.onProgress?.(start + size);
    }
    const found = [];
    for (const [index, tap] of taps.entries()) found.push({ tap, moments: await moments[index]!.finish() });
    return found;
  } finally {
    scope.destroy();
  }
}
