/** Arithmetic on arenas: ends of an interpolation and copies bit for bit, the rest against float64. */
import { describe, expect, it } from 'vitest';
import { axpy, combine, copy, interpolate, scale } from '../../../src/kernels/arena/arena.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import type { TensorView } from '../../../src/runtime/kernel.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { bitsOf, expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const UNIT = 2 ** -24;

/** Sizes of windows: several, each awkward. */
const sizes = [1, 3, 4, 5, 255, 256, 257, 1024, 7919];

function filled(purpose: string): { values: Float32Array[]; windows: TensorView[] } {
  const values = sizes.map((size) => normals(size, `${purpose} ${size}`));
  return { values, windows: values.map((window) => memory.input(window)) };
}

const empty = () => sizes.map((size) => memory.output([size]));

/** Numbers whose sums and products lose something: signed zeros, a denormal, infinities, NaNs. */
const oddBits = Uint32Array.of(0, 0x80000000, 1, 0x7f800000, 0xff800000, 0x7fc00000, 0x3f800000);
const odd = () => new Float32Array(oddBits.slice().buffer);

describe('interpolate', () => {
  it.each([0.25, 0.5, 1 / 3, 0.9999, -0.5, 1.5])(
    'lambda %d is within the rounding of its parts',
    async (lambda) => {
      const [a, b, output] = [filled('a'), filled('b'), empty()];
      context().record(...interpolate(context(), { a: a.windows, b: b.windows, output, lambda }));
      for (const [w, view] of output.entries()) {
        const [x, y] = [a.values[w]!, b.values[w]!];
        const parts = Array.from(x, (value, i) => [(1 - lambda) * value, lambda * y[i]!] as const);
        // Each weight is rounded once, each product once (WGSL lets fma round its product), the sum once.
        const tolerance = parts.map(([p, q]) => 3 * UNIT * (Math.abs(p) + Math.abs(q)));
        expectClose(
          await memory.read(view),
          parts.map(([p, q]) => p + q),
          tolerance,
        );
      }
    },
  );

  it('gives exactly a at 0 and exactly b at 1, whatever the other holds', async () => {
    const others = odd().reverse();
    for (const [lambda, expected] of [
      [0, oddBits],
      [1, bitsOf(others)],
    ] as const) {
      const output = memory.output([odd().length]);
      const [a, b] = [memory.input(odd()), memory.input(others)];
      context().record(...interpolate(context(), { a: [a], b: [b], output: [output], lambda }));
      expect(await memory.readBits(output)).toEqual(expected);
    }
  });

  it('may write into one of its ends', async () => {
    const [a, b] = [filled('a'), filled('b')];
    context().record(
      ...interpolate(context(), { a: a.windows, b: b.windows, output: a.windows, lambda: 0.5 }),
    );
    const expected = Array.from(a.values[3]!, (value, i) => (value + b.values[3]![i]!) / 2);
    expectClose(await memory.read(a.windows[3]!), expected, 1e-6);
  });

  it('works on arenas and keeps their padding zero', async () => {
    const layout = new ArenaLayout([
      { name: 'weight', shape: [3, 5] },
      { name: 'bias', shape: [3] },
    ]);
    const [a, b, output] = [0, 1, 2].map(() => new Arena(context(), layout));
    const state = (value: number) =>
      new Map([
        ['weight', new Float32Array(15).fill(value)],
        ['bias', new Float32Array(3).fill(-value)],
      ]);
    a!.write(state(1));
    b!.write(state(3));
    const call = { a: a!.windows, b: b!.windows, output: output!.windows, lambda: 0.5 };
    const dispatches = interpolate(context(), call);
    expect(dispatches).toHaveLength(1);
    context().record(...dispatches);
    expect(await output!.read()).toEqual(state(2));
    const all = await context().read(output!.windows[0]!);
    expect(all.filter((value) => value !== 0)).toHaveLength(18);
    for (const arena of [a!, b!, output!]) arena.destroy();
  });
});

describe('combine', () => {
  it.each([
    [0.2, 0.5, 0.3],
    [1 / 3, 1 / 3, 1 / 3],
    [1.7, -0.4, -0.3],
    [1, 0.25, -0.25],
  ] as const)('with weights %d, %d, %d is within the rounding of its parts', async (...weights) => {
    const [a, b, c, output] = [filled('a'), filled('b'), filled('c'), empty()];
    context().record(...combine(context(), { a: a.windows, b: b.windows, c: c.windows, output, weights }));
    for (const [w, view] of output.entries()) {
      const parts = Array.from(a.values[w]!, (x, i) =>
        [x, b.values[w]![i]!, c.values[w]![i]!].map((value, m) => weights[m]! * value),
      );
      // Each weight is rounded once, each product once (WGSL lets fma round its product), then two sums: four roundings at most.
      const tolerance = parts.map((p) => 4 * UNIT * p.reduce((sum, part) => sum + Math.abs(part), 0));
      expectClose(
        await memory.read(view),
        parts.map(([p, q, r]) => p! + q! + r!),
        tolerance,
      );
    }
  });

  it('gives exactly one model where it alone has a weight, whatever the others hold', async () => {
    const models = [odd(), odd().reverse(), odd().subarray(1)].map((values) => {
      const all = new Float32Array(7);
      all.set(values);
      return all;
    });
    for (const [index, expected] of models.entries()) {
      const [a, b, c] = models.map((values) => [memory.input(values)]);
      const output = memory.output([7]);
      const weights = [0, 1, 2].map((m) => (m === index ? 1 : 0)) as unknown as [number, number, number];
      context().record(...combine(context(), { a: a!, b: b!, c: c!, output: [output], weights }));
      expect(await memory.readBits(output)).toEqual(bitsOf(expected));
    }
  });

  it('gives what interpolate gives where a model has no weight', async () => {
    const [a, b, c] = [filled('a'), filled('b'), filled('c')];
    const [output, line] = [empty(), empty()];
    const lambda = 0.3;
    context().record(
      ...combine(context(), {
        ...{ a: a.windows, b: b.windows, c: c.windows, output },
        weights: [1 - lambda, lambda, 0],
      }),
      ...interpolate(context(), { a: a.windows, b: b.windows, output: line, lambda }),
    );
    for (const [w, view] of output.entries()) {
      expect(await memory.readBits(view)).toEqual(await memory.readBits(line[w]!));
    }
  });

  it('may write into one of its models', async () => {
    const [a, b, c] = [filled('a'), filled('b'), filled('c')];
    const call = { a: a.windows, b: b.windows, c: c.windows, output: c.windows };
    context().record(...combine(context(), { ...call, weights: [0.25, 0.25, 0.5] }));
    const [x, y, z] = [a.values[6]!, b.values[6]!, c.values[6]!];
    const expected = Array.from(x, (value, i) => value / 4 + y[i]! / 4 + z[i]! / 2);
    expectClose(await memory.read(c.windows[6]!), expected, 1e-6);
  });
});

describe('axpy and scale', () => {
  it('axpy adds alpha x to y in place', async () => {
    const [x, y] = [filled('x'), filled('y')];
    context().record(...axpy(context(), { alpha: -0.3, x: x.windows, y: y.windows }));
    for (const [w, view] of y.windows.entries()) {
      const expected = Array.from(x.values[w]!, (value, i) => -0.3 * value + y.values[w]![i]!);
      const tolerance = expected.map(
        (sum, i) => UNIT * (Math.abs(sum) + 2 * Math.abs(0.3 * x.values[w]![i]!)),
      );
      expectClose(await memory.read(view), expected, tolerance);
    }
  });

  it('scale rounds once, into another arena or in place', async () => {
    const [x, output] = [filled('x'), empty()];
    context().record(
      ...scale(context(), { alpha: 0.1, x: x.windows, output }),
      ...scale(context(), { alpha: 0.1, x: x.windows, output: x.windows }),
    );
    const alpha = Math.fround(0.1);
    for (const [w, view] of output.entries()) {
      const expected = x.values[w]!.map((value) => alpha * value);
      expect(await memory.read(view)).toEqual(expected);
      expect(await memory.read(x.windows[w]!)).toEqual(expected);
    }
  });
});

describe('copy', () => {
  it('copies any bits, and nothing else', async () => {
    const [x, output] = [filled('x'), empty()];
    const [input, target] = [memory.input(odd()), memory.output([odd().length])];
    context().record(...copy(context(), { input: [...x.windows, input], output: [...output, target] }));
    expect(await memory.readBits(target)).toEqual(oddBits);
    for (const [w, view] of output.entries()) {
      expect(await memory.readBits(view)).toEqual(bitsOf(x.values[w]!));
    }
  });
});

describe('lists of windows', () => {
  it('must fit each other', () => {
    const [x, y] = [memory.output([5]), memory.output([6])];
    expect(() => axpy(context(), { alpha: 1, x: [x], y: [] })).toThrow(/y has 0 windows, x 1/);
    expect(() => axpy(context(), { alpha: 1, x: [x], y: [y] })).toThrow(/window 0 of y must have 5 elements/);
    expect(() => copy(context(), { input: [x], output: [x] })).toThrow(/same GPUBuffer/);
  });
});
