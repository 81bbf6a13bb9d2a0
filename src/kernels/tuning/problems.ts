/** What tuning measures: one problem for each class of sizes that networks of this library meet often, the most frequent first. */
import type { Context } from '../../runtime/context.ts';
import type { Dispatch, TensorView } from '../../runtime/kernel.ts';
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from '../conv/conv2d.ts';
import { CONV_TILES } from '../conv/tiles.ts';
import { MATMUL_TILES, matmul } from '../matmul/matmul.ts';
import type { TileNames } from '../variant.ts';

export interface Problem {
  readonly family: 'matmul' | 'conv';
  /** Such as `matmul NN 512 x 512 x 512`. */
  readonly name: string;
  /** Tiles that compete. */
  readonly tiles: TileNames;
  /** Shapes of the tensors, the output last. */
  readonly shapes: readonly (readonly number[])[];
  /** One run. `context` says what is chosen; the tensors are in the order of the shapes. */
  dispatches(context: Context, tensors: readonly TensorView[]): Dispatch[];
}

export const problems = (): Problem[] => [
  matmulProblem('NN', 512, 512, 512),
  matmulProblem('NT', 512, 512, 512),
  matmulProblem('TN', 512, 512, 512),
  ...convProblems(32, 16, 32, 16),
  ...convProblems(32, 64, 8, 64),
  matmulProblem('NT', 128, 512, 784),
  matmulProblem('TN', 512, 784, 128),
  matmulProblem('NT', 512, 10, 512),
  matmulProblem('TN', 10, 512, 512),
  matmulProblem('NN', 1024, 1024, 1024),
  ...convProblems(32, 32, 16, 32),
  matmulProblem('NN', 2048, 2048, 2048),
];

function matmulProblem(layout: 'NN' | 'NT' | 'TN', m: number, n: number, k: number): Problem {
  const [transposeA, transposeB] = [layout === 'TN', layout === 'NT'];
  return {
    family: 'matmul',
    name: `matmul ${layout} ${m} x ${n} x ${k}`,
    tiles: MATMUL_TILES,
    shapes: [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n], [m, n]],
    dispatches: (context, [a, b, output]) =>
      matmul(context, { a: a!, b: b!, output: output!, transposeA, transposeB }),
  };
}

/** 3 x 3 convolutions of a batch of square images: forward and weight gradient (an input gradient is a forward pass of other sizes). */
function convProblems(n: number, c: number, size: number, o: number): Problem[] {
  const [image, weight, result] = [
    [n, c, size, size],
    [o, c, 3, 3],
    [n, o, size, size],
  ];
  const padding = [1, 1] as const;
  const name = `[${image}] to ${o}`;
  const family = 'conv';
  return [
    {
      ...{ family, name: `conv 3 x 3 ${name}`, tiles: CONV_TILES, shapes: [image, weight, result] },
      dispatches: (context, [input, weights, output]) =>
        conv2d(context, { padding, input: input!, weight: weights!, output: output! }),
    },
    {
      ...{
        family,
        name: `conv 3 x 3 ${name}, input gradient`,
        tiles: CONV_TILES,
        shapes: [result, weight, image],
      },
      dispatches: (context, [outputGradient, weights, output]) =>
        conv2dInputGradient(context, {
          ...{ padding, outputGradient: outputGradient!, weight: weights!, output: output! },
        }),
    },
    {
      ...{
        family,
        name: `conv 3 x 3 ${name}, weight gradient`,
        tiles: CONV_TILES,
        shapes: [image, result, weight],
      },
      dispatches: (context, [input, outputGradient, output]) =>
        conv2dWeightGradient(context, {
          ...{ padding, input: input!, outputGradient: outputGradient!, output: output! },
        }),
    },
  ] as Problem[];
}
