/** The numerics class f16: operands rounded to f16, sums in f32, the same bits in every variant. */
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from '../../../src/kernels/conv/conv2d.ts';
import { packedMatmul } from '../../../src/kernels/matmul/packed.ts';
import { hasQuads, TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import { type Context, requestContextOn } from '../../../src/runtime/context.ts';
import type { Dispatch } from '../../../src/runtime/kernel.ts';
import { matmulReference } from '../../reference/matmul.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { bitsOf } from '../../support/numbers.ts';
import { platform } from '../../support/platform.ts';

const context = useContext();
const memory = useMemory(context);

const hasF16 = () => context().device.features.has('shader-f16');
/** For whom kernels are chosen: a variant of a class, on the one device. */
const chooser = (variant: string, numerics = 'f16') =>
  Object.create(context(), {
    variants: { value: { matmul: variant, conv: variant.split(' ')[0] } },
    numerics: { value: numerics },
  }) as Context;

/** Tiles in workgroup memory need the feature, the other texts round without it: they run everywhere here. */
const variants = () =>
  [...TILED_VARIANTS, 'quad packed'].filter((variant) => {
    if (variant === 'workgroup') return hasF16();
    return !variant.startsWith('quad') || hasQuads(context());
  });

const LAYOUTS = { NN: {}, NT: { transposeB: true }, TN: { transposeA: true } } as const;
type Layout = keyof typeof LAYOUTS;

function uniform(name: string, length: number): Float32Array {
  const values = new Float32Array(length);
  new RandomStream(16, name).fillUniform(values, -1, 1);
  return values;
}

/** Numbers that f16 holds: multiples of 1 / 1024 up to 1 have 11 significant bits. */
const held = (values: Float32Array) => values.map((value) => Math.round(value * 1024) / 1024);

/** What is below the smallest normal f16 is 0 in the class. */
const flushed = (values: Float32Array) => values.map((value) => (Math.abs(value) < 2 ** -14 ? 0 : value));

/** Numbers that f16 holds, every third one below 2^-14 if not at that edge: all of these have one f16 and no rounding. */
function withSubnormals(values: Float32Array): Float32Array {
  const edge = [2 ** -14, 2 ** -14 - 2 ** -24, -(2 ** -14), 2 ** -24 - 2 ** -14, 2 ** -24, -(2 ** -15)];
  return held(values).map((value, i) => {
    if (i % 3 !== 0) return value;
    return i % 2 === 0 ? Math.round(value * 128) / 2 ** 24 : edge[(i / 3) % edge.length]!;
  });
}

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly layout: Layout;
}

const product = (m: number, n: number, k: number, layout: Layout): Product => ({
  ...{ m, n, k, layout },
  a: uniform(`a ${m} ${n} ${k}`, m * k),
  b: uniform(`b ${m} ${n} ${k}`, n * k),
});

async function multiply(
  forWhom: Context,
  { m, n, k, a, b, layout }: Product,
  numerics?: 'f32',
  changed = (dispatch: Dispatch) => dispatch,
): Promise<Float32Array> {
  const output = memory.output([m, n]);
  const operands = {
    a: memory.input(a, layout === 'TN' ? [k, m] : [m, k]),
    b: memory.input(b, layout === 'NT' ? [n, k] : [k, n]),
  };
  const call = { ...operands, output, ...LAYOUTS[layout], ...(numerics ? { numerics } : {}) };
  context().record(...packedMatmul(forWhom, call).map(changed));
  return memory.read(output);
}

/**
 * What adapters compute whose rounding keeps subnormals, on numbers that f16 holds. Vulkan's never does (SPIR-V, OpQuantizeToF16), Metal's
 * and Direct3D's may.
 */
function keepingSubnormals(dispatch: Dispatch): Dispatch {
  const { name, wgsl } = dispatch.kernel;
  if (name.startsWith('matmul packed')) return dispatch; // rounded as they were packed
  const kept = wgsl.replaceAll('quantizeToF16(x)', 'x');
  expect(kept).not.toBe(wgsl);
  return { ...dispatch, kernel: { ...dispatch.kernel, name: `${name}, keeping subnormals`, wgsl: kept } };
}

/** A convolution and both gradients. */
async function convolve(forWhom: Context, round: (values: Float32Array) => Float32Array) {
  const options = { padding: [1, 1] } as const;
  const shapes = { input: [2, 9, 7, 6], weight: [18, 9, 3, 3], output: [2, 18, 7, 6] };
  const view = (name: keyof typeof shapes) => {
    const count = shapes[name].reduce((x, y) => x * y, 1);
    return memory.input(round(uniform(`conv ${name}`, count)), shapes[name]);
  };
  const [input, weight, outputGradient] = [view('input'), view('weight'), view('output')];
  const outputs = [memory.output(shapes.output), memory.output(shapes.input), memory.output(shapes.weight)];
  context().record(
    ...conv2d(forWhom, { ...options, input, weight, output: outputs[0]! }),
    ...conv2dInputGradient(forWhom, { ...options, outputGradient, weight, output: outputs[1]! }),
    ...conv2dWeightGradient(forWhom, { ...options, input, outputGradient, output: outputs[2]! }),
  );
  return Promise.all(outputs.map((output) => memory.read(output)));
}

const bits = (values: readonly Float32Array[]) => values.map((list) => [...bitsOf(list)]);

describe('numerics f16', () => {
  test('tiles in workgroup memory', (it) => {
    it.skip(!hasF16(), `left out: ${context().adapterName} has no shader-f16`);
    expect(variants()).toContain('workgroup');
  });

  test('needs shader-f16: without it a context is refused and the adapter named', async () => {
    const asked = requestContextOn(platform, { numerics: 'f16' });
    if (hasF16()) {
      const made = await asked;
      expect(made.numerics).toBe('f16');
      made.destroy();
    } else {
      await expect(asked).rejects.toThrow(`shader-f16, which ${context().adapterName} has not`);
    }
    expect(context().numerics).toBe('f32');
    const unknown = { numerics: 'f8' } as unknown as { numerics: 'f16' };
    await expect(requestContextOn(platform, unknown)).rejects.toThrow('numerics is f32 or f16, got "f8"');
  });

  for (const [m, n, k, layout] of [
    [20, 36, 40, 'NN'],
    [13, 10, 517, 'NT'],
    [33, 17, 70, 'TN'],
  ] as const) {
    test(`matmul ${layout} ${m} x ${n} x ${k}: within the f64 bound, the same bits in every variant`, async () => {
      const given = product(m, n, k, layout);
      const values = await multiply(chooser('naive'), given);
      const [a, b] = [flushed(given.a), flushed(given.b)];
      const reference = matmulReference({ ...given, a, b, ...LAYOUTS[layout] });
      // Rounded to one of two neighbours, an operand is wrong by at most 2^-10 of itself; below 2^-14 it is 0 (numbers drawn here are
      // multiples of 2^-23, so none is rounded up to that). A product of two is wrong by 2^-9 + 2^-20 of itself. The sum: as in f32, of
      // products that are larger by at most the same.
      const sums = (k + 2) * 2 ** -24 * (1 + 2 ** -8);
      values.forEach((value, i) => {
        const bound = (2 ** -9 + 2 ** -20 + sums) * reference.magnitudes[i]!;
        expect(Math.abs(value - reference.values[i]!)).toBeLessThanOrEqual(bound);
      });
      const exact = await multiply(chooser('naive', 'f32'), given);
      expect(bits([values]), 'it is another class').not.toEqual(bits([exact]));
      for (const variant of variants().slice(1))
        expect(bits([await multiply(chooser(variant), given)]), variant).toEqual(bits([values]));
    });
  }

  test('matmul of numbers that f16 holds has the bits of f32: products are exact, sums are f32 in the same order', async () => {
    const given = product(13, 10, 517, 'NT');
    const rounded = { ...given, a: held(given.a), b: held(given.b) };
    const expected = bits([await multiply(chooser('naive', 'f32'), rounded)]);
    for (const variant of variants())
      expect(bits([await multiply(chooser(variant), rounded)]), variant).toEqual(expected);
  });

  test('subnormals of f16 are 0 in every variant: matmul has the bits of f32 on numbers without them', async () => {
    for (const layout of ['NN', 'NT', 'TN'] as const) {
      const given = product(13, 12, 40, layout);
      const tiny = { ...given, a: withSubnormals(given.a), b: withSubnormals(given.b) };
      const without = { ...given, a: flushed(tiny.a), b: flushed(tiny.b) };
      const expected = await multiply(chooser('naive', 'f32'), without);
      expect(bits([await multiply(chooser('naive', 'f32'), tiny)]), 'they would count').not.toEqual(
        bits([expected]),
      );
      const { values, magnitudes } = matmulReference({ ...without, ...LAYOUTS[layout] });
      expected.forEach((value, i) => {
        expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(42 * 2 ** -24 * magnitudes[i]!);
      });
      const scaled = { ...given, a: given.a.map((value) => value * 2 ** -16) };
      for (const variant of variants()) {
        expect(bits([await multiply(chooser(variant), tiny)]), variant).toEqual(bits([expected]));
        if (layout === 'NN') {
          const kept = await multiply(chooser(variant), tiny, undefined, keepingSubnormals);
          expect(bits([kept]), `${variant}, where rounding keeps them`).toEqual(bits([expected]));
        }
        const zeros = await multiply(chooser(variant), scaled);
        expect(bits([zeros]), `${variant}, all of them`).toEqual(bits([new Float32Array(13 * 12)]));
      }
    }
  });

  test('what asks for f32 gets it on a context of f16', async () => {
    const given = product(5, 6, 20, 'NN');
    const expected = bits([await multiply(chooser('naive', 'f32'), given)]);
    expect(bits([await multiply(chooser('naive'), given, 'f32')])).toEqual(expected);
    expect(bits([await multiply(chooser('naive'), given)])).not.toEqual(expected);
  });

  test('convolutions: the same bits in every variant, and those of f32 on numbers that f16 holds (subnormals being 0)', async () => {
    const asTheyAre = (values: Float32Array) => values;
    const expected = bits(await convolve(chooser('naive'), asTheyAre));
    const expectedHeld = bits(await convolve(chooser('naive', 'f32'), held));
    expect(bits(await convolve(chooser('naive', 'f32'), asTheyAre))).not.toEqual(expected);
    const withoutSubnormals = (values: Float32Array) => flushed(withSubnormals(values));
    const expectedFlushed = bits(await convolve(chooser('naive', 'f32'), withoutSubnormals));
    expect(bits(await convolve(chooser('naive', 'f32'), withSubnormals))).not.toEqual(expectedFlushed);
    for (const variant of variants()) {
      expect(bits(await convolve(chooser(variant), withSubnormals)), variant).toEqual(expectedFlushed);
      expect(bits(await convolve(chooser(variant), asTheyAre)), variant).toEqual(expected);
      expect(bits(await convolve(chooser(variant), held)), variant).toEqual(expectedHeld);
    }
  });
});
