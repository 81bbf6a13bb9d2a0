/** What is computed from moments on the host: correlation and the second moment that is not centred. */
import { describe, expect, it } from 'vitest';
import {
  type Moments,
  pearsonCorrelation,
  secondMoment,
} from '../../../src/rebasin/matching/cross-moments.ts';

/** Two channels of A, the second of them dead, and three of B. */
const moments: Moments = {
  count: 100,
  meanA: Float64Array.of(2, 5),
  meanB: Float64Array.of(3, -1, 0),
  varianceA: Float64Array.of(4, 0),
  varianceB: Float64Array.of(9, 0, 0.25),
  covariance: Float64Array.of(3, 0, -1, 0, 0, 1e-9),
};

describe('pearsonCorrelation', () => {
  it('is covariance over both standard deviations, and 0 for dead units', () => {
    expect([...pearsonCorrelation(moments)]).toEqual([0.5, 0, -1, 0, 0, 0]);
  });

  it('adds epsilon to the denominator, as the codes of REPAIR and rethink do', () => {
    const expected = [3 / (6 + 1e-4), 0, -1 / (1 + 1e-4), 0, 0, 0];
    expect([...pearsonCorrelation(moments, { epsilon: 1e-4 })]).toEqual(expected);
  });

  it('leaves the moments as they are', () => {
    const before = structuredClone(moments);
    pearsonCorrelation(moments);
    expect(moments).toEqual(before);
  });
});

describe('secondMoment', () => {
  it('is E[a b]', () => {
    expect([...secondMoment(moments)]).toEqual([9, -2, -1, 15, -5, 1e-9]);
  });
});
