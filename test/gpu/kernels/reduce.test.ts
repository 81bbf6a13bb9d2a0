/** Sums: against float64, and bit for bit against the documented order, which all kernels share. */
import { describe, expect, it } from 'vitest';
import {
  partialCount,
  partialDots,
  partialSquaredDistances,
  partialSums,
  sumFloat64,
} from '../../../src/kernels/reduce/partials.ts';
import { type SumCall, sum } from '../../../src/kernels/reduce/sum.ts';
import { blockSums, partialsInOrder, sumInOrder, sumMiddle } from '../../reference/kernels/reduce.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { bitsOf, expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const UNIT = 2 ** -24;

async function run(
  values: Float32Array,
  [outer, size, inner]: readonly [number, number, number],
  scratch?: SumCall['scratch'],
): Promise<Float32Array> {
  const output = memory.output([outer, inner]);
  const call = { input: memory.input(values), outer, size, inner, output, ...(scratch ? { scratch } : {}) };
  context().record(...sum(context(), call));
  return memory.read(output);
}

/** Column i of [size, inner]. */
function column(values: Float32Array, inner: number, i: number): Float32Array {
  return values.filter((_, at) => at % inner === i);
}

describe('sum', () => {
  it.each([
    // rows: inner 1, vec4f loads where the size is a multiple of 4
    ...[0, 1, 3, 4, 5, 255, 256, 257, 260, 1000, 1031].map((size) => [7, size, 1] as const),
    // columns: vec4f where inner is a multiple of 4
    ...[1, 3, 4, 5, 8, 10, 257, 1000].map((inner) => [1, 300, inner] as const),
    [3, 0, 4] as const,
    [2, 5, 12] as const,
    [3, 259, 5] as const,
    [0, 5, 5] as const,
    [5, 49, 1] as const,
  ])('[%i, %i, %i] over the middle axis equals the float64 sum', async (outer, size, inner) => {
    const values = normals(outer * size * inner, 'values');
    const { sums, magnitudes } = sumMiddle(values, outer, size, inner);
    // A term passes at most 256 additions in its chunk and one for each chunk.
    const steps = Math.min(size, 256) + Math.ceil(size / 256);
    const tolerance = magnitudes.map((magnitude) => steps * UNIT * magnitude);
    expectClose(await run(values, [outer, size, inner]), sums, tolerance);
  });

  it('follows the documented order bit for bit: rows, columns, vec4f or not, with scratch or without', async () => {
    const scratch = (shape: readonly number[]) => memory.output(shape);
    for (const inner of [1, 3, 8]) {
      for (const size of [1000, 1031]) {
        const values = normals(size * inner, 'ordered');
        const expected = Float32Array.from({ length: inner }, (_, i) => sumInOrder(column(values, inner, i)));
        expect(await run(values, [1, size, inner])).toEqual(expected);
        expect(await run(values, [1, size, inner], scratch)).toEqual(expected);
      }
    }
    // Control: one after another without chunks gives other bits.
    const values = normals(1000, 'ordered');
    expect(values.reduce((total, value) => Math.fround(total + value), 0)).not.toBe(sumInOrder(values));
  });

  it('spreads few long sums over many invocations when it is given scratch', () => {
    const call = {
      input: memory.output([100000]),
      outer: 1,
      size: 100000,
      inner: 1,
      output: memory.output([1]),
    };
    const dispatches = sum(context(), { ...call, scratch: (shape) => memory.output(shape) });
    expect(dispatches.map(({ workgroups }) => workgroups[0])).toEqual([Math.ceil(391 / 64), 1]);
    expect(sum(context(), call)).toHaveLength(1);
  });

  it('wraps grids of more than 65,535 workgroups', async () => {
    const values = Float32Array.from({ length: 65536 * 64 + 1 }, (_, i) => i);
    const output = context().tensor([values.length]);
    const input = context().tensorFrom(values);
    context().record(...sum(context(), { input, outer: 1, size: 1, inner: values.length, output }));
    const actual = await output.read();
    expect(actual.findIndex((value, i) => value !== i)).toBe(-1);
    input.destroy();
    output.destroy();
  });

  it('refuses what does not fit', () => {
    const input = memory.input(normals(12, 'a'));
    const call = { input, outer: 1, size: 3, inner: 4, output: memory.output([4]) };
    expect(() => sum(context(), { ...call, outer: 2 })).toThrow(/input must have 24 elements/);
    expect(() => sum(context(), { ...call, size: 1.5 })).toThrow(/size must be an integer/);
    expect(() => sum(context(), { ...call, output: memory.output([3]) })).toThrow(/output must have 4/);
    expect(() => sum(context(), { ...call, output: { ...input, shape: [4] } })).toThrow(/same GPUBuffer/);
  });
});

describe('partial sums', () => {
  const counts = [0, 1, 3, 4, 5, 255, 256, 257, 1023, 1024, 1025, 7919, 100003];

  it.each(counts)('partialSums of %i elements follow the documented order bit for bit', async (count) => {
    const values = normals(count, 'values');
    const output = memory.output([partialCount(count)]);
    context().record(...partialSums(context(), { input: memory.input(values), output }));
    const partials = await memory.read(output);
    expect(bitsOf(partials)).toEqual(bitsOf(partialsInOrder(values)));
    const total = values.reduce((sum, value) => sum + value, 0);
    const magnitude = values.reduce((sum, value) => sum + Math.abs(value), 0);
    expect(Math.abs(sumFloat64(partials) - total)).toBeLessThanOrEqual(36 * UNIT * magnitude);
  });

  it.each(counts)('partialDots and partialSquaredDistances of %i elements', async (count) => {
    const [a, b] = [normals(count, 'a'), normals(count, 'b')];
    const [viewA, viewB] = [memory.input(a), memory.input(b)];
    const [dots, distances] = [memory.output([partialCount(count)]), memory.output([partialCount(count)])];
    context().record(
      ...partialDots(context(), { a: viewA, b: viewB, output: dots }),
      ...partialSquaredDistances(context(), { a: viewA, b: viewB, output: distances }),
    );
    // 34 additions a term at most, the product, and two for the rounded difference.
    const dot = blockSums(count, (i) => a[i]! * b[i]!);
    expectClose(
      await memory.read(dots),
      dot.sums,
      dot.magnitudes.map((m) => 35 * UNIT * m),
    );
    const distance = blockSums(count, (i) => (a[i]! - b[i]!) ** 2);
    expectClose(
      await memory.read(distances),
      distance.sums,
      distance.magnitudes.map((m) => 37 * UNIT * m),
    );
  });

  it('gives a squared norm when both inputs are one view', async () => {
    const a = memory.input(Float32Array.of(3, 4));
    const output = memory.output([1]);
    context().record(...partialDots(context(), { a, b: a, output }));
    expect(await memory.read(output)).toEqual(Float32Array.of(25));
  });

  it('refuses inputs of different lengths and outputs of another', () => {
    const [a, b] = [memory.output([5]), memory.output([6])];
    expect(() => partialDots(context(), { a, b, output: memory.output([1]) })).toThrow(
      /b must have 5 elements/,
    );
    expect(() => partialSums(context(), { input: a, output: memory.output([2]) })).toThrow(
      /output must have 1 elements/,
    );
  });
});
