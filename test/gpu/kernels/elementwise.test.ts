/** Elementwise kernels: sums and products are exact to one rounding, so they are compared bit for bit. */
import { describe, expect, it } from 'vitest';
import { elementwise } from '../../../src/kernels/elementwise/elementwise.ts';
import * as reference from '../../reference/kernels/functions.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { bitsOf, expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const ULP = 2 ** -23;

/** f32 products a[i] * x[(i / inner) % size]: rounded once. */
function products(a: Float32Array, x: Float32Array, inner: number): Float32Array {
  return a.map((value, i) => value * x[Math.floor(i / inner) % x.length]!);
}

describe('elementwise', () => {
  it.each([0, 1, 3, 4, 5, 255, 256, 257, 1023, 1024, 1025, 7919])('adds %i elements', async (count) => {
    const [a, b] = [normals(count, 'a'), normals(count, 'b')];
    const output = memory.output([count]);
    const inputs = [{ view: memory.input(a) }, { view: memory.input(b) }];
    context().record(...elementwise(context(), { expression: 'a + b', inputs, output }));
    expect(await memory.readBits(output)).toEqual(bitsOf(a.map((value, i) => value + b[i]!)));
  });

  it.each([
    // [rows, size, inner]: the output has rows * size * inner elements
    [5, 1, 1], // scalar
    [7, 12, 1], // row vector, aligned
    [7, 3, 1], // row vectors, not aligned
    [3, 10, 1],
    [9, 1, 7],
    [1, 13, 4], // column vectors
    [1, 13, 10],
    [1, 257, 3],
    [2, 5, 64], // channels of NCHW
    [3, 6, 49],
    [2, 7, 1],
    [1, 1031, 1],
  ])('broadcasts as (i / inner) %% size: %i x %i x %i', async (rows, size, inner) => {
    const count = rows * size * inner;
    const [a, x] = [normals(count, 'a'), normals(size, 'x')];
    const output = memory.output([count]);
    const inputs = [{ view: memory.input(a) }, { view: memory.input(x), broadcast: { inner, size } }];
    context().record(...elementwise(context(), { expression: 'a * b', inputs, output }));
    const expected = products(a, x, inner);
    expect(await memory.readBits(output)).toEqual(bitsOf(expected));

    // Control: reading the vector by another pattern gives other numbers.
    if (size > 1) expect(products(a, x, inner + 1)).not.toEqual(expected);
  });

  it('works in place, also at the tail', async () => {
    const [a, b] = [normals(1027, 'a'), normals(1027, 'b')];
    const output = memory.input(a);
    const inputs = [{ view: output }, { view: memory.input(b) }];
    context().record(...elementwise(context(), { expression: 'a - b', inputs, output }));
    expect(await memory.readBits(output)).toEqual(bitsOf(a.map((value, i) => value - b[i]!)));
  });

  it('takes scalars, selects, and fills without any input', async () => {
    const a = normals(10, 'a');
    const [filled, selected] = [memory.output([5]), memory.output([10])];
    const fill = { expression: 'T(s0)', inputs: [], scalars: [1.5], output: filled };
    const expression = 'select(T(s1), a * s0, a > T(0.0))';
    const select = { expression, inputs: [{ view: memory.input(a) }], scalars: [2, -7], output: selected };
    context().record(...elementwise(context(), fill), ...elementwise(context(), select));
    expect(await memory.read(filled)).toEqual(new Float32Array(5).fill(1.5));
    expect(await memory.read(selected)).toEqual(a.map((value) => (value > 0 ? 2 * value : -7)));
  });

  it('takes as many inputs as the device binds, and says so when there are more', async () => {
    const expression = 'a + 2.0 * b + 4.0 * c + 8.0 * d + 16.0 * e + 32.0 * f + 64.0 * g + 128.0 * h';
    const inputs = Array.from({ length: 8 }, () => ({ view: memory.input(new Float32Array(5).fill(1)) }));
    const output = memory.output([5]);
    const limit = context().device.limits.maxStorageBuffersPerShaderStage;
    const count = Math.min(8, limit - 1);
    const part = expression.split(' + ').slice(0, count).join(' + ');
    context().record(...elementwise(context(), { expression: part, inputs: inputs.slice(0, count), output }));
    expect(await memory.read(output)).toEqual(new Float32Array(5).fill(2 ** count - 1));
    if (limit < 9) expect(() => elementwise(context(), { expression, inputs, output })).toThrow(/binds 8/);
  });

  it('compiles one kernel for an expression, whatever the sizes', async () => {
    const run = (count: number) => {
      const inputs = [{ view: memory.input(normals(count, 'a')) }];
      const call = { expression: 'a * a * a', inputs, output: memory.output([count]) };
      context().record(...elementwise(context(), call));
    };
    run(5);
    const { pipelines } = context().statistics;
    run(1000);
    expect(context().statistics.pipelines).toBe(pipelines);
  });

  it('wraps grids of more than 65,535 workgroups', async ({ skip }) => {
    const count = 65536 * 1024 + 4;
    const limit = context().device.limits.maxStorageBufferBindingSize;
    if (limit < 4 * count) skip(`needs a binding of ${4 * count} bytes, this adapter binds ${limit}`);
    const row = memory.input(Float32Array.of(1, 2, 3, 4));
    const output = context().tensor([count], 'f32', { zero: true });
    const inputs = [{ view: row, broadcast: { inner: 1, size: 4 } }];
    context().record(...elementwise(context(), { expression: 'a', inputs, output }));
    const { buffer, dtype } = output;
    for (const start of [0, 33553 * 1024, 65535 * 1024, 65536 * 1024 - 64]) {
      const part = await context().read({ buffer, offset: 4 * start, shape: [68], dtype });
      expect([...part]).toEqual(Array.from({ length: 68 }, (_, i) => 1 + (i % 4)));
    }
    output.destroy();
  });

  it('refuses what does not fit, before any dispatch', () => {
    const view = memory.input(normals(12, 'a'));
    const output = memory.output([3, 4]);
    const call = (expression: string, ...inputs: Parameters<typeof elementwise>[1]['inputs']) =>
      elementwise(context(), { expression, inputs, output });
    expect(() => call('a', { view: memory.input(normals(11, 'a')) })).toThrow(
      /input a must have 12 elements/,
    );
    expect(() => call('a', { view: memory.output([12], 'u32') })).toThrow(/must hold f32/);
    expect(() => call('a + b', { view })).toThrow(/names b/);
    expect(() => call('a * s0', { view })).toThrow(/names s0/);
    expect(() => call('a', { view, broadcast: { inner: 0, size: 12 } })).toThrow(/at least 1, got 0/);
    expect(() => call('a', { view, broadcast: { inner: 5, size: 12 } })).toThrow(/must divide/);
    const { buffer, dtype } = output;
    expect(() => call('a', { view: { buffer, offset: 0, shape: [12], dtype } })).toThrow(/same GPUBuffer/);
  });
});

describe('functions for expressions', () => {
  /** Dense around 0, and far out. */
  const x = Float32Array.from({ length: 4001 }, (_, i) => ((i - 2000) / 200) ** 3 / 40);
  const extremes = Float32Array.of(-1e30, -200, -88, 88, 200, 1e30);

  async function evaluate(name: string, values: Float32Array): Promise<Float32Array> {
    const output = memory.output([values.length]);
    const inputs = [{ view: memory.input(values) }];
    context().record(...elementwise(context(), { expression: `${name}(a)`, inputs, output }));
    return memory.read(output);
  }

  /** WGSL allows exp(x) 3 + 2|x| ULP; 8 more are for the few operations around it. */
  const expTolerance = (v: number) => (3 + 2 * Math.abs(v) + 8) * ULP;

  it('sigmoid is accurate relative to its value, also in the lower tail', async () => {
    const expected = Float64Array.from(x, reference.sigmoid);
    expectClose(
      await evaluate('sigmoid', x),
      expected,
      expected.map((value, i) => value * expTolerance(x[i]!)),
    );
    expect([...(await evaluate('sigmoid', extremes))]).toEqual([0, 0, expect.closeTo(0, 30), 1, 1, 1]);
  });

  it('softplus is accurate relative to its value, also in the lower tail', async () => {
    const expected = Float64Array.from(x, reference.softplus);
    expectClose(
      await evaluate('softplus', x),
      expected,
      expected.map((value, i) => value * expTolerance(x[i]!)),
    );
    const [low, , , high, higher, highest] = await evaluate('softplus', extremes);
    expect([low, high, higher, highest]).toEqual([0, 88, 200, Math.fround(1e30)]);
  });

  it('erf is within 1.5e-7, odd, and +-1 far out', async () => {
    const expected = Float64Array.from(x, (v) => (Math.abs(v) < 6 ? reference.erf(v) : Math.sign(v)));
    const actual = await evaluate('erf', x);
    expectClose(actual, expected, 1.5e-7);
    expect(actual.toReversed()).toEqual(actual.map((value) => 0 - value));
    expectClose(await evaluate('erf', extremes), [-1, -1, -1, 1, 1, 1], 1.2e-7);
  });

  it('normalCdf is within 1e-7 and normalPdf accurate to exp', async () => {
    const near = x.filter((v) => Math.abs(v) < 6);
    expectClose(
      await evaluate('normalCdf', near),
      Float64Array.from(near, reference.normalCdf),
      1e-7 + ULP / 2,
    );
    const expected = Float64Array.from(near, reference.normalPdf);
    const tolerance = expected.map((value, i) => value * expTolerance(near[i]! ** 2));
    expectClose(await evaluate('normalPdf', near), expected, tolerance);
    expect([...(await evaluate('normalPdf', extremes))]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('tanhSafe is accurate relative to its value, also near 0, and +-1 far out', async () => {
    const expected = Float64Array.from(x, Math.tanh);
    // Above 0.65, the error of exp(2|x|) counts times the derivative of 1 - 2 / (e + 1).
    const tolerance = expected.map((value, i) => {
      const e = Math.exp(Math.min(2 * Math.abs(x[i]!), 40));
      return Math.abs(value) * 3 * ULP + ((2 * e) / (e + 1) ** 2) * expTolerance(2 * x[i]!);
    });
    expectClose(await evaluate('tanhSafe', x), expected, tolerance);
    expect([...(await evaluate('tanhSafe', extremes))]).toEqual([-1, -1, -1, 1, 1, 1]);
  });

  it('control: the comparison sees an error of 1e-6', () => {
    const wrong = Float32Array.from(x, (v) => Math.tanh(v) + 1e-6);
    expect(() => expectClose(wrong, Float64Array.from(x, Math.tanh), 3e-7)).toThrow(/worst of 4001/);
  });
});
