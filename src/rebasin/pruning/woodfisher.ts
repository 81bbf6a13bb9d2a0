/**
 * WoodFisher (Singh and Alistarh 2020, "WoodFisher: Efficient second-order approximation for neural network compression"): the inverse of
 * the empirical Fisher information, in blocks of neighbouring weights of a tensor,
 *
 *   F = damping I + 1/n sum over samples of g g^T,
 *
 * one sample after another by Woodbury's identity: with v = F^-1 g,   F^-1 := F^-1 - v v^T / (n + g^T v),   F^-1 = I / damping at first.
 * Removing weight i alone then costs w_i^2 / (2 [F^-1]_ii). What remains is not updated: as in the paper's one-shot runs that
 * re-normalisation is compared on (Qu and Horvath 2024), only the choice of weights is taken from it.
 */
import type { SampleLoop } from './fisher.ts';
import type { SampleGradients } from './sample-gradients.ts';

/** Bytes of inverses that are kept at once; where all need more, the samples are gone through again for each part. */
const KEPT_BYTES = 512 * 1024 * 1024;

export interface WoodFisherOptions extends SampleLoop {
  /** Neighbouring weights whose interaction counts. */
  readonly blockSize: number;
  /** Added to the diagonal of F, above 0. */
  readonly damping: number;
}

/** The inverse of one block of F. */
export class InverseFisherBlock {
  readonly #size: number;
  readonly #samples: number;
  /** [size, size], symmetric. */
  readonly #inverse: Float64Array;

  /** @param samples how many gradients are going to be added. */
  constructor(size: number, samples: number, damping: number) {
    this.#size = size;
    this.#samples = samples;
    this.#inverse = new Float64Array(size * size);
    for (let i = 0; i < size; i++) this.#inverse[i * size + i] = 1 / damping;
  }

  /** Takes one sample's gradient in. */
  add(gradient: Float32Array): void {
    // Units that did not fire have none, and change nothing.
    if (gradient.every((g) => g === 0)) return;
    const size = this.#size;
    const inverse = this.#inverse;
    const v = new Float64Array(size);
    let denominator = this.#samples;
    for (let i = 0; i < size; i++) {
      let product = 0;
      for (let j = 0; j < size; j++) product += inverse[i * size + j]! * gradient[j]!;
      v[i] = product;
      denominator += product * gradient[i]!;
    }
    for (let i = 0; i < size; i++) {
      const factor = v[i]! / denominator;
      for (let j = 0; j < size; j++) inverse[i * size + j]! -= factor * v[j]!;
    }
  }

  /** [F^-1]_ii. */
  diagonal(): Float64Array {
    return Float64Array.from({ length: this.#size }, (_, i) => this.#inverse[i * this.#size + i]!);
  }
}

/** @returns [F^-1]_ii of each weight by its tensor's name, over the first so many samples. */
export async function inverseFisherDiagonal(
  gradients: SampleGradients,
  options: WoodFisherOptions,
): Promise<Map<string, Float64Array>> {
  const { samples, blockSize, damping, signal, onProgress } = options;
  const { context, arena } = gradients;
  const { slices } = arena.layout;
  const result = new Map(slices.map(({ name, length }) => [name, new Float64Array(length)]));
  const parts = partition(slices, blockSize);
  for (const [index, part] of parts.entries()) {
    const blocks = part.map((range) => ({
      ...range,
      block: new InverseFisherBlock(range.length, samples, damping),
    }));
    for (let sample = 0; sample < samples; sample++) {
      gradients.record(sample);
      const values = await arena.read();
      for (const { name, start, length, block } of blocks) {
        block.add(values.get(name)!.subarray(start, start + length));
      }
      await context.throttle();
      signal?.throwIfAborted();
      onProgress?.(index * samples + sample + 1, parts.length * samples);
    }
    for (const { name, start, block } of blocks) result.get(name)!.set(block.diagonal(), start);
  }
  return result;
}

interface BlockRange {
  readonly name: string;
  readonly start: number;
  readonly length: number;
}

/** Blocks of each tensor, the last one shorter; as many together as `KEPT_BYTES` hold, at least one. */
function partition(
  tensors: readonly { readonly name: string; readonly length: number }[],
  blockSize: number,
): BlockRange[][] {
  const parts: BlockRange[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const { name, length } of tensors) {
    for (let start = 0; start < length; start += blockSize) {
      const block = { name, start, length: Math.min(blockSize, length - start) };
      const needed = 8 * block.length * block.length;
      if (bytes + needed > KEPT_BYTES) {
        parts.push([]);
        bytes = 0;
      }
      parts.at(-1)!.push(block);
      bytes += needed;
    }
  }
  return parts;
}

/** w^2 / (2 [F^-1]_ii). */
export function woodFisherScores(weight: Float32Array, inverseDiagonal: Float64Array): Float64Array {
  return Float64Array.from(weight, (w, i) => (w * w) / (2 * inverseDiagonal[i]!));
}
