/** Cross moments: every variant against float64, against each other bit for bit, the symmetric half, and what is refused. */
import { describe, expect, test } from 'vitest';
import { type CrossMomentsCall, crossMoments } from '../../../src/kernels/cross-moments/cross-moments.ts';
import { hasQuads, TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { TensorView } from '../../../src/runtime/kernel.ts';
import {
  type CrossMomentsCase,
  crossMomentsInOrder,
  crossMomentsReference,
} from '../../reference/kernels/cross-moments.ts';
import { useContext } from '../../support/context.ts';
import { type Memory, useMemory } from '../../support/memory.ts';
import { bitsOf, expectClose, normals } from '../../support/numbers.ts';

const forced = TILED_VARIANTS.map((variant) => {
  const context = useContext({ variants: { 'cross-moments': variant } });
  return { variant, context, memory: useMemory(context) };
});

interface Runner {
  readonly context: () => Context;
  readonly memory: Memory;
}

/** The variants that this adapter can run, the naive one first. */
const runners = () => forced.filter(({ variant, context }) => variant !== 'quad' || hasQuads(context()));
const naive: Runner = forced[0]!;

type Sizes = readonly [outer: number, channelsA: number, channelsB: number, inner: number];

/** Channels around the tiles; images of 1, of a multiple of 4 and of other values; sums around and past one and two chunks. */
const SIZES: readonly Sizes[] = [
  [1, 1, 1, 1],
  [5, 3, 17, 1],
  [600, 3, 1, 1],
  [513, 17, 64, 1],
  [1030, 64, 12, 1],
  [7, 64, 130, 1],
  [515, 20, 17, 1],
  [1, 130, 3, 49],
  [3, 17, 3, 49],
  [11, 64, 17, 49],
  [30, 5, 9, 4],
  [128, 9, 1, 4],
  [1, 20, 33, 2],
  [1, 130, 130, 1024],
  [2, 17, 64, 1024],
];

function randomCase([outer, channelsA, channelsB, inner]: Sizes, mean = 3): CrossMomentsCase {
  const purpose = `cross moments ${outer} ${channelsA} ${channelsB} ${inner}`;
  const far = (count: number, name: string) => normals(count, `${purpose} ${name}`).map((z) => mean + z);
  return {
    ...{ outer, channelsA, channelsB, inner },
    a: far(outer * channelsA * inner, 'a'),
    b: far(outer * channelsB * inner, 'b'),
    shiftA: far(channelsA, 'shiftA').map((value) => mean + (value - mean) / 8),
    shiftB: far(channelsB, 'shiftB').map((value) => mean + (value - mean) / 8),
  };
}

interface How {
  /** What the output holds before, and is added to. */
  readonly old?: Float32Array;
  /** b is a, and so is its shift. */
  readonly symmetric?: boolean;
}

async function run(
  { context, memory }: Runner,
  given: CrossMomentsCase,
  how: How = {},
): Promise<Float32Array> {
  const { outer, channelsA, channelsB, inner } = given;
  const { old, symmetric } = how;
  const shape = [channelsA, channelsB];
  const output = old ? memory.input(old, shape) : memory.output(shape);
  const [a, shiftA] = [memory.input(given.a), memory.input(given.shiftA)];
  const [b, shiftB] = symmetric ? [a, shiftA] : [memory.input(given.b), memory.input(given.shiftB)];
  const partials: TensorView[] = [];
  const scratch = (size: readonly number[]) => {
    partials.push(memory.output(size));
    return partials[partials.length - 1]!;
  };
  const sizes = { outer, channelsA, channelsB, inner };
  const accumulate = old !== undefined;
  context().record(
    ...crossMoments(context(), { ...sizes, a, b, shiftA, shiftB, output, accumulate, scratch }),
  );
  for (const partial of partials) await memory.read(partial); // nothing was written around them
  return memory.read(output);
}

/** How many elements differ in their bits: quicker to say than toEqual's own difference of long arrays. */
function differences(x: Float32Array, y: Float32Array): number {
  const [p, q] = [bitsOf(x), bitsOf(y)];
  return p.reduce((count, word, i) => count + (word === q[i] ? 0 : 1), Math.abs(p.length - q.length));
}

/**
 * u = 2^-24. Both differences are rounded, and so is their product, unless fused: 3 u of each term. A chunk adds up m <= 512 terms, then
 * `chunks` sums are added up: (m - 1) + (chunks - 1) roundings; one more u for what is of order u^2.
 */
function expectWithinBound(actual: Float32Array, given: CrossMomentsCase): void {
  const { values, magnitudes } = crossMomentsReference(given);
  const total = given.outer * given.inner;
  const steps = Math.min(total, 512) + Math.ceil(total / 512) + 2;
  expectClose(
    actual,
    values,
    magnitudes.map((magnitude) => steps * 2 ** -24 * magnitude),
  );
}

/** a with itself. */
const withItself = (given: CrossMomentsCase): CrossMomentsCase => ({
  ...given,
  channelsB: given.channelsA,
  b: given.a,
  shiftB: given.shiftA,
});

/** A matrix that is not symmetric. */
const oldValues = ({ channelsA, channelsB }: CrossMomentsCase) => normals(channelsA * channelsB, 'old');

describe('crossMoments', () => {
  test.each(SIZES)(
    'outer %i, channels %i and %i, inner %i: within the f64 bound, the same bits in every variant',
    async (...sizes) => {
      const given = randomCase(sizes);
      const expected = await run(naive, given);
      expectWithinBound(expected, given);
      const old = oldValues(given);
      const accumulated = expected.map((value, i) => old[i]! + value); // stored in f32: one rounding
      for (const runner of runners()) {
        expect(differences(await run(runner, given), expected), runner.variant).toBe(0);
        expect(differences(await run(runner, given, { old }), accumulated), `${runner.variant}, added`).toBe(
          0,
        );
      }
    },
  );

  test.each([
    [9, 1, 1],
    [700, 3, 1],
    [40, 17, 49],
    [600, 64, 1],
    [1, 130, 1024],
  ])(
    'outer %i, %i channels with themselves, inner %i: half the matrix has the bits of the whole',
    async (outer, channels, inner) => {
      const given = withItself(randomCase([outer, channels, channels, inner]));
      const expected = await run(naive, given);
      expectWithinBound(expected, given);
      const old = oldValues(given);
      const accumulated = expected.map((value, i) => old[i]! + value);
      for (const runner of runners()) {
        const { variant } = runner;
        expect(differences(await run(runner, given), expected), `${variant}, whole`).toBe(0);
        expect(differences(await run(runner, given, { symmetric: true }), expected), variant).toBe(0);
        const added = await run(runner, given, { symmetric: true, old });
        expect(differences(added, accumulated), `${variant}, added`).toBe(0);
      }
    },
  );

  test('tiles below the diagonal of a symmetric matrix are left out', async () => {
    const given = withItself(randomCase([1, 256, 256, 4]));
    for (const { variant, context, memory } of runners()) {
      const output = memory.output([256, 256]);
      const [a, shiftA] = [memory.input(given.a), memory.input(given.shiftA)];
      let partials: TensorView | undefined;
      const scratch = (shape: readonly number[]) => {
        partials = memory.output(shape);
        return partials;
      };
      const [sums] = crossMoments(context(), {
        ...{ outer: 1, channelsA: 256, channelsB: 256, inner: 4 },
        ...{ a, b: a, shiftA, shiftB: shiftA, output, scratch },
      });
      context().record(sums!);
      const untouched = (await memory.readBits(partials!)).filter((word) => word === 0x7fc0dead).length;
      // of 256 x 256: all below the diagonal, less what tiles of at most 64 that reach the diagonal hold of it
      expect(untouched, variant).toBeGreaterThanOrEqual((256 * 256 - 256 * 64) / 2);
    }
  });

  test('the error bound would notice one wrong element', async () => {
    const given = randomCase([11, 17, 9, 49]);
    const values = await run(naive, given);
    given.a[1000]! += 0.01;
    expect(() => expectWithinBound(values, given)).toThrow();
  });

  test('the order of summation is the documented one', async () => {
    for (const sizes of [
      [1300, 17, 20, 1],
      [27, 9, 5, 49],
      [3, 16, 12, 400],
    ] as const) {
      const given = randomCase(sizes, 0);
      // Differences of 11 significant bits: their products are exact, so that only the order of the additions shows.
      for (const values of [given.a, given.b, given.shiftA, given.shiftB]) {
        values.forEach((value, i) => {
          values[i] = Math.round(Math.max(-0.5, Math.min(0.5, value)) * 1024) / 1024;
        });
      }
      const expected = crossMomentsInOrder(given);
      for (const runner of runners())
        expect(differences(await run(runner, given), expected), `${runner.variant} ${sizes}`).toBe(0);
    }
  });

  test('infinities, NaNs and signed zeros are the same in every variant', async () => {
    for (const sizes of [
      [530, 12, 8, 1],
      [3, 9, 11, 7],
      [2, 5, 6, 8],
    ] as const) {
      const given = randomCase(sizes, 0);
      given.shiftA.fill(0);
      given.shiftB.fill(0);
      [Number.POSITIVE_INFINITY, Number.NaN, -0, 1e-40, -1e-30, 3e38].forEach((value, i) => {
        given.a[i * 7] = value;
        given.b[i * 5] = value;
      });
      given.a.fill(-1e-30, given.a.length - 20);
      // A NaN's sign and payload are nobody's promise: compare NaN with NaN, everything else by bits.
      const canonical = (x: Float32Array) => x.map((v) => (Number.isNaN(v) ? Number.NaN : v));
      const expected = canonical(await run(naive, given));
      for (const runner of runners())
        expect(differences(canonical(await run(runner, given)), expected), `${runner.variant} ${sizes}`).toBe(
          0,
        );
    }
  });

  test('no samples give zeros, or the old values', async () => {
    const given = randomCase([0, 3, 5, 4]);
    const old = oldValues(given);
    for (const runner of runners()) {
      expect([...(await run(runner, given))]).toEqual(new Array(15).fill(0));
      expect([...(await run(runner, given, { old }))]).toEqual([...old]);
    }
  });

  test('grids past 65,535 workgroups wrap, and compute the same', async () => {
    const given = randomCase([1, 2048, 2051, 1]); // naive: 65,632 workgroups, and as many to add to the old values
    const old = oldValues(given);
    const product = given.a.map((value, i) => value - given.shiftA[i]!);
    const other = given.b.map((value, i) => value - given.shiftB[i]!);
    const values = await run(naive, given, { old });
    const at = (i: number) => [Math.floor(i / 2051), i % 2051] as const;
    const expected = old.map((value, index) => {
      const [i, j] = at(index);
      return value + Math.fround(product[i]! * other[j]!);
    });
    expect(differences(values, expected)).toBe(0);
    for (const { variant, context } of runners()) {
      const view = (shape: readonly number[]) => ({
        buffer: {} as GPUBuffer,
        offset: 0,
        shape,
        dtype: 'f32' as const,
      });
      const [channelsA, channelsB] = [16384, 16384];
      const dispatches = crossMoments(context(), {
        ...{ outer: 3, channelsA, channelsB, inner: 4, accumulate: true },
        ...{ a: view([3, channelsA, 4]), b: view([3, channelsB, 4]) },
        ...{ shiftA: view([channelsA]), shiftB: view([channelsB]) },
        ...{ output: view([channelsA, channelsB]), scratch: view },
      });
      for (const { workgroups } of dispatches) {
        expect(Math.max(...workgroups), variant).toBeLessThanOrEqual(65535);
        expect(workgroups[1], variant).toBeGreaterThan(1);
      }
    }
  });
});

describe('errors name what does not fit', () => {
  const view = (shape: readonly number[]): TensorView => ({
    ...{ buffer: {} as GPUBuffer, offset: 0, shape, dtype: 'f32' },
  });
  const call = (change: Partial<CrossMomentsCall> = {}, context: Context = naive.context()) =>
    crossMoments(context, {
      ...{ outer: 600, channelsA: 3, channelsB: 5, inner: 4 },
      ...{ a: view([600, 3, 2, 2]), b: view([600, 5, 2, 2]), shiftA: view([3]), shiftB: view([5]) },
      ...{ output: view([3, 5]), scratch: view },
      ...change,
    });

  test('shapes', () => {
    expect(call()).toHaveLength(2);
    expect(() => call({ a: view([600, 3, 4, 2]) })).toThrow('crossMoments: a must have 7200 elements');
    expect(() => call({ b: view([600, 3, 4]) })).toThrow('crossMoments: b must have 12000 elements');
    expect(() => call({ shiftA: view([5]) })).toThrow('shiftA must have 3 elements');
    expect(() => call({ shiftB: view([3]) })).toThrow('shiftB must have 5 elements');
    expect(() => call({ output: view([5, 5]) })).toThrow('output must have 15 elements');
    expect(() => call({ channelsA: 0 })).toThrow('channelsA must be an integer of at least 1, got 0');
    expect(() => call({ outer: -1 })).toThrow('outer must be an integer of at least 0, got -1');
    expect(() => call({ a: { ...view([7200]), dtype: 'u32' } })).toThrow('a must hold f32, got u32');
    expect(() => call({ scratch: () => view([3, 5]) })).toThrow('scratch must have');
  });

  test('one buffer read and written', () => {
    const output = view([3, 5]);
    const inThere = (shape: readonly number[]) => ({ ...view(shape), buffer: output.buffer });
    for (const [name, shape] of [
      ['a', [600, 3, 4]],
      ['b', [600, 5, 4]],
      ['shiftA', [3]],
      ['shiftB', [5]],
    ] as const) {
      expect(() => call({ output, [name]: inThere(shape) })).toThrow(
        `${name} lies in the same GPUBuffer as output`,
      );
      const shared = view(shape);
      const scratch = (size: readonly number[]) => ({ ...view(size), buffer: shared.buffer });
      expect(() => call({ [name]: shared, scratch })).toThrow(
        `${name} lies in the same GPUBuffer as scratch`,
      );
    }
    expect(() => call({ output, scratch: inThere })).toThrow('scratch lies in the same GPUBuffer as output');
  });

  test('a variant that does not exist or does not run here', () => {
    const forcedTo = (variant: string, adapterInfo: object) =>
      Object.create(naive.context(), {
        variants: { value: { 'cross-moments': variant } },
        origin: { value: { ...naive.context().origin, adapterInfo } },
      }) as Context;
    expect(() => call({}, forcedTo('fast', {}))).toThrow(
      'crossMoments: no variant "fast"; it has naive, register, quad, workgroup',
    );
    const eight = {
      vendor: 'x',
      architecture: '',
      device: '',
      description: '',
      subgroupMinSize: 8,
      subgroupMaxSize: 8,
    };
    expect(() => call({}, forcedTo('quad', eight))).toThrow(
      'crossMoments: variant "quad" needs subgroups of four',
    );
  });
});
