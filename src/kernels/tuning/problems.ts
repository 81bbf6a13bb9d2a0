/** What tuning measures: one problem for each class of sizes that networks of this library meet often, the most frequent first. */
import type { Context } from '../../runtime/context.ts';
import type { Dispatch, TensorView } from '../../runtime/kernel.ts';
import { conv2d, conv2dWeightGradient } from '../conv/conv2d.ts';
import { CONV_TILES } from '../conv/tiles.ts';
import { MATMUL_TILES } from '../matmul/matmul.ts';
import { packedMatmul } from '../matmul/packed.ts';
import type { TileNames } from '../variant.ts';

export interface Problem {
  readonly family: 'matmul' | 'conv';
  /** Such as `matmul NN 512 x 512 x 512`. */
  readonly name: string;
  /** Tiles that compete. */
  readonly tiles: TileNames;
  /** Shapes of the tensors, the output last. */
  readonly shapes: readonly (readonly number[])[];
  /** One run, as programs run it. `context` says what is chosen; the tensors are in the order of the shapes; `scratch` as for `matmul`. */
  dispatches(context: Context, tensors: readonly TensorView[], scratch: ScratchMaker): Dispatch[];
}

/** Gives an f32 view of a shape, in a buffer of its own. */
type ScratchMaker = (shape: readonly number[]) => TensorView;

export const problems = (): Problem[] => [
  matmulProblem('NN', 512, 512, 512),
  matmulProblem('NT', 512, 512, 512),
  matmulProblem('TN', 512, 512, 512),
  ...convProblems(32, 16, 32),
  ...convProblems(32, 64, 8),
  matmulProblem('NT', 128, 512, 784),
  matmulProblem('TN', 512, 784, 128),
  matmulProblem('NT', 512, 10, 512),
  matmulProblem('TN', 10, 512, 512),
  matmulProblem('NN', 1024, 1024, 1024),
  ...convProblems(32, 32, 16),
  matmulProblem('NN', 2048, 2048, 2048),
];

function matmulProblem(layout: 'NN' | 'NT' | 'TN', m: number, n: number, k: number): Problem {
  const [transposeA, transposeB] = [layout === 'TN', layout === 'NT'];
  return {
    family: 'matmul',
    name: `matmul ${layout} ${m} x ${n} x ${k}`,
    tiles: MATMUL_TILES,
    shapes: [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n], [m, n]],
    dispatches: (context, [a, b, output], scratch) =>
      packedMatmul(context, { a: a!, b: b!, output: output!, transposeA, transposeB, scratch }),
  };
}

/**
 * 3 x 3 convolutions of a batch of square images: forward and weight gradient. An input gradient is a forward pass whose channels change
 * places, so where there are as many on both sides it is of the same class of sizes.
 */
function convProblems(n: number, channels: number, size: number): Problem[] {
  const images = [n, channels, size, size];
  const weight = [channels, channels, 3, 3];
  const padding = [1, 1] as const;
  const name = `conv 3 x 3 [${images}] to ${channels}`;
  return [
    {
      ...{ family: 'conv', name, tiles: CONV_TILES, shapes: [images, weight, images] },
      dispatches: (context, [input, weights, output]) =>
        conv2d(context, { padding, input: input!, weight: weights!, output: output! }),
    },
    {
      ...{ family: 'conv', name: `${name}, weight gradient`, tiles: CONV_TILES },
      shapes: [images, images, weight],
      dispatches: (context, [input, outputGradient, output], scratch) =>
        conv2dWeightGradient(context, {
          ...{ padding, input: input!, outputGradient: outputGradient!, output: output!, scratch },
        }),
    },
  ];
}
