/** Hessian-vector products: against float64, against differences of the GPU's own gradients, and what holds of any Hessian. */
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/base/errors.ts';
import type { ImageDataset } from '../../../src/io/dataset.ts';
import {
  directionOf,
  HessianVector,
  hessianVectorGraph,
  type SecondOrder,
} from '../../../src/nn/hessian-vector.ts';
import { conv, linear, norm } from '../../../src/nn/layers.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { resnet } from '../../../src/nn/models/resnet.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { compile } from '../../../src/nn/program.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { elementCount } from '../../../src/runtime/kernel.ts';
import { Scope } from '../../../src/runtime/scope.ts';
import { type SecondOrderReference, secondOrderReference } from '../../reference/hessian-vector.ts';
import { plausibleValues } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';
import { expectClose, normals } from '../../support/numbers.ts';

const context = useContext();

type Values = Map<string, Float32Array>;
type Arrays = ReadonlyMap<string, ArrayLike<number>>;

const NORMALISATION = { mean: [0.4], std: [0.25] };

function dataset(count: number, [channels, height, width]: readonly [number, number, number]): ImageDataset {
  const images = new Uint8Array(count * channels * height * width).map(
    (_, i) => (i * 89 + (i >> 3) * 31 + (i >> 7) * 57) % 256,
  );
  const labels = new Uint8Array(count).map((_, i) => (i * 7 + (i >> 2)) % 3);
  return { name: 'tiny', count, channels, height, width, classes: 3, images, labels };
}

function directionFor(model: Model, purpose: string): Values {
  return new Map(
    stateEntries(model).map(({ name, shape }) => [name, normals(elementCount(shape), `${purpose} ${name}`)]),
  );
}

interface Case {
  readonly model: Model;
  readonly images: ImageDataset;
  readonly values: Values;
  readonly leaves: Map<string, ArrayLike<number>>;
}

function caseOf(model: Model, images: ImageDataset): Case {
  const values = plausibleValues(model, 3);
  const table = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - 0.4) / 0.25);
  const leaves = new Map<string, ArrayLike<number>>([
    ...values,
    ['images', Float32Array.from(images.images, (byte) => table[byte]!)],
    ['labels', images.labels],
  ]);
  return { model, images, values, leaves };
}

/** Whatever `body` asks, of a network of these values; everything is freed. */
async function differentiate<T>(
  { model, images, values }: Case,
  body: (hessian: HessianVector, arena: Arena) => Promise<T>,
  options: { variables?: 'all'; batchSize?: number } = {},
): Promise<T> {
  const scope = new Scope();
  try {
    const data = scope.own(new GpuDataset(context(), images, NORMALISATION));
    const arena = scope.own(new Arena(context(), new ArenaLayout(stateEntries(model))));
    arena.write(values);
    const hessian = scope.own(new HessianVector(context(), { model, arenas: [arena], data, ...options }));
    return await body(hessian, arena);
  } finally {
    scope.destroy();
  }
}

function inner(a: Arrays, b: Arrays): number {
  let total = 0;
  for (const [name, values] of a)
    for (let i = 0; i < values.length; i++) total += values[i]! * b.get(name)![i]!;
  return total;
}

/** |a - b| / |b|, over all entries of b. */
function relativeDistance(a: Arrays, b: Arrays): number {
  const difference = new Map(
    [...b].map(([name, values]) => [name, Float64Array.from(values, (x, i) => a.get(name)![i]! - x)]),
  );
  return Math.sqrt(inner(difference, difference) / inner(b, b));
}

/** Sums of up to 100 terms through a dozen operations, there and back twice: some hundred roundings of 6e-8, most of which cancel. */
function expectSecondOrder(actual: SecondOrder, expected: SecondOrderReference): void {
  expect(Math.abs(actual.loss / expected.loss - 1)).toBeLessThan(1e-6);
  expect([...actual.product.keys()]).toEqual([...expected.product.keys()]);
  expect(relativeDistance(actual.gradient, expected.gradient)).toBeLessThan(5e-6);
  expect(relativeDistance(actual.product, expected.product)).toBeLessThan(5e-6);
}

/** Everything smooth: convolutions, batch norm with running statistics, layer norm, pools, a residual connection. */
const smooth: Model = {
  name: 'a smooth convolutional network',
  inputShape: [1, 6, 6],
  classes: 3,
  assumptions: [],
  forward(images, pass) {
    const stem = ops.tanh(norm(conv(images, 'conv1', 4), 'bn1', 'batch', pass));
    const inside = ops.softplus(norm(conv(stem, 'conv2', 4, { bias: true }), 'ln2', 'layer', pass));
    const pooled = ops.averagePool(ops.add(stem, inside), 2);
    const last = ops.gelu(norm(conv(pooled, 'conv3', 6, { stride: 2 }), 'bn3', 'batch', pass));
    return linear(ops.globalAveragePool(last), 'head', 3);
  },
};

const small = [1, 3, 2] as const;
const CASES: readonly Case[] = [
  ...(['tanh', 'softplus', 'gelu'] as const).map((activation) =>
    caseOf(mlp({ widths: [6, 8, 7, 3], activation }), dataset(30, small)),
  ),
  caseOf(mlp({ widths: [6, 8, 7, 3], activation: 'tanh', norm: 'batch' }), dataset(30, small)),
  caseOf(mlp({ widths: [6, 8, 3], activation: 'softplus', norm: 'layer' }), dataset(30, small)),
  caseOf(smooth, dataset(10, [1, 6, 6])),
];

describe('HessianVector', () => {
  for (const each of CASES) {
    it(`of ${each.model.name} agrees with float64, and is symmetric`, async () => {
      const [v, u] = [directionFor(each.model, 'v'), directionFor(each.model, 'u')];
      const [alongV, alongU] = await differentiate(
        each,
        async (hessian) => [await hessian.along(v), await hessian.along(u)] as const,
        { batchSize: 7 },
      );
      const expected = secondOrderReference(each.model, each.leaves, v, each.images.count);
      expectSecondOrder(alongV, expected);
      const [uhv, vhu] = [inner(alongV.product, u), inner(alongU.product, v)];
      expect(Math.abs(uhv / vhu - 1)).toBeLessThan(1e-4);
      expect(alongV.slope).toBe(inner(alongV.gradient, v));
      expect(alongV.curvature).toBe(inner(alongV.product, v));
    });
  }

  it('of a network with ReLUs and max-pools is that of the piece it is on', async () => {
    const residual = resnet({
      ...{ name: 'a small ResNet', inputShape: [1, 8, 8], channels: 4, blocks: [1, 1], classes: 3 },
      ...{ shortcut: 'conv1x1', norm: 'batch', stemKernelSize: 7 },
    });
    const each = caseOf(residual, dataset(6, [1, 8, 8]));
    const v = directionFor(residual, 'v');
    const expected = secondOrderReference(residual, each.leaves, v, 6, 'parameters', 1e-7);
    expect(expected.crossesKink).toBe(false);
    expectSecondOrder(await differentiate(each, (hessian) => hessian.along(v)), expected);
  });

  it('differentiates by running statistics where it is told to, and by nothing but parameters otherwise', async () => {
    const each = CASES.find(({ model }) => model === smooth)!;
    const v = directionFor(smooth, 'v');
    const expected = secondOrderReference(smooth, each.leaves, v, each.images.count, 'all');
    const all = await differentiate(each, (hessian) => hessian.along(v), { variables: 'all' });
    expectSecondOrder(all, expected);
    expect([...all.product.keys()]).toContain('bn1.running_var');
    const trained = await differentiate(each, (hessian) => hessian.along(v));
    expect([...trained.product.keys()].filter((name) => name.includes('running'))).toEqual([]);
    expect(relativeDistance(all.gradient, trained.gradient)).toBe(0);
    expect(relativeDistance(all.product, trained.product)).toBeGreaterThan(0.01);
  });

  it('agrees with central differences of the gradient on the GPU', async () => {
    const each = CASES[0]!;
    const v = directionFor(each.model, 'v');
    const step = 2e-3;
    const { exact, differences } = await differentiate(each, async (hessian, arena) => {
      const gradientAt = async (by: number) => {
        arena.write(
          new Map([...each.values].map(([name, x]) => [name, x.map((w, i) => w + by * v.get(name)![i]!)])),
        );
        return (await hessian.along(v)).gradient;
      };
      const [ahead, behind] = [await gradientAt(step), await gradientAt(-step)];
      arena.write(each.values);
      const { product } = await hessian.along(v);
      return {
        exact: product,
        differences: new Map(
          [...ahead].map(([name, g]) => [name, g.map((x, i) => (x - behind.get(name)![i]!) / (2 * step))]),
        ),
      };
    });
    // Of a step h in f32: 6e-8 |g| / h and h^2 / 6 times the third derivative along v (|v| is 12): some 1e-4 each.
    expect(relativeDistance(differences, exact)).toBeLessThan(1e-3);
  });

  it('does not depend on the batch size but for the roundings of a batch', async () => {
    const each = caseOf(mlp({ widths: [6, 8, 7, 3], activation: 'tanh' }), dataset(203, small));
    const v = directionFor(each.model, 'v');
    const seen: number[] = [];
    const along = (batchSize: number) =>
      differentiate(each, (hessian) => hessian.along(v, { onProgress: (done) => seen.push(done) }), {
        batchSize,
      });
    const [whole, parts, single] = [await along(203), await along(50), await along(1)];
    expect(seen.slice(0, 6)).toEqual([203, 50, 100, 150, 200, 203]);
    for (const other of [parts, single]) {
      // (203 + 100) 2^-24 = 2e-5 of the sums of |terms| is the bound; roundings cancel to about its root's share.
      expect(relativeDistance(other.product, whole.product)).toBeLessThan(5e-6);
      expect(relativeDistance(other.gradient, whole.gradient)).toBeLessThan(5e-6);
      expect(Math.abs(other.loss / whole.loss - 1)).toBeLessThan(1e-6);
    }
  });

  it('stops when aborted, refuses images and vectors that do not fit, and frees everything', async () => {
    const each = CASES[0]!;
    const v = directionFor(each.model, 'v');
    const controller = new AbortController();
    const aborted = differentiate(
      each,
      (hessian) => hessian.along(v, { signal: controller.signal, onProgress: () => controller.abort() }),
      { batchSize: 7 },
    );
    await expect(aborted).rejects.toThrow(/abort/i);
    const short = new Map([...v, ['fc2.bias', new Float32Array(3)] as const]);
    await expect(differentiate(each, (hessian) => hessian.along(short))).rejects.toThrow(/"fc2.bias"/);
    const other = { ...each, images: dataset(5, [1, 6, 6]) };
    await expect(differentiate(other, async () => {})).rejects.toThrow(ShapeError);
    const data = new GpuDataset(context(), each.images, NORMALISATION);
    expect(() => new HessianVector(context(), { model: each.model, arenas: [], data })).toThrow(ShapeError);
    data.destroy();
  });
});

describe('hessianVectorGraph', () => {
  it('is exact on a quadratic: H v is M v wherever the weights are', async () => {
    const n = 37;
    const root = normals(n * n, 'a matrix');
    const symmetric = Float32Array.from(root, (x, k) => x + root[(k % n) * n + Math.floor(k / n)]!);
    const slope = normals(n, 'a slope');
    const x = ops.parameter('x', [1, n]);
    const square = ops.sum(ops.multiply(ops.matmul(x, ops.buffer('M', [n, n])), x), 1);
    const loss = ops.sum(
      ops.add(ops.scale(square, 0.5), ops.sum(ops.multiply(x, ops.buffer('slope', [1, n])), 1)),
      0,
    );
    const { gradient, product } = hessianVectorGraph(loss);
    const layout = new ArenaLayout([
      { name: 'x', shape: [1, n] },
      { name: 'M', shape: [n, n] },
      { name: 'slope', shape: [1, n] },
    ]);
    const arena = new Arena(context(), layout);
    const program = compile(context(), {
      outputs: { gradient: gradient.get('x')!, product: product.get('x')! },
      arenas: [arena],
      batchSize: 1,
    });
    const v = normals(n, 'v');
    const times = (w: Float32Array) =>
      Float64Array.from({ length: n }, (_, i) =>
        w.reduce((sum, wj, j) => sum + symmetric[i * n + j]! * wj, 0),
      );
    for (const place of [1, 30]) {
      const at = normals(n, 'place').map((value) => place * value);
      arena.write(
        new Map([
          ['x', at],
          ['M', symmetric],
          ['slope', slope],
        ]),
      );
      context().write(program.input(directionOf('x')), v);
      program.run();
      // Two sums of 37 terms of size up to 10, halved and added: 80 roundings of 6e-8 of that.
      expectClose(await context().read(program.output('product')), times(v), 5e-5);
      expectClose(
        await context().read(program.output('gradient')),
        times(at).map((value, i) => value + slope[i]!),
        place * 5e-5,
      );
    }
    program.destroy();
    arena.destroy();
  });
});
