/**
 * Diagonal of the empirical Fisher information, F_i = mean over samples of (d loss / d w_i)^2 with the true labels, and the rise of the
 * loss that it expects of a weight's removal, w_i^2 F_i / 2 (LeCun et al. 1990, "Optimal brain damage", with F for the Hessian).
 */
import { elementwise } from '../../kernels/elementwise/elementwise.ts';
import { Arena } from '../../runtime/arena.ts';
import type { SampleGradients } from './sample-gradients.ts';

/** Samples whose squares are added up on the GPU, in their order, before the sum is added to the others in float64. */
const TOGETHER = 32;

export interface SampleLoop {
  readonly samples: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each sample. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** @returns F of each weight by its tensor's name, over the first so many samples. */
export async function fisherDiagonal(
  gradients: SampleGradients,
  { samples, signal, onProgress }: SampleLoop,
): Promise<Map<string, Float64Array>> {
  const { context, arena } = gradients;
  const squares = new Arena(context, arena.layout, 'squared gradients');
  const fisher = new Map(arena.layout.slices.map(({ name, length }) => [name, new Float64Array(length)]));
  try {
    for (let sample = 0; sample < samples; sample++) {
      if (sample % TOGETHER === 0) context.recorder.clear(squares.buffer);
      gradients.record(sample);
      squares.windows.forEach((output, window) => {
        const inputs = [{ view: output }, { view: arena.windows[window]! }];
        context.record(...elementwise(context, { expression: 'fma(b, b, a)', inputs, output }));
      });
      await context.throttle();
      signal?.throwIfAborted();
      onProgress?.(sample + 1, samples);
      if ((sample + 1) % TOGETHER !== 0 && sample + 1 < samples) continue;
      for (const [name, sums] of await squares.read()) {
        const total = fisher.get(name)!;
        for (let i = 0; i < sums.length; i++) total[i]! += sums[i]! / samples;
      }
    }
    return fisher;
  } finally {
    squares.destroy();
  }
}

/** w^2 F / 2. */
export function fisherScores(weight: Float32Array, fisher: Float64Array): Float64Array {
  return Float64Array.from(weight, (w, i) => (w * w * fisher[i]!) / 2);
}
