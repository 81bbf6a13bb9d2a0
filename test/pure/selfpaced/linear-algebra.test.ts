/** L D L^T with inertia, against matrices of known eigenvalues. */
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { factoriseSymmetric, maxNorm, multiply, nullVector } from '../../../src/selfpaced/linear-algebra.ts';

/** H diag(eigenvalues) H with a random reflection H = I - 2 u u^T: the eigenvalues are known. */
function reflected(eigenvalues: readonly number[], seed: number): Float64Array {
  const n = eigenvalues.length;
  const u = new Float64Array(n);
  new RandomStream(seed, 'reflection').fillNormal(u);
  const length = Math.sqrt(u.reduce((sum, each) => sum + each * each, 0));
  const h = (i: number, j: number) => (i === j ? 1 : 0) - (2 * u[i]! * u[j]!) / (length * length);
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) matrix[i * n + j]! += h(i, k) * eigenvalues[k]! * h(k, j);
    }
  }
  return matrix;
}

describe('factoriseSymmetric', () => {
  test('counts the signs of the eigenvalues and solves', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = new RandomStream(seed, 'eigenvalues');
      const n = 1 + (seed % 17);
      const eigenvalues = Array.from({ length: n }, (_, i) => {
        const size = 0.1 + 10 * random.uniform(2 * i);
        return random.uniform(2 * i + 1) < 0.5 ? -size : size;
      });
      const matrix = reflected(eigenvalues, seed);
      const expected = new Float64Array(n);
      random.derive('x').fillNormal(expected);
      const { inertia, solve } = factoriseSymmetric(matrix.slice(), n);
      const positive = eigenvalues.filter((each) => each > 0).length;
      expect(inertia).toEqual({ positive, negative: n - positive, zero: 0 });
      const solved = solve(multiply(matrix, expected, n));
      expect(maxNorm(solved.map((each, i) => each - expected[i]!))).toBeLessThan(1e-11);
    }
  });

  test('counts the bordered matrix of a support vector machine: |S| positive, 1 negative', () => {
    const matrix = Float64Array.of(0, 1, -1, 1, 2, 0.5, -1, 0.5, 1);
    expect(factoriseSymmetric(matrix, 3).inertia).toEqual({ positive: 2, negative: 1, zero: 0 });
  });

  test('sees what is singular', () => {
    expect(factoriseSymmetric(Float64Array.of(1, 1, 1, 1), 2).inertia).toEqual({
      positive: 1,
      negative: 0,
      zero: 1,
    });
    expect(factoriseSymmetric(new Float64Array(9), 3).inertia.zero).toBe(3);
    expect(factoriseSymmetric(new Float64Array(0), 0).solve(new Float64Array(0))).toEqual(
      new Float64Array(0),
    );
  });

  test('reads the lower triangle alone', () => {
    const { solve } = factoriseSymmetric(Float64Array.of(4, Number.NaN, 1, 3), 2);
    const x = solve(Float64Array.of(1, 2));
    expect(x[0]!).toBeCloseTo(1 / 11, 14);
    expect(x[1]!).toBeCloseTo(7 / 11, 14);
  });
});

describe('nullVector', () => {
  test('finds what the matrix sends to 0, or says that there is nothing', () => {
    for (let seed = 0; seed < 20; seed++) {
      const regular = reflected([1, -2, 3, 0.5, 4], seed);
      expect(nullVector(regular.slice(), 5)).toBeUndefined();
      const singular = reflected([1, -2, 3, 0, 4], seed);
      const found = nullVector(singular.slice(), 5)!;
      expect(maxNorm(found)).toBe(1);
      expect(maxNorm(multiply(singular, found, 5))).toBeLessThan(1e-12);
    }
  });
});
