/**
 * How large the input of each weight is over images: what WANDA weighs weights by (Sun et al. 2023, "A simple and effective pruning
 * approach for large language models"). For a linear layer ||x_i||_2 of feature i; for a convolution the norm, over images and positions
 * of the output, of what a place of the kernel sees, zeros of the padding included, so that a convolution is judged as the linear layer
 * on patches that it is.
 */
import { fittingBatchSize } from '../../nn/batch-size.ts';
import type { Node } from '../../nn/graph.ts';
import { conv2dWeightGradient, fill, multiply, sum } from '../../nn/ops/index.ts';
import { compile } from '../../nn/program.ts';
import type { WeightedTap } from '../../nn/taps.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import type { SampleLoop } from './fisher.ts';
import type { PrunableWeight } from './prunable-weights.ts';

/** Images whose squares are added up on the GPU before the sum is added to the others in float64. */
const TOGETHER = 100;

export interface InputNormsOptions extends SampleLoop {
  /** Parameters and buffers; stays the caller's. */
  readonly state: Arena;
  readonly weights: readonly PrunableWeight[];
  readonly data: GpuDataset;
}

/** @returns for each weight's name the sums of squares of its inputs over the first so many images: [in], or [groups, in / groups, KH, KW]. */
export async function squaredInputNorms(
  context: Context,
  { state, weights, data, samples, signal, onProgress }: InputNormsOptions,
): Promise<Map<string, Float64Array>> {
  const nodes = weights.map(({ layer }) => squaredInputs(layer));
  const entries = weights.map(({ name }, i) => ({ name, shape: nodes[i]!.shape as readonly number[] }));
  const scope = new Scope();
  try {
    const arena = scope.own(new Arena(context, new ArenaLayout(entries), 'squared inputs'));
    const program = scope.own(
      compile(context, {
        outputs: {},
        stores: nodes.map((node, i) => [node, arena.view(weights[i]!.name)] as const),
        arenas: [state],
        batchSize: fittingBatchSize(context, nodes, Math.min(TOGETHER, samples)),
      }),
    );
    const sums = new Map(arena.layout.slices.map(({ name, length }) => [name, new Float64Array(length)]));
    for (let start = 0; start < samples; start += program.batchSize) {
      const size = Math.min(program.batchSize, samples - start);
      data.fillImages(program, data.inOrder, start, size);
      program.run(size);
      for (const [name, squares] of await arena.read()) {
        const total = sums.get(name)!;
        for (let i = 0; i < squares.length; i++) total[i]! += squares[i]!;
      }
      signal?.throwIfAborted();
      onProgress?.(start + size, samples);
    }
    return sums;
  } finally {
    scope.destroy();
  }
}

/** The gradient of a convolution's weight where that of every output is 1 is the sum of its inputs; here of their squares. */
function squaredInputs({ node }: WeightedTap): Node {
  const [x, weight] = node.inputs as readonly [Node, Node];
  const squares = multiply(x, x);
  if (node.operation.name === 'linear') return sum(squares, 0);
  const [batch, , height, width] = node.shape;
  const [kernelHeight, kernelWidth] = weight.shape.slice(2) as [number, number];
  const ones = fill([batch!, node.attributes.groups, height!, width!], 1);
  return conv2dWeightGradient(squares, ones, [kernelHeight, kernelWidth], node.attributes);
}

/**
 * |w| times the norm of its input.
 * @param shape of the weight.
 * @param squaredNorms as `squaredInputNorms` gives them: for each group of outputs what each weight of an output sees.
 */
export function wandaScores(
  weight: Float32Array,
  shape: readonly number[],
  squaredNorms: Float64Array,
): Float64Array {
  const perOutput = weight.length / shape[0]!;
  const outputsPerGroup = shape[0]! / (squaredNorms.length / perOutput);
  return Float64Array.from(weight, (w, i) => {
    const group = Math.floor(i / perOutput / outputsPerGroup);
    return Math.abs(w) * Math.sqrt(squaredNorms[group * perOutput + (i % perOutput)]!);
  });
}
