/** Sweeps of one-sided Jacobi: what rotations keep and what they bring about in float64, all variants bit for bit, and what is refused. */
import { describe, expect, test } from 'vitest';
import {
  cosineTolerance,
  type OrthogonaliseRowsCall,
  orthogonaliseRows,
} from '../../../src/kernels/svd/orthogonalise-rows.ts';
import { hasQuads, TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { TensorView } from '../../../src/runtime/kernel.ts';
import { useContext } from '../../support/context.ts';
import { type Memory, useMemory } from '../../support/memory.ts';
import { bitsOf, expectClose, normals } from '../../support/numbers.ts';

const forced = TILED_VARIANTS.map((variant) => {
  const context = useContext({ variants: { svd: variant } });
  return { variant, context, memory: useMemory(context) };
});

interface Runner {
  readonly context: () => Context;
  readonly memory: Memory;
}

const runners = () => forced.filter(({ variant, context }) => variant !== 'quad' || hasQuads(context()));
const fast: Runner = forced[1]!;

interface Case {
  readonly matrices: number;
  readonly rows: number;
  readonly length: number;
  readonly stride: number;
  /** [matrices, rows, stride] */
  readonly vectors: Float32Array;
}

interface Result {
  readonly vectors: Float32Array;
  readonly cosines: Float32Array;
}

async function sweeps(
  { context, memory }: Runner,
  given: Case,
  count = 1,
  tolerance?: number,
): Promise<Result> {
  const { matrices, rows, stride } = given;
  const vectors = memory.input(given.vectors, [matrices, rows, stride]);
  const cosines = memory.output([matrices, rows / 8]);
  const chosen = tolerance === undefined ? {} : { tolerance };
  for (let sweep = 0; sweep < count; sweep++)
    context().record(...orthogonaliseRows(context(), { ...given, ...chosen, vectors, cosines }));
  return { vectors: await memory.read(vectors), cosines: await memory.read(cosines) };
}

/** [A | I] of normal numbers. The last `padding` rows are zeros but for their row of I. */
function withUnit(matrices: number, rows: number, length: number, padding = 0): Case {
  const stride = length + rows;
  const values = normals(matrices * rows * length, `rows ${rows} ${length}`);
  const vectors = new Float32Array(matrices * rows * stride);
  for (let row = 0; row < matrices * rows; row++) {
    const own = values.subarray(row * length, (row + 1) * length);
    if (row % rows < rows - padding) vectors.set(own, row * stride);
    vectors[row * stride + length + (row % rows)] = 1;
  }
  return { matrices, rows, length, stride, vectors };
}

/** Columns from `start` to `end` of one row. */
function rowOf({ rows, stride }: Case, values: Float32Array, matrix: number, row: number): Float32Array {
  const at = (matrix * rows + row) * stride;
  return values.subarray(at, at + stride);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** How many elements differ in their bits. */
function differences(x: Float32Array, y: Float32Array): number {
  const [p, q] = [bitsOf(x), bitsOf(y)];
  return p.reduce((count, word, i) => count + (word === q[i] ? 0 : 1), Math.abs(p.length - q.length));
}

const SIZES: readonly [matrices: number, rows: number, length: number, padding: number][] = [
  [1, 8, 4, 0],
  [1, 8, 36, 3],
  [3, 16, 128, 0],
  [1, 24, 132, 5],
  [2, 40, 516, 1],
  [1, 64, 20, 0],
];

describe('orthogonaliseRows', () => {
  test.each(SIZES)(
    '%i of %i rows, length %i: the same bits in every variant, and rotations in float64',
    async (matrices, rows, length, padding) => {
      const given = withUnit(matrices, rows, length, padding);
      const expected = await sweeps(fast, given, 2);
      for (const runner of runners()) {
        const { vectors, cosines } = await sweeps(runner, given, 2);
        expect(differences(vectors, expected.vectors), runner.variant).toBe(0);
        expect(differences(cosines, expected.cosines), runner.variant).toBe(0);
      }
      // u = 2^-24. A row is turned `visits` times. x comes from 7 steps of two fma an element, its rotations orthogonal within 4 u:
      // 7 (2 + 4) u, for rows and columns of J J^T. What is turned is summed in 8 fma of at most sqrt(8) times the largest row: 23 u.
      const visits = 2 * (rows / 4 - 1);
      for (let matrix = 0; matrix < matrices; matrix++) {
        const a = Array.from({ length: rows }, (_, i) => rowOf(given, given.vectors, matrix, i));
        const turned = Array.from({ length: rows }, (_, i) => rowOf(given, expected.vectors, matrix, i));
        const largest = Math.max(...a.map((row) => Math.sqrt(dot(row, row))));
        for (const [i, row] of turned.entries()) {
          const j = row.subarray(length);
          for (let other = 0; other < rows; other++) {
            const product = dot(j, turned[other]!.subarray(length)) - (i === other ? 1 : 0);
            expect(Math.abs(product)).toBeLessThan(2 * visits * (42 + 23) * 2 ** -24);
          }
          const image = row.slice(0, length);
          const exact = image.map((_, k) =>
            dot(
              j,
              Array.from(a, (source) => source[k]!),
            ),
          );
          expectClose(image, exact, visits * 2 * 23 * 2 ** -24 * largest);
        }
      }
    },
  );

  test('rows come to be orthogonal, and then nothing changes any more', async () => {
    const given = withUnit(2, 24, 72, 3);
    const { cosines, vectors } = await sweeps(fast, given, 9);
    expect(Math.max(...cosines)).toBeLessThanOrEqual(cosineTolerance(72));
    expect(Math.max(...(await sweeps(fast, given, 4)).cosines)).toBeGreaterThan(cosineTolerance(72));
    const again = await sweeps(fast, { ...given, vectors }, 1);
    expect(differences(again.vectors, vectors)).toBe(0);
    for (let i = 0; i < 21; i++) {
      for (let j = 0; j < i; j++) {
        const [x, y] = [i, j].map((row) => rowOf(given, vectors, 1, row).subarray(0, 72));
        const cosine = dot(x!, y!) / Math.sqrt(dot(x!, x!) * dot(y!, y!));
        expect(Math.abs(cosine)).toBeLessThan(2 * cosineTolerance(72)); // computed within the tolerance, and at most the tolerance
      }
    }
  });

  test('the largest cosine is that of the rows as they come', async () => {
    const given = withUnit(5, 8, 300);
    for (const runner of runners()) {
      const { cosines } = await sweeps(runner, given);
      const exact = Array.from({ length: 5 }, (_, matrix) => {
        const rows = Array.from({ length: 8 }, (_, i) =>
          rowOf(given, given.vectors, matrix, i).subarray(0, 300),
        );
        const all = rows.flatMap((x, i) =>
          rows.slice(0, i).map((y) => Math.abs(dot(x, y)) / Math.sqrt(dot(x, x) * dot(y, y))),
        );
        return Math.max(...all);
      });
      // cosineTolerance covers the dot products and four roundings more: two roots, their product and the quotient
      expectClose(cosines, exact, cosineTolerance(300) + 4 * 2 ** -24);
    }
  });

  test('each two rows meet in a sweep, and turn by the angle of Hestenes', async () => {
    // matrix k has two rows, in any two of six blocks; norms 1 and 1, 1000, 10^-6; cosines of both signs
    const pairs: { low: number; high: number; size: number; cosine: number }[] = [];
    for (let low = 0; low < 24; low += 5) {
      for (let high = low + 1; high < 24; high += 3) {
        for (const size of [1.25, 1e3, 1e-6])
          pairs.push({ low, high, size, cosine: (pairs.length % 2 ? -1 : 1) * 0.3 });
      }
    }
    const [rows, length, stride] = [24, 4, 8];
    const vectors = new Float32Array(pairs.length * rows * stride);
    for (const [matrix, { low, high, size, cosine }] of pairs.entries()) {
      const sine = Math.sqrt(1 - cosine * cosine);
      vectors.set([0, 1, 0, 0, 1, 0], (matrix * rows + low) * stride);
      vectors.set([0, size * cosine, 0, size * sine, 0, 1], (matrix * rows + high) * stride);
    }
    const given = { matrices: pairs.length, rows, length, stride, vectors };
    for (const runner of runners()) {
      const result = await sweeps(runner, given);
      for (const [matrix, { low, high }] of pairs.entries()) {
        const [p, q] = [low, high].map((row) => Float64Array.from(rowOf(given, vectors, matrix, row)));
        const [pp, qq, pq] = [
          dot(p!.slice(0, 4), p!.slice(0, 4)),
          dot(q!.slice(0, 4), q!.slice(0, 4)),
          dot(p!.slice(0, 4), q!.slice(0, 4)),
        ];
        const angle = Math.atan2(2 * pq, qq - pp) / 2;
        const small = Math.abs(angle) > Math.PI / 4 ? angle - (Math.sign(angle) * Math.PI) / 2 : angle;
        const [c, s] = [Math.cos(small), Math.sin(small)];
        // The angle is off by at most the error of pq over the length of (qq - pp, 2 pq), which is least for norms 1 and 1.25: 0.9.
        const allowed = 20 * 2 ** -24;
        const own = p!.map((value, k) => c * value - s * q![k]!);
        const other = q!.map((value, k) => c * value + s * p![k]!);
        const sizeOf = (row: Float64Array) => Math.sqrt(dot(row, row));
        expectClose(rowOf(given, result.vectors, matrix, low), own, allowed * (1 + sizeOf(q!)));
        expectClose(rowOf(given, result.vectors, matrix, high), other, allowed * (1 + sizeOf(q!)));
        const noted = result.cosines.subarray(matrix * 3, matrix * 3 + 3);
        expect(Math.abs(Math.max(...noted) - 0.3)).toBeLessThan(1e-6);
      }
    }
  });

  test('rows that are orthogonal enough, of zeros, or tiny are left alone, bit for bit', async () => {
    const [rows, length, stride] = [16, 8, 8];
    const vectors = new Float32Array(rows * stride);
    vectors.set([1, 0, 0, 0, -0, 1e-40, 0, 0], 0);
    vectors.set([0.9e-5, 1, 0, 0, 0, 0, 0, 0], stride); // |cosine| 0.9e-5 with row 0
    vectors.set([1e-13, 1e-13, 0, 0, 0, 0, 0, 0], 9 * stride); // |cosine| 0.7 with row 0
    const given = { matrices: 1, rows, length, stride, vectors };
    for (const runner of runners()) {
      const result = await sweeps(runner, given, 1, 1e-5);
      expect(differences(result.vectors, vectors)).toBe(0);
      expect(Math.max(...result.cosines)).toBeCloseTo(0.9e-5, 9);
      const turned = await sweeps(runner, given, 1, 0.8e-5);
      expect(differences(turned.vectors, vectors)).toBeGreaterThan(0);
    }
  });

  test('more pairs than a grid has workgroups along one axis', () => {
    for (const { variant, context } of runners()) {
      const [matrices, rows, length, stride] = [100_000, 32, 4, 4];
      const dispatches = orthogonaliseRows(context(), {
        ...{ matrices, rows, length, stride, vectors: view([matrices, rows, stride]) },
        cosines: view([matrices, rows / 8]),
      });
      expect(dispatches).toHaveLength(7);
      for (const { workgroups } of dispatches) {
        expect(Math.max(...workgroups), variant).toBeLessThanOrEqual(65535);
        expect(workgroups[1], variant).toBeGreaterThan(1);
      }
    }
  });
});

const view = (shape: readonly number[]): TensorView => ({
  ...{ buffer: {} as GPUBuffer, offset: 0, shape, dtype: 'f32' },
});

test('errors name what does not fit', () => {
  const call = (change: Partial<OrthogonaliseRowsCall> = {}, context: Context = fast.context()) =>
    orthogonaliseRows(context, {
      ...{ matrices: 2, rows: 16, length: 8, stride: 24, vectors: view([2, 16, 24]), cosines: view([2, 2]) },
      ...change,
    });
  expect(call()).toHaveLength(3);
  expect(() => call({ rows: 12 })).toThrow(
    'orthogonaliseRows: rows / 8 must be an integer of at least 1, got 1.5',
  );
  expect(() => call({ length: 6 })).toThrow('length / 4 must be an integer');
  expect(() => call({ stride: 22 })).toThrow('stride / 4 must be an integer');
  expect(() => call({ length: 28 })).toThrow('stride - length must be an integer of at least 0, got -4');
  expect(() => call({ matrices: 0 })).toThrow('matrices must be an integer of at least 1');
  expect(() => call({ vectors: view([2, 16, 20]) })).toThrow('vectors must have 768 elements');
  expect(() => call({ cosines: view([4, 2]) })).toThrow('cosines must have 4 elements');
  const vectors = view([2, 16, 24]);
  expect(() => call({ vectors, cosines: { ...view([4]), buffer: vectors.buffer } })).toThrow(
    'same GPUBuffer',
  );
  const strange = Object.create(fast.context(), { variants: { value: { svd: 'fast' } } }) as Context;
  expect(() => call({}, strange)).toThrow('orthogonaliseRows: no variant "fast"');
});
