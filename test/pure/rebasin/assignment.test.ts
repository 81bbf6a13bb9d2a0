import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { linearSumAssignment as npmAssignment } from 'linear-sum-assignment';
import { describe, expect, test } from 'vitest';
import { DataError, OptionError, ShapeError } from '../../../src/base/errors.ts';
import {
  type AssignmentResult,
  dualityGap,
  linearSumAssignment,
} from '../../../src/rebasin/assignment/assignment.ts';
import { identityPermutation, isPermutation } from '../../../src/rebasin/spec/permutation.ts';
import { bruteForceAssignment } from '../../reference/assignment.ts';

/** Uniform in [0, 1): mulberry32, so that failures repeat. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function fill(n: number, entry: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => entry(Math.floor(k / n), k % n));
}

/** Rounding errors of a solve: each of the n duals goes through at most about n updates of this magnitude. */
function tolerance(matrix: ArrayLike<number>, n: number): number {
  let largest = 0;
  for (let k = 0; k < matrix.length; k++) largest = Math.max(largest, Math.abs(matrix[k]!));
  return 2 ** -52 * n * n * largest;
}

/** The whole contract of a result: a permutation, its sum, feasible and complementary duals, no gap. */
function expectCertified(
  matrix: Float64Array | Float32Array,
  n: number,
  result: AssignmentResult,
  maximise = true,
) {
  const { assignment, duals } = result;
  const allowed = tolerance(matrix, n);
  expect(isPermutation(assignment)).toBe(true);
  let sum = 0;
  let worst = 0;
  for (let i = 0; i < n; i++) {
    sum += matrix[i * n + assignment[i]!]!;
    for (let j = 0; j < n; j++) {
      const slack = duals.rows[i]! + duals.columns[j]! - matrix[i * n + j]!;
      worst = Math.max(worst, maximise ? -slack : slack, j === assignment[i] ? Math.abs(slack) : 0);
    }
  }
  expect(result.objective).toBe(sum);
  expect(worst).toBeLessThanOrEqual(allowed);
  expect(Math.abs(dualityGap(matrix, n, result, maximise))).toBeLessThanOrEqual(allowed);
}

const entries = {
  real: fc.double({ min: -1, max: 1, noNaN: true }),
  integer: fc.integer({ min: -1000, max: 1000 }),
  tied: fc.integer({ min: 0, max: 2 }),
  negative: fc.double({ min: -10, max: -9, noNaN: true }),
  huge: fc.double({ min: -1e150, max: 1e150, noNaN: true }),
  'mixed-scale': fc
    .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -8, max: 8 }))
    .map(([m, e]) => m * 10 ** e),
};

describe('linearSumAssignment', () => {
  describe.each(Object.keys(entries) as (keyof typeof entries)[])('on small %s matrices', (kind) => {
    test.each([true, false])('equals brute force, maximise: %s', (maximise) => {
      const squares = fc
        .integer({ min: 0, max: 6 })
        .chain((n) =>
          fc.tuple(fc.constant(n), fc.array(entries[kind], { minLength: n * n, maxLength: n * n })),
        );
      fc.assert(
        fc.property(squares, ([n, values]) => {
          const matrix = Float64Array.from(values);
          const result = linearSumAssignment(matrix, n, { maximise });
          expectCertified(matrix, n, result, maximise);
          const expected = bruteForceAssignment(matrix, n, maximise);
          expect(Math.abs(result.objective - expected)).toBeLessThanOrEqual(tolerance(matrix, n));
        }),
        { numRuns: 300 },
      );
    });
  });

  test.each([true, false])('equals brute force at n = 7, maximise: %s', (maximise) => {
    for (let seed = 0; seed < 10; seed++) {
      const random = uniform(seed);
      const matrix = fill(7, () => Math.floor(random() * 20) - 5);
      const result = linearSumAssignment(matrix, 7, { maximise });
      expect(result.objective).toBe(bruteForceAssignment(matrix, 7, maximise));
    }
  });

  test.each([
    ['random', 150, (random: () => number) => () => random()],
    ['integers with ties', 150, (random: () => number) => () => Math.floor(random() * 10)],
    ['many zeros', 97, (random: () => number) => () => Math.max(0, random() - 0.95)],
    ['products', 80, () => (i: number, j: number) => (i + 1) * (j + 1)],
    [
      'planted',
      120,
      (random: () => number) => (i: number, j: number) => random() + ((i * 7) % 120 === j ? 0.5 : 0),
    ],
  ] as const)('agrees with another implementation on %s', (_, n, make) => {
    const matrix = fill(n, make(uniform(5)));
    const rows = Array.from({ length: n }, (_, i) => Array.from(matrix.subarray(i * n, i * n + n)));
    for (const maximise of [true, false]) {
      const result = linearSumAssignment(matrix, n, { maximise });
      expectCertified(matrix, n, result, maximise);
      // Its option is spelt so.
      const other = npmAssignment(rows, { maximaze: maximise });
      const sum = rows.reduce((total, row, i) => total + row[other.rowAssignments[i]!]!, 0);
      expect(Math.abs(result.objective - sum)).toBeLessThanOrEqual(tolerance(matrix, n));
    }
  });

  test('stays exact where paths are searched from many rows at once', () => {
    // Low rank with noise: most rows stay free until the path search, and their paths are long.
    const n = 160;
    const random = uniform(6);
    const a = Float64Array.from({ length: 3 * n }, random);
    const b = Float64Array.from({ length: 3 * n }, random);
    const matrix = fill(n, (i, j) => a[i]! * b[j]! + a[i + n]! * b[j + n]! + a[i + 2 * n]! * b[j + 2 * n]!);
    for (const maximise of [true, false]) {
      expectCertified(matrix, n, linearSumAssignment(matrix, n, { maximise }), maximise);
    }
  });

  test('takes f32 as the f64 numbers it stands for', () => {
    const random = uniform(1);
    const matrix = Float32Array.from({ length: 900 }, random);
    expect(linearSumAssignment(matrix, 30)).toEqual(linearSumAssignment(Float64Array.from(matrix), 30));
  });

  test('leaves its arguments alone and gives the same result twice', () => {
    const random = uniform(2);
    const matrix = fill(40, () => Math.floor(random() * 30));
    const copy = matrix.slice();
    const first = linearSumAssignment(matrix, 40);
    const columns = first.duals.columns.slice();
    const second = linearSumAssignment(matrix, 40, { duals: first.duals });
    expect(matrix).toEqual(copy);
    expect(first.duals.columns).toEqual(columns);
    expect(linearSumAssignment(matrix, 40)).toEqual(first);
    expect(second.assignment).not.toBe(first.assignment);
  });

  describe('ties', () => {
    test.each([0, 1, -2.5, 0.1])('gives the identity for a matrix of %d', (value) => {
      for (const n of [1, 2, 3, 17, 64]) {
        for (const maximise of [true, false]) {
          const result = linearSumAssignment(new Float64Array(n * n).fill(value), n, { maximise });
          expect(result.assignment).toEqual(identityPermutation(n));
        }
      }
    });

    test('gives the identity wherever it is optimal, on integers', () => {
      for (let seed = 0; seed < 200; seed++) {
        const random = uniform(seed);
        const n = 2 + (seed % 9);
        // The diagonal holds the largest value of a few: optimal, and seldom alone.
        const matrix = fill(n, (i, j) => (i === j ? 2 : Math.floor(random() * 3)));
        expect(linearSumAssignment(matrix, n).assignment).toEqual(identityPermutation(n));
      }
    });

    test('leaves dead units, rows and columns of zeros, where they are', () => {
      const random = uniform(9);
      const dead = (i: number) => i % 3 === 1;
      const matrix = fill(30, (i, j) => (dead(i) || dead(j) ? 0 : random() + 1));
      const { assignment } = linearSumAssignment(matrix, 30);
      for (let i = 1; i < 30; i += 3) expect(assignment[i]).toBe(i);
    });
  });

  describe('warm start', () => {
    const n = 128;
    const random = uniform(3);
    const matrix = fill(n, () => random() - 0.5);
    const nearby = matrix.map((x) => x + 1e-3 * (random() - 0.5));

    test.each([true, false])('reaches the same objective from any duals, maximise: %s', (maximise) => {
      const cold = linearSumAssignment(matrix, n, { maximise });
      const starts = [
        cold.duals.columns,
        new Float64Array(n),
        cold.duals.columns.map(() => 1e3 * (random() - 0.5)),
      ];
      for (const columns of starts) {
        const warm = linearSumAssignment(matrix, n, { maximise, duals: { columns } });
        expect(Math.abs(warm.objective - cold.objective)).toBeLessThanOrEqual(1e3 * tolerance(matrix, n));
        expect(warm.assignment).toEqual(cold.assignment);
      }
    });

    test('costs little on the same matrix and on a nearby one', () => {
      const cold = linearSumAssignment(matrix, n);
      const same = linearSumAssignment(matrix, n, { duals: cold.duals });
      const near = linearSumAssignment(nearby, n, { duals: cold.duals });
      expect(same.assignment).toEqual(cold.assignment);
      expectCertified(nearby, n, near);
      expect(near.objective).toBeCloseTo(linearSumAssignment(nearby, n).objective, 12);
      expect(same.statistics.rowScans).toBeLessThan(cold.statistics.rowScans / 2);
      expect(near.statistics.rowScans).toBeLessThan(cold.statistics.rowScans / 2);
    });

    const planted = fill(n, (i, j) => (i === n - 1 - j ? 2 : 0) + matrix[i * n + j]!);

    test('does not drift: duals stay in range over many starts from each other', () => {
      for (const pair of [
        [matrix, nearby],
        [planted, planted],
      ] as const) {
        let result = linearSumAssignment(pair[0], n);
        for (let step = 0; step < 200; step++) {
          result = linearSumAssignment(pair[1 - (step % 2)]!, n, { duals: result.duals });
        }
        expectCertified(pair[0], n, result);
        expect(Math.max(...result.duals.columns.map(Math.abs))).toBeLessThan(10);
      }
    });

    test('along matrices that change a little soon scans few rows twice', () => {
      let { duals, statistics } = linearSumAssignment(matrix, n);
      expect(statistics.rowScans).toBeGreaterThan(4 * n);
      const wandering = matrix.slice();
      const scans: number[] = [];
      for (let step = 0; step < 40; step++) {
        for (let k = 0; k < wandering.length; k++) wandering[k]! += 1e-5 * (random() - 0.5);
        ({ duals, statistics } = linearSumAssignment(wandering, n, { duals }));
        scans.push(statistics.rowScans);
      }
      expect(scans.slice(20).reduce((sum, count) => sum + count, 0)).toBeLessThan(1.1 * 20 * n);
    });

    test('with a strictly best assignment and its duals scans each row once', () => {
      const { duals } = linearSumAssignment(planted, n);
      expect(linearSumAssignment(planted, n, { duals }).statistics).toEqual({
        rowScans: n,
        augmentations: 0,
      });
    });
  });

  describe('validation', () => {
    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e301])(
      'names where %d is',
      (bad) => {
        const matrix = new Float64Array(12 * 12);
        matrix[7 * 12 + 5] = bad;
        expect(() => linearSumAssignment(matrix, 12)).toThrow(DataError);
        expect(() => linearSumAssignment(matrix, 12)).toThrow(`got ${bad} at row 7, column 5`);
      },
    );

    test('refuses rectangular matrices, wrong sizes and odd duals', () => {
      for (const n of [2, -1, 2.5, Number.NaN]) {
        expect(() => linearSumAssignment(new Float64Array(6), n)).toThrow(ShapeError);
      }
      const duals = (...columns: number[]) => ({ duals: { columns: Float64Array.from(columns) } });
      expect(() => linearSumAssignment(new Float64Array(4), 2, duals(1))).toThrow(ShapeError);
      expect(() => linearSumAssignment(new Float64Array(4), 2, duals(1, Number.NaN))).toThrow(/column 1/);
    });

    test('solves the empty problem', () => {
      const result = linearSumAssignment(new Float32Array(0), 0);
      expect(result.assignment).toEqual(new Int32Array(0));
      expect(result.objective).toBe(0);
      expect(dualityGap(new Float32Array(0), 0, result)).toBe(0);
    });

    test('throws the reason of an aborted signal', () => {
      const signal = AbortSignal.abort(new Error('stop'));
      expect(() => linearSumAssignment(new Float64Array(1), 1, { signal })).toThrow('stop');
    });
  });
});

describe('linearSumAssignment with a maximumGap', () => {
  test.each([true, false])(
    'is as near to the optimum as it says, with its duals for proof, maximise: %s',
    (maximise) => {
      for (const n of [1, 2, 37, 150]) {
        const random = uniform(n);
        const matrix = fill(n, () => random());
        const exact = linearSumAssignment(matrix, n, { maximise });
        expect(exact.gap).toBe(0);
        for (const maximumGap of [1e-3, 0.1, 3, Number.POSITIVE_INFINITY]) {
          const near = linearSumAssignment(matrix, n, { maximise, maximumGap });
          const allowed = tolerance(matrix, n);
          expect(isPermutation(near.assignment)).toBe(true);
          expect(near.gap).toBeLessThanOrEqual(maximumGap);
          expect(Math.abs(dualityGap(matrix, n, near, maximise) - near.gap)).toBeLessThanOrEqual(allowed);
          const behind = maximise ? exact.objective - near.objective : near.objective - exact.objective;
          expect(behind).toBeGreaterThanOrEqual(-allowed);
          expect(behind).toBeLessThanOrEqual(near.gap + allowed);
          expect(near.statistics.rowScans).toBeLessThanOrEqual(2 * exact.statistics.rowScans);
        }
      }
    },
  );

  test('saves work where near is good enough', () => {
    const random = uniform(5);
    const matrix = fill(400, () => random());
    const exact = linearSumAssignment(matrix, 400);
    const near = linearSumAssignment(matrix, 400, { maximumGap: 0.01 * exact.objective });
    expect(near.gap).toBeGreaterThan(0);
    expect(near.statistics.rowScans).toBeLessThan(exact.statistics.rowScans / 2);
  });

  test.each([-1, Number.NaN])('refuses %s', (maximumGap) => {
    expect(() => linearSumAssignment(Float64Array.of(1), 1, { maximumGap })).toThrow(OptionError);
  });
});

describe('dualityGap', () => {
  test('bounds how far a worse assignment is from the optimum', () => {
    const matrix = Float64Array.of(5, 1, 2, 4);
    const { duals } = linearSumAssignment(matrix, 2);
    expect(dualityGap(matrix, 2, { assignment: Int32Array.of(1, 0), duals })).toBe(6);
    expect(dualityGap(matrix, 2, { assignment: Int32Array.of(0, 1), duals })).toBe(0);
  });

  test('does not trust infeasible duals', () => {
    const matrix = Float64Array.of(5, 1, 2, 4);
    const zero = { rows: new Float64Array(2), columns: new Float64Array(2) };
    expect(dualityGap(matrix, 2, { assignment: Int32Array.of(1, 0), duals: zero })).toBe(6);
  });

  test('refuses what is no permutation or has another length', () => {
    const duals = { rows: new Float64Array(2), columns: new Float64Array(2) };
    const matrix = new Float64Array(4);
    expect(() => dualityGap(matrix, 2, { assignment: Int32Array.of(1, 1), duals })).toThrow(DataError);
    expect(() => dualityGap(matrix, 2, { assignment: Int32Array.of(0), duals })).toThrow(ShapeError);
  });
});

const referencePath = new URL('../../../../shared/reference/tiny/reference.json', import.meta.url);
const present = existsSync(referencePath);
if (!present) console.log('skipped: optima of ../shared/reference/tiny/reference.json, which is not there');

describe.skipIf(!present)('linearSumAssignment against SciPy', () => {
  const formulas: Record<string, (i: number, j: number) => number> = {
    '(i*7919+j*104729+i*j*31+i*i*13) mod 1009': (i, j) =>
      (i * 7919 + j * 104729 + i * j * 31 + i * i * 13) % 1009,
    '(i+1)*(j+1)': (i, j) => (i + 1) * (j + 1),
    'abs(i-j) mod 7': (i, j) => Math.abs(i - j) % 7,
  };
  const reference = present
    ? JSON.parse(readFileSync(referencePath, 'utf8'))
    : { assignment: [], assignment_float: [] };

  test('reaches the optima of all formula-defined problems', () => {
    expect(reference.assignment.length).toBe(30);
    for (const { n, cost, max, min } of reference.assignment) {
      const matrix = fill(n, formulas[cost]!);
      const highest = linearSumAssignment(matrix, n);
      const lowest = linearSumAssignment(matrix, n, { maximise: false });
      expect([cost, n, highest.objective, lowest.objective]).toEqual([cost, n, max, min]);
      // Integers below 2^53: the certificate is exact.
      expect(dualityGap(matrix, n, highest)).toBe(0);
      expect(dualityGap(matrix, n, lowest, false)).toBe(0);
    }
  }, 30_000);

  test('finds the assignments of the float problems', () => {
    expect(reference.assignment_float.length).toBe(3);
    for (const { n, matrix, max, assignment } of reference.assignment_float) {
      const result = linearSumAssignment(Float64Array.from(matrix.flat()), n);
      expect(Array.from(result.assignment)).toEqual(assignment);
      expect(result.objective).toBeCloseTo(max, 6);
    }
  });
});
