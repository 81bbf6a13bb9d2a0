/**
 * Vanishing feature (Qu and Horvath 2025, "Vanishing Feature: Diagnosing Model Merging and Beyond"): how far a network's activations
 * move with its input. With f_l(x) what layer l gives for the input x, and f_l(0) what it gives for an input of zeros,
 *
 *   m_l = mean over images x of ||f_l(x) - f_l(0)||_2 / sqrt(dim of f_l),     E_l = 2 m_l(merged) / (m_l(A) + m_l(B)).
 *
 * Where E_l is near 0, what reaches layer l of a merged network is its biases' doing, whatever it looks at.
 *
 * Zeros are zeros of the normalised input: for images, the mean colour.
 */
import { DataError, OptionError } from '../../base/errors.ts';
import { fittingBatchSize } from '../../nn/batch-size.ts';
import type { Node } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { broadcast, flatten, input, multiply, subtract, sum } from '../../nn/ops/index.ts';
import { compile, type Program } from '../../nn/program.ts';
import { findTaps, type Tap } from '../../nn/taps.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { ActivationStatisticsOptions, MeasureOptions } from './activation-statistics.ts';

/** How far one tap's activations move with the input: m_l. */
export interface FeatureDistance {
  /** Of the tap. */
  readonly kind: Tap['kind'];
  /** Of the tap. */
  readonly name: string;
  /** m_l. */
  readonly distance: number;
}

/**
 * Measures m_l of a network, again and again as its arenas' values change. Squared distances are f32 sums of one image, roots and means
 * f64: the result does not depend on the batch size. Distances below 1e-7 of the activations themselves are rounding.
 */
export class FeatureDistances {
  readonly #context: Context;
  readonly #taps: readonly Tap[];
  /** The taps for an input of zeros. */
  readonly #zero: Program;
  /** Squared distances from them, [N] a tap. */
  readonly #distances: Program;

  /** The caller destroys it; arenas stay the caller's. @throws OptionError when no tap is wanted. */
  constructor(
    context: Context,
    { model, arenas, wanted = () => true, batchSize = 100 }: ActivationStatisticsOptions,
  ) {
    this.#context = context;
    this.#taps = findTaps([forwardGraph(model).logits]).filter(wanted);
    if (this.#taps.length === 0) {
      throw new OptionError(`vanishing feature: none of the taps of ${model.name} is wanted; want one`);
    }
    this.#zero = compileTaps(context, model, this.#taps, arenas);
    try {
      this.#distances = this.#compileDistances(arenas, batchSize);
    } catch (error) {
      this.#zero.destroy();
      throw error;
    }
  }

  /** @returns one entry a tap, in the network's own order. @throws DataError naming the first tap that is not finite. */
  async measure(data: GpuDataset, { signal, onProgress }: MeasureOptions = {}): Promise<FeatureDistance[]> {
    const program = this.#distances;
    this.#zero.run();
    const all = this.#context.tensor([this.#taps.length, data.count]);
    try {
      for (let start = 0; start < data.count; start += program.batchSize) {
        const size = Math.min(program.batchSize, data.count - start);
        data.fillImages(program, data.inOrder, start, size);
        program.run(size);
        this.#keep(all, start, size);
        await this.#context.throttle();
        signal?.throwIfAborted();
        onProgress?.(start + size);
      }
      const squared = await all.read();
      return this.#taps.map((tap, index) =>
        meanDistance(tap, squared.subarray(index * data.count, (index + 1) * data.count)),
      );
    } finally {
      all.destroy();
    }
  }

  /** Frees its programs and buffers; arenas stay. */
  destroy(): void {
    this.#zero.destroy();
    this.#distances.destroy();
  }

  #compileDistances(arenas: readonly Arena[], batchSize: number): Program {
    const outputs: Record<string, Node> = {};
    const inputs: Record<string, ReturnType<Program['output']>> = {};
    for (const [index, { node }] of this.#taps.entries()) {
      const name = `zero ${index}`;
      const zero = broadcast(input(name, [dimension(node)]), 0, 'N');
      // Two nodes of one value: each is read once, so both disappear into the product.
      const difference = () => subtract(flatten(node), zero);
      outputs[`${index}`] = sum(multiply(difference(), difference()), 1);
      inputs[name] = this.#zero.output(`${index}`);
    }
    const fitting = fittingBatchSize(this.#context, Object.values(outputs), batchSize);
    return compile(this.#context, { outputs, inputs, arenas, batchSize: fitting });
  }

  #keep(all: Tensor, start: number, size: number): void {
    const count = all.shape[1]!;
    for (const index of this.#taps.keys()) {
      const { buffer, offset } = this.#distances.output(`${index}`);
      this.#context.recorder.copy(buffer, offset, all.buffer, 4 * (index * count + start), 4 * size);
    }
  }
}

/** The taps of one image of zeros. */
function compileTaps(
  context: Context,
  model: Model,
  taps: readonly Tap[],
  arenas: readonly Arena[],
): Program {
  const outputs = Object.fromEntries(taps.map(({ node }, index) => [`${index}`, node]));
  const program = compile(context, { outputs, arenas, batchSize: 1 });
  context.write(program.input('images'), new Float32Array(elementCount(model.inputShape)));
  return program;
}

function meanDistance({ kind, name, node }: Tap, squared: Float32Array): FeatureDistance {
  let total = 0;
  for (const square of squared) total += Math.sqrt(square);
  const distance = total / (squared.length * Math.sqrt(dimension(node)));
  if (!Number.isFinite(distance)) {
    throw new DataError(
      `vanishing feature: ${kind} "${name}" is not finite on these images; the network has diverged`,
    );
  }
  return { kind, name, distance };
}

function dimension(node: Node): number {
  return elementCount(node.shape.slice(1) as number[]);
}

/** E_l of each layer, from m_l of the ends and of the merged network. NaN where nothing moves in any of them. */
export function vanishingFeature(
  ends: readonly [readonly number[], readonly number[]],
  merged: readonly number[],
): number[] {
  const [a, b] = ends;
  return merged.map((distance, l) => (2 * distance) / (a[l]! + b[l]!));
}

/**
 * E_l without its ups and downs, as the authors plot it: eps_L = E_L for the last layer, and going down
 * eps_l = max(E_l, 1.4 eps_{l+1} - 0.4 eps_{l+1} (1 - 1 / (L - l + 1))).
 */
export function smoothVanishingFeature(measured: readonly number[]): number[] {
  const smooth = [...measured];
  for (let fromEnd = 1; fromEnd < smooth.length; fromEnd++) {
    const l = smooth.length - 1 - fromEnd;
    const above = smooth[l + 1]!;
    smooth[l] = Math.max(measured[l]!, 1.4 * above - 0.4 * above * (1 - 1 / (fromEnd + 1)));
  }
  return smooth;
}
