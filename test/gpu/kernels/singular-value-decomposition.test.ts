/** Singular value decompositions against ml-matrix in float64, on awkward, deficient and badly scaled matrices. */
import { SingularValueDecomposition as Float64Decomposition, Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import {
  type SingularValueDecomposition,
  singularValueDecomposition,
  singularValueDecompositions,
} from '../../../src/kernels/svd/singular-value-decomposition.ts';
import { hasQuads, TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import { useContext } from '../../support/context.ts';
import { bitsOf, normals } from '../../support/numbers.ts';

const context = useContext();
const forced = TILED_VARIANTS.map((variant) => useContext({ variants: { svd: variant } }));

function referenceValues(matrix: Float32Array, rows: number, columns: number): number[] {
  const a = Matrix.from1DArray(rows, columns, matrix);
  return new Float64Decomposition(rows < columns ? a.transpose() : a, {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
  }).diagonal;
}

/** A Gaussian matrix. */
const gaussian = (rows: number, columns: number) => normals(rows * columns, `gaussian ${rows} x ${columns}`);

/** A matrix of `rank` Gaussian products, the k-th `decay` times smaller than the one before. */
function product(rows: number, columns: number, rank: number, decay = 1): Float32Array {
  const [left, right] = [normals(rows * rank, 'left'), normals(columns * rank, 'right')];
  const matrix = new Float64Array(rows * columns);
  let weight = 1;
  for (let k = 0; k < rank; k++, weight *= decay) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++)
        matrix[i * columns + j]! += weight * left[i * rank + k]! * right[j * rank + k]!;
    }
  }
  return Float32Array.from(matrix);
}

/** The largest |Gram matrix - I| of the columns that are kept, in float64. */
function orthogonality(side: Float32Array, columns: number, kept = columns): number {
  let worst = 0;
  for (let i = 0; i < kept; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? -1 : 0;
      for (let at = 0; at < side.length; at += columns) sum += side[at + i]! * side[at + j]!;
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

/** ||A - U S V^T|| / ||A|| in float64. */
function residual(
  matrix: Float32Array,
  rows: number,
  columns: number,
  found: SingularValueDecomposition,
): number {
  const { u, singularValues, v } = found;
  const r = singularValues.length;
  let [difference, all] = [0, 0];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let value = 0;
      for (let k = 0; k < r; k++) value += u[i * r + k]! * singularValues[k]! * v[j * r + k]!;
      const a = matrix[i * columns + j]!;
      difference += (a - value) * (a - value);
      all += a * a;
    }
  }
  return Math.sqrt(difference / all);
}

interface Expectation {
  /** Relative to the largest singular value, for those that float32 cannot know relative to themselves. Default: 0. */
  readonly absolute?: number;
  /** Vectors whose singular value is not 0. Default: all. */
  readonly kept?: number;
}

/** All that every decomposition promises, and singular values within 1e-4 of float64. */
function expectDecomposition(
  matrix: Float32Array,
  [rows, columns]: readonly [number, number],
  found: SingularValueDecomposition,
  { absolute = 0, kept = Math.min(rows, columns) }: Expectation = {},
): void {
  const r = Math.min(rows, columns);
  const expected = referenceValues(matrix, rows, columns);
  expect(found.singularValues).toHaveLength(r);
  for (const [i, sigma] of found.singularValues.entries()) {
    const allowed = Math.max(1e-4 * expected[i]!, absolute * expected[0]!);
    expect(
      Math.abs(sigma - expected[i]!),
      `singular value ${i}: ${sigma}, ${expected[i]}`,
    ).toBeLessThanOrEqual(allowed);
    if (i > 0) expect(sigma).toBeLessThanOrEqual(found.singularValues[i - 1]!);
  }
  expect([found.u.length, found.v.length]).toEqual([rows * r, columns * r]);
  const exact = {
    residual: residual(matrix, rows, columns, found),
    u: orthogonality(found.u, r, kept),
    v: orthogonality(found.v, r, kept),
  };
  expect(exact.residual).toBeLessThan(1e-5);
  expect(exact.u).toBeLessThan(1e-4);
  expect(exact.v).toBeLessThan(1e-4);
  // measured in f32: sums of up to 784 products of vectors of length 1
  expect(Math.abs(found.residual - exact.residual)).toBeLessThan(1e-5);
  expect(Math.abs(found.orthogonality.u - exact.u)).toBeLessThan(1e-5);
  expect(Math.abs(found.orthogonality.v - exact.v)).toBeLessThan(1e-5);
  expect(found.converged).toBe(true);
  for (let k = 0; k < kept; k++) {
    const column = found.u.filter((_, at) => at % r === k);
    const largest = column.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
    expect(largest, `sign of vector ${k}`).toBeGreaterThan(0);
  }
}

describe('singularValueDecomposition', () => {
  test.each([
    [1, 1],
    [1, 7],
    [7, 1],
    [3, 5],
    [9, 9],
    [17, 40],
    [40, 17],
    [8, 129],
    [33, 8],
    [65, 67],
    [64, 576],
    [10, 512],
  ])('%i x %i, Gaussian', async (rows, columns) => {
    const matrix = gaussian(rows, columns);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    expectDecomposition(matrix, [rows, columns], found);
    expect(found.rank).toBe(Math.min(rows, columns));
  });

  test('512 x 784, Gaussian', async () => {
    const [rows, columns] = [512, 784];
    const matrix = gaussian(rows, columns);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    const expected = referenceValues(matrix, rows, columns);
    for (const [i, sigma] of found.singularValues.entries())
      expect(Math.abs(sigma / expected[i]! - 1)).toBeLessThan(1e-4);
    expect(found.residual).toBeLessThan(1e-5);
    expect(found.orthogonality.u).toBeLessThan(1e-4);
    expect(found.orthogonality.v).toBeLessThan(1e-4);
    expect(found).toMatchObject({ rank: 512, converged: true });
  });

  test('every variant gives the same bits', async () => {
    const [rows, columns] = [19, 45];
    const matrix = gaussian(rows, columns);
    const expected = await singularValueDecomposition(context(), { matrix, rows, columns });
    for (const [at, variant] of TILED_VARIANTS.entries()) {
      const own = forced[at]!();
      if (variant === 'quad' && !hasQuads(own)) continue;
      expect(await singularValueDecomposition(own, { matrix, rows, columns })).toEqual(expected);
    }
  });

  test('the transpose has the same values, and the vectors of the other side', async () => {
    const [rows, columns] = [12, 30];
    const matrix = gaussian(rows, columns);
    const turned = matrix.map((_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]!);
    const wide = await singularValueDecomposition(context(), { matrix, rows, columns });
    const tall = await singularValueDecomposition(context(), {
      matrix: turned,
      rows: columns,
      columns: rows,
    });
    expect(tall.singularValues).toEqual(wide.singularValues);
    for (let k = 0; k < rows; k++) {
      const sign = Math.sign(tall.v[k]! * wide.u[k]!);
      for (let i = 0; i < columns; i++) expect(tall.u[i * rows + k]).toBe(sign * wide.v[i * rows + k]!);
      for (let i = 0; i < rows; i++) expect(tall.v[i * rows + k]).toBe(sign * wide.u[i * rows + k]!);
    }
  });

  test.each([
    ['rank 10 of 48', [48, 80], 10],
    ['rank 10 of 48, tall', [80, 48], 10],
    ['one direction', [20, 33], 1],
  ] as const)('%s: what is beyond the rank is noise, and still orthogonal', async (_, shape, rank) => {
    const [rows, columns] = shape;
    const matrix = product(rows, columns, rank);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    // the float32 entries themselves were rounded: their smaller singular values are up to about sqrt(80) 2^-24 of the largest
    expectDecomposition(matrix, shape, found, { absolute: 1e-6 });
    expect(found.rank).toBe(rank);
  });

  test('singular values over six decades', async () => {
    const [rows, columns] = [40, 64];
    const matrix = product(rows, columns, 40, 0.7);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    expectDecomposition(matrix, [rows, columns], found, { absolute: 1e-6 });
  });

  test('rows over twelve decades keep their accuracy, each relative to its own size', async () => {
    const [rows, columns] = [12, 20];
    let size = 1;
    const factors = Array.from({ length: rows }, () => (size /= 10));
    const matrix = gaussian(rows, columns).map((value, at) => value * factors[Math.floor(at / columns)]!);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    expectDecomposition(matrix, [rows, columns], found);
    expect(found.singularValues[rows - 1]! / found.singularValues[0]!).toBeLessThan(1e-10);
  });

  test('equal rows: one direction less', async () => {
    const [rows, columns] = [24, 50];
    const matrix = gaussian(rows, columns);
    matrix.copyWithin(10 * columns, 11 * columns, 12 * columns);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    expectDecomposition(matrix, [rows, columns], found, { absolute: 1e-6 });
    expect(found.rank).toBe(23);
  });

  test('dead units: rows of zeros and columns of zeros', async () => {
    for (const [rows, columns] of [
      [24, 50],
      [50, 24],
    ] as const) {
      const matrix = gaussian(rows, columns);
      for (const row of [0, 3, 4, 17]) matrix.fill(0, row * columns, (row + 1) * columns);
      for (let at = 0; at < matrix.length; at++) if (at % columns === 5) matrix[at] = 0;
      const found = await singularValueDecomposition(context(), { matrix, rows, columns });
      const kept = rows < columns ? 20 : 23; // of the side that is rotated
      expect(found.rank).toBe(kept);
      expect(found.singularValues.filter((sigma) => sigma > 0)).toHaveLength(kept);
      expectDecomposition(matrix, [rows, columns], found, { kept, absolute: 1e-12 }); // the library has 1e-15 for 0
      const r = Math.min(rows, columns);
      const [longSide, shortSide] = rows < columns ? [found.v, found.u] : [found.u, found.v];
      const beyond = longSide.filter((_, at) => at % r >= kept);
      expect(beyond.every((value) => value === 0)).toBe(true);
      expect(orthogonality(shortSide, r)).toBeLessThan(1e-5); // completed
    }
  });

  test('a matrix of zeros, and one of one value', async () => {
    const zero = await singularValueDecomposition(context(), {
      ...{ matrix: new Float32Array(35), rows: 5, columns: 7 },
    });
    expect(zero).toMatchObject({ rank: 0, residual: 0, orthogonality: { u: 0, v: 0 }, converged: true });
    expect([...zero.singularValues]).toEqual([0, 0, 0, 0, 0]);
    expect(zero.v.every((value) => value === 0)).toBe(true);
    expect(orthogonality(zero.u, 5)).toBe(0);
    const ones = await singularValueDecomposition(context(), {
      ...{ matrix: new Float32Array(35).fill(-2), rows: 5, columns: 7 },
    });
    expect(ones.rank).toBe(1);
    expect(ones.singularValues[0]).toBeCloseTo(2 * Math.sqrt(35), 5);
  });

  test.each([1e-20, 1e15, 2e38, 1e-37])('entries of size %f', async (size) => {
    const [rows, columns] = [15, 31];
    const plain = gaussian(rows, columns);
    const largest = plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const matrix = plain.map((value) => (value / largest) * size);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    expectDecomposition(matrix, [rows, columns], found);
    expect(found.rank).toBe(15);
  });

  test('a power of two changes nothing but the values', async () => {
    const [rows, columns] = [9, 14];
    const matrix = gaussian(rows, columns);
    const found = await singularValueDecomposition(context(), { matrix, rows, columns });
    const scaled = await singularValueDecomposition(context(), {
      matrix: matrix.map((value) => value * 2 ** 60),
      ...{ rows, columns },
    });
    expect(scaled).toEqual({
      ...found,
      singularValues: found.singularValues.map((sigma) => sigma * 2 ** 60),
    });
  });

  test('permuting rows and columns leaves the values and permutes the vectors', async () => {
    const [rows, columns] = [21, 34];
    const matrix = gaussian(rows, columns);
    const permuted = matrix.map((_, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns];
      return matrix[((5 * i + 2) % rows) * columns + ((13 * j + 7) % columns)]!;
    });
    const [one, two] = await singularValueDecompositions(context(), {
      matrices: [matrix, permuted],
      ...{ rows, columns },
    });
    for (let k = 0; k < rows; k++) {
      expect(Math.abs(one!.singularValues[k]! - two!.singularValues[k]!)).toBeLessThan(
        1e-6 * one!.singularValues[0]!,
      );
      // the gaps of this matrix are wide enough for its vectors to be known to 1e-4
      for (let i = 0; i < rows; i++)
        expect(Math.abs(two!.u[i * rows + k]! - one!.u[((5 * i + 2) % rows) * rows + k]!)).toBeLessThan(1e-4);
    }
  });
});

describe('singularValueDecompositions', () => {
  test('side by side each has the bits that it has alone', async () => {
    const [rows, columns] = [26, 41];
    const matrices = [gaussian(rows, columns), new Float32Array(rows * columns), product(rows, columns, 3)];
    const together = await singularValueDecompositions(context(), { matrices, rows, columns });
    expect(together.map(({ sweeps }) => sweeps)).not.toEqual([1, 1, 1]);
    expect(together[1]!.sweeps).toBe(1);
    for (const [k, matrix] of matrices.entries())
      expect(together[k]).toEqual(await singularValueDecomposition(context(), { matrix, rows, columns }));
    expect(await singularValueDecompositions(context(), { matrices: [], rows, columns })).toEqual([]);
  });

  test('says how it goes, and that it has not converged where it may not go on', async () => {
    const [rows, columns] = [32, 40];
    const matrix = gaussian(rows, columns);
    const steps: number[] = [];
    const full = await singularValueDecomposition(context(), {
      ...{ matrix, rows, columns },
      onProgress: ({ sweep, maxSweeps, largestCosine }) => {
        expect([sweep, maxSweeps]).toEqual([steps.length + 1, 40]);
        steps.push(largestCosine);
      },
    });
    expect(steps).toHaveLength(full.sweeps);
    expect(steps.at(-1)).toBeLessThan(1e-5);
    expect(steps.at(-2)).toBeGreaterThan(2e-6);
    const cut = await singularValueDecomposition(context(), { matrix, rows, columns, maxSweeps: 2 });
    expect(cut).toMatchObject({ sweeps: 2, converged: false });
    expect(cut.orthogonality.v).toBeGreaterThan(1e-3); // and the report says so
    expect(cut.residual).toBeLessThan(1e-5);
  });

  test('can be stopped', async () => {
    const controller = new AbortController();
    const run = singularValueDecomposition(context(), {
      ...{ matrix: gaussian(32, 40), rows: 32, columns: 40, signal: controller.signal },
      onProgress: ({ sweep }) => sweep === 2 && controller.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
  });

  test('errors name what does not fit, before any work', async () => {
    const call = (change: object) =>
      singularValueDecompositions(context(), {
        matrices: [gaussian(3, 4), gaussian(3, 4)],
        ...{ rows: 3, columns: 4, ...change },
      });
    await expect(call({ rows: 0 })).rejects.toThrow(
      'singularValueDecompositions: rows must be an integer of at least 1',
    );
    await expect(call({ columns: 5 })).rejects.toThrow('matrix 0 must have 3 x 5 = 15 values, got 12');
    await expect(call({ maxSweeps: 0 })).rejects.toThrow('maxSweeps must be an integer of at least 1, got 0');
    const bad = gaussian(3, 4);
    bad[6] = Number.NaN;
    await expect(call({ matrices: [gaussian(3, 4), bad] })).rejects.toThrow(
      'matrix 1 has NaN in row 1, column 2',
    );
    const { maxStorageBufferBindingSize: most } = context().device.limits;
    const rows = Math.ceil(Math.sqrt(most / 4));
    await expect(
      call({
        rows,
        columns: rows,
        matrices: [{ length: rows * rows, findIndex: () => -1, entries: () => [] }],
      }),
    ).rejects.toThrow('in one piece');
  });
});

test('the bounds would notice a wrong vector', async () => {
  const [rows, columns] = [9, 14];
  const matrix = gaussian(rows, columns);
  const found = await singularValueDecomposition(context(), { matrix, rows, columns });
  expectDecomposition(matrix, [rows, columns], found);
  const copy = { ...found, v: found.v.slice() };
  copy.v[20]! += 2e-4;
  expect(bitsOf(copy.v)).not.toEqual(bitsOf(found.v));
  expect(() => expectDecomposition(matrix, [rows, columns], copy)).toThrow();
});
