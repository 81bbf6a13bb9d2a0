/** Norms applied, and norms within a sample: against float64 loops at awkward sizes and far from 0. */
import { describe, expect, it } from 'vitest';
import { normalise, normaliseAdded } from '../../../src/kernels/norm/normalise.ts';
import {
  spreadMean,
  standardise,
  standardiseGradient,
  type Together,
} from '../../../src/kernels/norm/standardise.ts';
import { normOperations } from '../../reference/norm-operations.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const UNIT = 2 ** -24;
const scratch = (shape: readonly number[]) => memory.output(shape);
const array = (data: Float32Array, shape: readonly number[]) => ({ data: Float64Array.from(data), shape });
const largestOf = (x: Float64Array) => x.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);

const SHAPES = [
  [1, 1, 1, 1],
  [5, 3, 7, 7],
  [1, 16, 1, 1],
  [5, 17, 8, 8],
  [2, 5, 32, 32],
  [5, 6],
] as const;

describe('normalise and normaliseAdded', () => {
  it.each(SHAPES)('[%i, %i, %i, %i] equal float64, with runs of any length', async (...shape) => {
    const [outer, channels, ...space] = shape as unknown as [number, number, ...number[]];
    const inner = space.reduce((a, b) => (b ? a * b : a), 1);
    const count = outer * channels * inner;
    const [x, g] = [normals(count, 'x'), normals(count, 'g')];
    const [mean, factor, shift, slope] = ['mean', 'factor', 'shift', 'slope'].map((name) =>
      normals(channels, name),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const call = {
      ...{ outer, channels, inner },
      input: memory.input(x),
      mean: memory.input(mean),
      factor: memory.input(factor),
      shift: memory.input(shift),
    };
    const [plain, relu, added] = [memory.output([count]), memory.output([count]), memory.output([count])];
    context().record(
      ...normalise(context(), { ...call, output: plain }),
      ...normalise(context(), { ...call, output: relu, activation: 'relu' }),
      ...normaliseAdded(context(), {
        ...call,
        added: memory.input(g),
        slope: memory.input(slope),
        output: added,
      }),
    );
    const target = [outer, channels, inner];
    const vectors = [mean, factor, shift].map((v) => array(v, [channels]));
    const inputs = [array(x, target), ...vectors];
    const expected = normOperations.normalise!(inputs, target, undefined, outer);
    // Two roundings of values of at most about 4 * 4 + 4.
    const tolerance = 3 * UNIT * 40;
    expectClose(await memory.read(plain), expected, tolerance);
    expectClose(
      await memory.read(relu),
      expected.map((v) => Math.max(v, 0)),
      tolerance,
    );
    const more = [...inputs, array(g, target), array(slope, [channels])];
    expectClose(
      await memory.read(added),
      normOperations.normaliseAdded!(more, target, undefined, outer),
      2 * tolerance,
    );
  });
});

describe('standardise', () => {
  const groupings = (channels: number): Together[] => [
    'channels',
    { groups: 1 },
    ...(channels % 3 === 0 ? [{ groups: 3 }] : []),
    ...(channels > 1 ? [{ groups: channels }] : []),
  ];

  async function expectStandardised(shape: readonly number[], offset: number, deviation: number) {
    const count = shape.reduce((a, b) => (b ? a * b : a), 1);
    const sizes = shape.filter((size) => size !== undefined);
    const x = normals(count, 'x').map((z) => offset + deviation * z);
    const d = normals(count, 'd');
    for (const together of groupings(sizes[1]!)) {
      const attributes = { together, eps: 1e-2 * deviation * deviation };
      const outputs = [memory.output(sizes), memory.output(sizes), memory.output(sizes)] as const;
      const [input, outputGradient] = [memory.input(x, sizes), memory.input(d, sizes)];
      const call = { input, ...attributes, scratch };
      context().record(
        ...standardise(context(), { ...call, output: outputs[0] }),
        ...standardiseGradient(context(), { ...call, outputGradient, output: outputs[1] }),
        ...spreadMean(context(), { ...call, output: outputs[2] }),
      );
      const expected = (name: string, ...inputs: Float32Array[]) =>
        normOperations[name]!(
          inputs.map((data) => array(data, sizes)),
          sizes,
          attributes,
          sizes[0]!,
        );
      // The mean is off by a rounding of the offset, which is seen in units of the deviation (over sqrt(eps) for one element);
      // sums of up to 64 and more terms add some 100 roundings of the largest values.
      const seen = 12 * UNIT * (Math.abs(offset) / deviation) + 100 * UNIT;
      const y = expected('standardise', x);
      expectClose(await memory.read(outputs[0]), y, seen * Math.max(1, largestOf(y)));
      const dx = expected('standardiseGradient', x, d);
      expectClose(await memory.read(outputs[1]), dx, 10 * seen * Math.max(largestOf(dx), 1 / deviation));
      const mean = expected('spreadMean', x);
      expectClose(await memory.read(outputs[2]), mean, 100 * UNIT * (Math.abs(offset) + 4 * deviation));
    }
  }

  it.each(SHAPES)('[%i, %i, %i, %i] equals float64, and its gradient, and the mean', async (...shape) => {
    await expectStandardised(shape as unknown as number[], 0, 1);
  });

  it.each([
    [4096, 1],
    [1e4, 0.1],
  ])('is as good as its mean far from 0: %d +- %d', async (offset, deviation) => {
    await expectStandardised([5, 3, 8, 8], offset, deviation);
    await expectStandardised([2, 17, 7, 7], offset, deviation);
  });

  it('gives constant samples 0', async () => {
    for (const together of groupings(3)) {
      const output = memory.output([2, 3, 5, 5]);
      const input = memory.input(new Float32Array(150).fill(0.1), [2, 3, 5, 5]);
      context().record(...standardise(context(), { input, output, together, eps: 1e-5, scratch }));
      expect(new Set(await memory.read(output))).toEqual(new Set([0]));
    }
  });

  it('refuses groups that do not divide the channels, and views that do not fit', () => {
    const [input, output] = [memory.output([2, 4, 3]), memory.output([2, 4, 3])];
    const call = { input, output, together: { groups: 3 }, eps: 1e-5, scratch };
    expect(() => standardise(context(), call)).toThrow(/3 groups must divide the 4 channels/);
    const short = memory.output([2, 4, 2]);
    expect(() => standardise(context(), { ...call, together: 'channels', input: short })).toThrow(
      /input must have 24 elements/,
    );
  });
});
