import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, ShapeError } from '../../../src/base/errors.ts';
import { linearSumAssignment } from '../../../src/rebasin/assignment/assignment.ts';
import { greedyAssignment } from '../../../src/rebasin/assignment/greedy-assignment.ts';
import { isPermutation } from '../../../src/rebasin/spec/permutation.ts';

/** The definition: n times, the largest entry of the rows and columns that are left; the first of equal ones in row-major order. */
function byDefinition(matrix: ArrayLike<number>, n: number): number[] {
  const assignment = new Array<number>(n).fill(-1);
  for (let step = 0; step < n; step++) {
    let best = -1;
    for (let k = 0; k < n * n; k++) {
      if (assignment[Math.floor(k / n)] !== -1 || assignment.includes(k % n)) continue;
      if (best === -1 || matrix[k]! > matrix[best]!) best = k;
    }
    assignment[Math.floor(best / n)] = best % n;
  }
  return assignment;
}

const square = (entry: fc.Arbitrary<number>) =>
  fc
    .integer({ min: 0, max: 8 })
    .chain((n) => fc.array(entry, { minLength: n * n, maxLength: n * n }))
    .map((entries) => ({ n: Math.sqrt(entries.length), matrix: Float64Array.from(entries) }));

const sumOf = (matrix: Float64Array, n: number, assignment: Int32Array) =>
  assignment.reduce((sum, column, row) => sum + matrix[row * n + column]!, 0);

describe('greedyAssignment', () => {
  it.each([
    ['reals', fc.double({ min: -10, max: 10, noNaN: true })],
    ['ties', fc.integer({ min: -1, max: 1 })],
  ])('takes the largest pair that is left, again and again: %s', (_name, entry) => {
    fc.assert(
      fc.property(square(entry), ({ matrix, n }) => {
        const copy = matrix.slice();
        const assignment = greedyAssignment(matrix, n);
        expect([...assignment]).toEqual(byDefinition(matrix, n));
        expect(isPermutation(assignment)).toBe(true);
        expect(matrix).toEqual(copy);
      }),
    );
  });

  it('reaches at least half of the optimum where nothing is negative, and never more than it', () => {
    fc.assert(
      fc.property(square(fc.double({ min: 0, max: 1, noNaN: true })), ({ matrix, n }) => {
        const greedy = sumOf(matrix, n, greedyAssignment(matrix, n));
        const exact = linearSumAssignment(matrix, n).objective;
        const rounding = 1e-14 * n; // n additions of at most n * 2^-53 each
        expect(greedy).toBeLessThanOrEqual(exact + rounding);
        expect(greedy).toBeGreaterThanOrEqual(exact / 2 - rounding);
      }),
    );
  });

  it('comes as close to half of the optimum as the bound says', () => {
    // 1 is taken first and leaves 0; the other diagonal is worth twice almost 1.
    const matrix = Float64Array.of(1, 0.999, 0.999, 0);
    expect([...greedyAssignment(matrix, 2)]).toEqual([0, 1]);
    expect(linearSumAssignment(matrix, 2).objective).toBeCloseTo(1.998, 12);
  });

  it('gives equal entries to the lower row, then the lower column', () => {
    expect([...greedyAssignment(new Float32Array(9).fill(2), 3)]).toEqual([0, 1, 2]);
    expect([...greedyAssignment(Float32Array.of(0, 5, 5, 5), 2)]).toEqual([1, 0]);
  });

  it('refuses what is no square matrix of finite numbers', () => {
    expect(() => greedyAssignment(new Float64Array(5), 2)).toThrow(ShapeError);
    expect(() => greedyAssignment(Float64Array.of(0, 1, Number.NaN, 0), 2)).toThrow(DataError);
    expect(() => greedyAssignment(Float64Array.of(0, 1, Number.POSITIVE_INFINITY, 0), 2)).toThrow(
      'Infinity at row 1, column 0',
    );
  });
});
