/** Matrix products: every variant against float64, against each other bit for bit, and inside their bounds. */
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { MATMUL_TILES, type MatmulOperands, matmul } from '../../../src/kernels/matmul/matmul.ts';
import { packedMatmul } from '../../../src/kernels/matmul/packed.ts';
import { hasQuads, TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { TensorView } from '../../../src/runtime/kernel.ts';
import type { Tensor } from '../../../src/runtime/tensor.ts';
import { type MatmulCase, matmulInChunks, matmulReference } from '../../reference/matmul.ts';
import { useContext } from '../../support/context.ts';
import { platform } from '../../support/platform.ts';

const defaultContext = useContext();

/** Every variant, the naive one first, and every tile of each. */
const CANDIDATES = TILED_VARIANTS.flatMap((variant) => [
  variant,
  ...(MATMUL_TILES[variant] ?? []).map((tile) => `${variant} ${tile}`),
]);

/**
 * All candidates that this adapter can run. They share a device: only what chooses the kernel differs. Software adapters take seconds to
 * compile a kernel with workgroup memory: there each tile meets a few shapes, which between them have every trait of the text.
 */
const contexts = () =>
  CANDIDATES.filter((name) => !name.startsWith('quad') || hasQuads(defaultContext())).map((variant) => ({
    variant,
    chooser: Object.create(defaultContext(), { variants: { value: { matmul: variant } } }) as Context,
    meets: (shape: string) =>
      !defaultContext().software ||
      !variant.startsWith('workgroup') ||
      (rare()[variant] ?? []).includes(shape),
  }));

/** In Chromium, which compiles the same texts for the same driver. */
const RARE_IN_BROWSERS: Readonly<Record<string, readonly string[]>> = {
  'workgroup 32x32': ['NN 97,101,103', 'TN 64,72,100'],
};

/** Edges and fitting tiles, short last steps and none, chunk boundaries, each way to read, each epilogue. */
const RARE: Readonly<Record<string, readonly string[]>> = {
  'workgroup 32x32': [
    ...['NN 97,101,103', 'NN 32,32,32', 'NT 36,20,1027', 'TN 64,72,100'],
    ...['NT 17,20,1300', 'NN 33,29,700', 'NN 12,12,12', 'NN 12,12,13', 'NN 12,12,1029'],
  ],
  'workgroup 64x32': ['TN 64,72,100'],
  'workgroup 64x64': ['NN 128,128,1040'],
  'workgroup 128x128': ['NN 97,101,103'],
};

const rare = () => (platform.name === 'browser' ? RARE_IN_BROWSERS : RARE);

const LAYOUTS = [
  { layout: 'NN', transposeA: false, transposeB: false },
  { layout: 'NT', transposeA: false, transposeB: true },
  { layout: 'TN', transposeA: true, transposeB: false },
] as const;

/** M, N, K around the tiles (4, 8, 16, 32, 64), primes, two chunk boundaries (K > 1024), empty ones. */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 4, 4],
  [7, 9, 8],
  [8, 8, 16],
  [9, 7, 17],
  [16, 12, 20],
  [31, 33, 15],
  [32, 32, 32],
  [65, 63, 64],
  [64, 72, 100],
  [13, 10, 512],
  [10, 60, 513],
  [128, 10, 36],
  [97, 101, 103],
  [257, 131, 1031],
  [20, 36, 1540],
  [36, 20, 1027],
  [128, 128, 1040],
  [5, 6, 0],
  [0, 6, 3],
  [5, 0, 3],
];

function randomCase(m: number, n: number, k: number, layout: (typeof LAYOUTS)[number]): MatmulCase {
  const stream = new RandomStream(m * 1_000_000 + n * 1000 + k, 'matmul test');
  const a = new Float32Array(m * k);
  const b = new Float32Array(k * n);
  const bias = new Float32Array(n);
  stream.derive('a').fillUniform(a, -1, 1);
  stream.derive('b').fillUniform(b, -1, 1);
  stream.derive('bias').fillUniform(bias, -1, 1);
  return { m, n, k, a, b, bias, transposeA: layout.transposeA, transposeB: layout.transposeB };
}

const POISON = 12345.5;

/** Elements of 256 bytes, the distance at which a view may begin. */
const GUARD = 64;

/** Runs a product on views in the middle of larger buffers, filled with NaN around inputs and with POISON around the output. */
async function run(chooser: Context, given: MatmulCase, mayPart = false): Promise<Float32Array> {
  const context = defaultContext();
  const { m, n, k, transposeA = false, transposeB = false } = given;
  const inside = (values: Float32Array, shape: number[], around: number) => {
    const all = new Float32Array(GUARD + Math.ceil(values.length / GUARD) * GUARD + GUARD).fill(around);
    all.set(values, GUARD);
    const tensor = context.tensorFrom(all);
    const view: TensorView = { buffer: tensor.buffer, offset: 4 * GUARD, shape, dtype: 'f32' };
    return { tensor, view, elements: all.length };
  };
  const a = inside(given.a, transposeA ? [k, m] : [m, k], Number.NaN);
  const b = inside(given.b, transposeB ? [n, k] : [k, n], Number.NaN);
  const bias = given.bias && inside(given.bias, [n], Number.NaN);
  const output = inside(new Float32Array(m * n).fill(POISON), [m, n], POISON);
  const scratch: Tensor[] = [];
  const operands: MatmulOperands = {
    a: a.view,
    b: b.view,
    output: output.view,
    transposeA,
    transposeB,
    ...(bias ? { bias: bias.view } : {}),
    ...(given.relu ? { activation: 'relu' } : {}),
    ...(mayPart ? { scratch: (wanted) => scratch[scratch.push(context.tensor(wanted)) - 1]! } : {}),
  };
  const dispatches = packedMatmul(chooser, operands);
  const packs = dispatches.at(-1)?.kernel.name.startsWith('matmul packed');
  expect(dispatches).toHaveLength(m * n === 0 ? 0 : packs ? 3 : scratch.length === 0 ? 1 : 2);
  if (mayPart) expect(scratch, 'summed in parts').toHaveLength(1);
  context.record(...dispatches);
  const all = await output.tensor.read();
  for (const used of [a, b, bias, output]) used?.tensor.destroy();
  for (const tensor of scratch) tensor.destroy();
  const around = [...all.subarray(0, GUARD), ...all.subarray(GUARD + m * n)];
  expect(
    around.every((value) => value === POISON),
    'elements around the output are untouched',
  ).toBe(true);
  return all.slice(GUARD, GUARD + m * n);
}

function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** As the kernels have it: -0 becomes 0 and NaN stays. */
function relu(value: number): number {
  if (value <= 0) return 0;
  return value;
}

/** How many elements differ in their bits: quicker to say than toEqual's own difference of long arrays. */
function differences(x: Float32Array, y: Float32Array): number {
  const [p, q] = [bits(x), bits(y)];
  return p.reduce((count, word, i) => count + (word === q[i] ? 0 : 1), Math.abs(p.length - q.length));
}

/**
 * Largest |error| in units of its bound. A sum of K products, each sum and product rounded once (or fused), and one more for the
 * bias, is wrong by at most (K + 2) u sum |a b| with u = 2^-24, up to terms in u^2; chunking only shortens the chains.
 */
function worstError(values: Float32Array, given: MatmulCase): number {
  const reference = matmulReference(given);
  let worst = 0;
  values.forEach((value, i) => {
    const bound = (given.k + 2) * 2 ** -24 * reference.magnitudes[i]!;
    const error = Math.abs(value - reference.values[i]!);
    if (!(error <= bound)) worst = Math.max(worst, bound > 0 ? error / bound : Number.POSITIVE_INFINITY);
  });
  return worst;
}

describe('matmul', () => {
  for (const layout of LAYOUTS) {
    for (const [m, n, k] of SHAPES) {
      test(`${layout.layout} [${m}, ${k}] x [${k}, ${n}] is within the f64 bound and has the same bits in every variant`, async () => {
        const given = randomCase(m, n, k, layout);
        const plain: MatmulCase = { ...given };
        delete (plain as { bias?: Float32Array }).bias;
        const expected = await run(contexts()[0]!.chooser, plain);
        expect(worstError(expected, plain), 'naive against f64').toBe(0);
        const fused = await run(contexts()[0]!.chooser, { ...given, relu: true });
        expect(worstError(fused, { ...given, relu: true }), 'naive with bias and ReLU against f64').toBe(0);
        for (const { variant, chooser, meets } of contexts().slice(1)) {
          if (!meets(`${layout.layout} ${m},${n},${k}`)) continue;
          expect(differences(await run(chooser, plain), expected), variant).toBe(0);
          const itsFused = await run(chooser, { ...given, relu: true });
          expect(differences(itsFused, fused), `${variant} with bias and ReLU`).toBe(0);
        }
      });
    }
  }

  test('the error bound would notice one wrong element of a', async () => {
    const given = randomCase(97, 101, 103, LAYOUTS[0]);
    const values = await run(defaultContext(), given);
    given.a[97 * 50] = given.a[97 * 50]! + 0.001;
    expect(worstError(values, given)).toBeGreaterThan(1);
  });

  test('the order of summation is the documented one', async () => {
    // Products of numbers of 11 significant bits are exact: fused or not, only the order of the additions shows.
    for (const layout of LAYOUTS) {
      const given = randomCase(17, 20, 1300, layout);
      for (const values of [given.a, given.b]) {
        values.forEach((value, i) => {
          values[i] = Math.round(value * 1024) / 1024;
        });
      }
      for (const relu of [false, true]) {
        const expected = matmulInChunks({ ...given, relu });
        for (const { variant, chooser, meets } of contexts()) {
          if (!meets(`${layout.layout} 17,20,1300`)) continue;
          const values = await run(chooser, { ...given, relu });
          expect(differences(values, expected), `${variant} ${layout.layout}`).toBe(0);
        }
      }
    }
  });

  test('the epilogue has the bits of separate steps', async () => {
    const given = randomCase(33, 29, 700, LAYOUTS[0]);
    const plain: MatmulCase = { ...given };
    delete (plain as { bias?: Float32Array }).bias;
    for (const { variant, chooser, meets } of contexts()) {
      if (!meets('NN 33,29,700')) continue;
      const product = await run(chooser, plain);
      const biased = product.map((value, i) => value + given.bias![i % 29]!); // stored in f32: one rounding
      expect(differences(await run(chooser, given), biased), variant).toBe(0);
      const rectified = biased.map(relu);
      expect(differences(await run(chooser, { ...given, relu: true }), rectified), variant).toBe(0);
    }
  });

  test('chunks that are summed side by side have the bits of one sum', async () => {
    const parting = contexts().filter(({ variant }) => variant === 'workgroup 32x32');
    expect(parting).toHaveLength(1);
    for (const [layout, m, n, k] of [
      [LAYOUTS[1], 36, 20, 1027],
      [LAYOUTS[1], 17, 20, 1300],
    ] as const) {
      const given = randomCase(m, n, k, layout);
      for (const relu of [false, true]) {
        const expected = await run(contexts()[0]!.chooser, { ...given, relu });
        for (const { variant, chooser } of parting)
          expect(differences(await run(chooser, { ...given, relu }, true), expected), variant).toBe(0);
      }
    }
  });

  test('infinities, NaNs and signed zeros are the same in every variant', async () => {
    for (const layout of LAYOUTS) {
      for (const k of [12, 13, 1029]) {
        const given = randomCase(12, 12, k, layout);
        const special = [Number.POSITIVE_INFINITY, Number.NaN, -0, 1e-40, -1e-30, 3e38];
        special.forEach((value, i) => {
          given.a[i * 7] = value;
          given.b[i * 5] = value;
        });
        given.bias!.fill(-0);
        given.a.fill(-0, layout.transposeA ? undefined : 11 * k); // the last row: sums of signed zeros
        if (!layout.transposeA) {
          // a row whose last product vanishes from below: -0, or a sum that does where products are not rounded
          given.a.fill(0, 10 * k, 11 * k);
          given.a[11 * k - 1] = -1e-30;
          given.b.forEach((value, i) => {
            if ((layout.transposeB ? i % k : Math.floor(i / 12)) === k - 1)
              given.b[i] = 1e-30 * Math.sign(value);
          });
        }
        for (const relu of [false, true]) {
          const expected = await run(contexts()[0]!.chooser, { ...given, relu });
          for (const { variant, chooser, meets } of contexts().slice(1)) {
            if (!meets(`${layout.layout} 12,12,${k}`)) continue;
            const values = await run(chooser, { ...given, relu });
            // A NaN's sign and payload are nobody's promise: compare NaN with NaN, everything else by bits.
            const canonical = (x: Float32Array) => x.map((v) => (Number.isNaN(v) ? Number.NaN : v));
            expect(differences(canonical(values), canonical(expected)), `${variant} K=${k}`).toBe(0);
          }
        }
      }
    }
  });

  test('what an operand before left in textures that are shared reaches no other', async () => {
    const packed = contexts().filter(({ variant }) => variant === 'quad packed');
    for (const { chooser } of packed) {
      const large = randomCase(70, 70, 1029, LAYOUTS[0]);
      for (const values of [large.a, large.b]) values.fill(Number.NaN);
      for (const [m, n, k] of [
        [33, 29, 13],
        [36, 20, 519],
      ] as const) {
        await run(chooser, large);
        const given = randomCase(m, n, k, LAYOUTS[1]);
        const expected = await run(contexts()[0]!.chooser, given);
        expect(differences(await run(chooser, given), expected), `${m} x ${n} x ${k}`).toBe(0);
      }
    }
  });

  test('K = 0 gives the bias, or zeros', async () => {
    const given = randomCase(3, 5, 0, LAYOUTS[0]);
    for (const { chooser } of contexts()) {
      const values = await run(chooser, given);
      expect([...values]).toEqual([...given.bias!, ...given.bias!, ...given.bias!]);
    }
  });

  test('an empty output makes no dispatch', () => {
    const context = defaultContext();
    const tensor = context.tensor([4]);
    const other = context.tensor([4]);
    const view = (buffer: GPUBuffer, shape: number[]): TensorView => ({
      buffer,
      offset: 0,
      shape,
      dtype: 'f32',
    });
    expect(
      matmul(context, {
        a: view(tensor.buffer, [0, 2]),
        b: view(tensor.buffer, [2, 2]),
        output: view(other.buffer, [0, 2]),
      }),
    ).toEqual([]);
    tensor.destroy();
    other.destroy();
  });

  test('a grid of more tiles than one axis may have wraps', async () => {
    const m = 64 * 65536 + 3; // naive, and tiles of 64 rows: 65,537 workgroups
    const a = new Float32Array(m).map((_, i) => (i % 251) - 125);
    for (const { variant, chooser } of contexts()) {
      const context = defaultContext();
      const [ta, tb] = [context.tensorFrom(a, [m, 1]), context.tensorFrom(Float32Array.of(2), [1, 1])];
      const output = context.tensor([m, 1]);
      const dispatches = matmul(chooser, { a: ta, b: tb, output });
      const [x, y, z] = dispatches[0]!.workgroups;
      expect(Math.max(x, y, z)).toBeLessThanOrEqual(65535);
      expect(y > 1, variant).toBe(!/^workgroup( 128x128)?$/.test(variant)); // whose tiles are higher
      if (!variant.startsWith('workgroup') || !context.software) {
        // half a minute on a software adapter
        context.record(...dispatches);
        const values = await output.read();
        expect(
          values.findIndex((value, i) => value !== 2 * a[i]!),
          variant,
        ).toBe(-1);
      }
      for (const tensor of [ta, tb, output]) tensor.destroy();
    }
  });

  test('a variant that does not exist or does not run here is refused by name', async () => {
    const tensor = defaultContext().tensor([4, 4]);
    const output = defaultContext().tensor([4, 4]);
    const forced = (variant: string, adapterInfo: object) =>
      Object.create(defaultContext(), {
        variants: { value: { matmul: variant } },
        origin: { value: { ...defaultContext().origin, adapterInfo } },
      }) as Context;
    const operands = { a: tensor, b: tensor, output };
    expect(() => matmul(forced('fast', {}), operands)).toThrow(
      'no variant "fast"; it has naive, register, quad, workgroup',
    );
    const eight = {
      vendor: 'x',
      architecture: '',
      device: '',
      description: '',
      subgroupMinSize: 8,
      subgroupMaxSize: 8,
    };
    expect(() => matmul(forced('quad', eight), operands)).toThrow('needs subgroups of four');
    tensor.destroy();
    output.destroy();
  });

  describe('errors name what does not fit', () => {
    const check = (shapes: { a: number[]; b: number[]; output: number[]; bias?: number[] }, more = {}) => {
      const context = defaultContext();
      const [first, second] = [context.tensor([64]), context.tensor([64])];
      const view = (buffer: GPUBuffer, shape: number[]): TensorView => ({
        buffer,
        offset: 0,
        shape,
        dtype: 'f32',
      });
      const { a, b, output, bias } = shapes;
      try {
        matmul(context, {
          a: view(first.buffer, a),
          b: view(first.buffer, b),
          output: view(second.buffer, output),
          ...(bias ? { bias: view(first.buffer, bias) } : {}),
          ...more,
        });
      } finally {
        first.destroy();
        second.destroy();
      }
    };

    test('inner dimensions', () => {
      expect(() => check({ a: [2, 3], b: [4, 5], output: [2, 5] })).toThrow(
        'matmul: inner dimensions differ: a is [2,3], b is [4,5]; K is 3 and 4',
      );
      expect(() => check({ a: [2, 3], b: [4, 3], output: [2, 4] }, { transposeB: true })).not.toThrow();
    });
    test('output', () => {
      expect(() => check({ a: [2, 3], b: [3, 5], output: [5, 2] })).toThrow(
        'matmul: output must be [2,5], got shape [5,2]',
      );
    });
    test('bias', () => {
      expect(() => check({ a: [2, 3], b: [3, 5], output: [2, 5], bias: [2] })).toThrow(
        'bias must have 5 elements',
      );
    });
    test('rank', () => {
      expect(() => check({ a: [6], b: [3, 5], output: [2, 5] })).toThrow('a must be a matrix, got shape [6]');
    });
    test('both transposed', () => {
      expect(() =>
        check({ a: [3, 2], b: [5, 3], output: [2, 5] }, { transposeA: true, transposeB: true }),
      ).toThrow('transpose one');
    });
    test('output in an input buffer', () => {
      const context = defaultContext();
      const tensor = context.tensor([4, 4]);
      expect(() => matmul(context, { a: tensor, b: tensor, output: tensor })).toThrow('same GPUBuffer');
      tensor.destroy();
    });
  });
});
