/**
 * Correlation matrices: cross moments of two activations, and of one with itself. Beside them the generic pieces that give the same
 * matrix: the shifts subtracted into copies, then a matrix product or the weight gradient of a 1 x 1 convolution.
 */
import { RandomStream } from '../../src/base/random.ts';
import { conv2dWeightGradient } from '../../src/kernels/conv/conv2d.ts';
import { crossMoments } from '../../src/kernels/cross-moments/cross-moments.ts';
import { elementwise } from '../../src/kernels/elementwise/elementwise.ts';
import { matmul } from '../../src/kernels/matmul/matmul.ts';
import type { Context } from '../../src/runtime/context.ts';
import { crossMomentsReference } from '../../test/reference/kernels/cross-moments.ts';
import type { Family, OwnContestant, TimedCase } from '../case.ts';
import { firstWrong, sumBound } from '../check.ts';
import type { CrossMomentsProblem } from '../problem.ts';
import { dispatching, type Tensors } from './dispatching.ts';

type Sizes = Pick<CrossMomentsProblem, 'samples' | 'channels' | 'positions'>;

/** A hidden layer of an MLP, stages of a ResNet20, a late layer of a VGG, an odd image. */
const SIZES: readonly Sizes[] = [
  { samples: 500, channels: 512, positions: 1 },
  { samples: 100, channels: 16, positions: 1024 },
  { samples: 250, channels: 64, positions: 64 },
  { samples: 100, channels: 512, positions: 16 },
  { samples: 250, channels: 64, positions: 49 },
];

export const crossMomentsFamily: Family = {
  name: 'cross-moments',
  about: 'correlation matrices of two activations, and of one with itself (at half the work)',
  cases: async () => SIZES.flatMap((sizes) => [false, true].map((self) => crossMomentsCase(sizes, self))),
};

function crossMomentsCase(sizes: Sizes, self: boolean): TimedCase {
  const { samples, channels, positions } = sizes;
  return {
    name: `cross-moments/${self ? 'self' : 'pair'}/${samples}x${channels}x${positions}`,
    // of the whole matrix, whoever computes half of it
    flops: 2 * channels * channels * samples * positions,
    bytes: 4 * ((self ? 1 : 2) * samples * channels * positions + channels * channels),
    prepare() {
      const problem = problemOf(sizes, self);
      const counts = { outer: samples, channelsA: channels, channelsB: channels, inner: positions };
      const expected = crossMomentsReference({ ...problem, ...counts });
      const terms = samples * positions;
      return {
        problem,
        own: (context) => [direct(context, problem), genericPieces(context, problem)],
        check: ([values], engine) =>
          firstWrong(values!, expected.values, (i) => sumBound(terms, expected.magnitudes[i]!, engine)),
      };
    },
  };
}

function problemOf(sizes: Sizes, self: boolean): CrossMomentsProblem {
  const { samples, channels, positions } = sizes;
  const stream = new RandomStream(1, `bench cross moments ${samples} ${channels} ${positions}`);
  const uniform = (count: number, name: string, from: number, to: number) => {
    const values = new Float32Array(count);
    stream.derive(name).fillUniform(values, from, to);
    return values;
  };
  const one = (name: 'A' | 'B') => ({
    values: uniform(samples * channels * positions, name, 2, 4),
    shift: uniform(channels, `shift ${name}`, 2.9, 3.1),
  });
  const a = one('A');
  const b = self ? a : one('B');
  return {
    ...{ kind: 'cross-moments', self, ...sizes },
    ...{ a: a.values, b: b.values, shiftA: a.shift, shiftB: b.shift },
  };
}

function direct(context: Context, problem: CrossMomentsProblem): OwnContestant {
  const { self, samples, channels, positions } = problem;
  return dispatching(context, (tensors) => {
    const upload = (values: Float32Array<ArrayBuffer>, shift: Float32Array<ArrayBuffer>) =>
      [tensors.of(values, [samples, channels, positions]), tensors.of(shift, [channels])] as const;
    const [a, shiftA] = upload(problem.a, problem.shiftA);
    const [b, shiftB] = self ? [a, shiftA] : upload(problem.b, problem.shiftB);
    const output = tensors.make([channels, channels]);
    const sizes = { outer: samples, channelsA: channels, channelsB: channels, inner: positions };
    const call = { ...sizes, a, b, shiftA, shiftB, output, scratch: tensors.make };
    return { dispatches: crossMoments(context, call), results: [output] };
  });
}

/** The same matrix by kernels made for other things. */
function genericPieces(context: Context, problem: CrossMomentsProblem): OwnContestant {
  const { self, samples, channels, positions } = problem;
  const centre = (tensors: Tensors, values: Float32Array<ArrayBuffer>, shift: Float32Array<ArrayBuffer>) => {
    const shape = positions === 1 ? [samples, channels] : [samples, channels, positions, 1];
    const output = tensors.make(shape);
    const broadcast = { inner: positions, size: channels };
    const inputs = [{ view: tensors.of(values, shape) }, { view: tensors.of(shift, [channels]), broadcast }];
    return { output, dispatches: elementwise(context, { expression: 'a - b', inputs, output }) };
  };
  return dispatching(
    context,
    (tensors) => {
      const a = centre(tensors, problem.a, problem.shiftA);
      const b = self ? a : centre(tensors, problem.b, problem.shiftB);
      const output = tensors.make(positions === 1 ? [channels, channels] : [channels, channels, 1, 1]);
      const product =
        positions === 1
          ? matmul(context, { a: a.output, b: b.output, transposeA: true, output })
          : conv2dWeightGradient(context, {
              ...{ input: b.output, outputGradient: a.output, output },
              scratch: tensors.make,
            });
      const dispatches = [...a.dispatches, ...(a === b ? [] : b.dispatches), ...product];
      return { dispatches, results: [output] };
    },
    'generic pieces',
  );
}
