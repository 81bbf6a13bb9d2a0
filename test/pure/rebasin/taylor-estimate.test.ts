/** The Taylor estimate of a barrier, from derivatives at both ends. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { taylorEstimate } from '../../../src/rebasin/analysis/taylor-barrier.ts';
import { equallySpaced } from '../../../src/rebasin/interpolation/barrier.ts';

const random = new RandomStream(4, 'quadratics');

/** L(x) = 1/2 x M x + m x, M symmetric of either sign, between two points. */
function quadratic(size: number, sign: number, index: number) {
  const normals = (count: number, purpose: string) => {
    const values = new Float64Array(count);
    random.derive(`${purpose} ${index}`).fillNormal(values);
    return values;
  };
  const root = normals(size * size, 'root');
  const matrix = root.map((x, k) => sign * (x + root[(k % size) * size + Math.floor(k / size)]!));
  const [slope, a, b] = [normals(size, 'slope'), normals(size, 'a'), normals(size, 'b')];
  const times = (x: Float64Array) =>
    x.map((_, i) => x.reduce((sum, xj, j) => sum + matrix[i * size + j]! * xj, 0));
  const inner = (x: Float64Array, y: Float64Array) => x.reduce((sum, xi, i) => sum + xi * y[i]!, 0);
  const loss = (x: Float64Array) => inner(x, times(x)) / 2 + inner(slope, x);
  const delta = b.map((x, i) => x - a[i]!);
  const endAt = (x: Float64Array) => ({
    slope: inner(times(x), delta) + inner(slope, delta),
    curvature: inner(delta, times(delta)),
  });
  const excess = (at: number) =>
    loss(a.map((x, i) => (1 - at) * x + at * b[i]!)) - (1 - at) * loss(a) - at * loss(b);
  return { a: endAt(a), b: endAt(b), excess };
}

describe('taylorEstimate', () => {
  it('is exact on quadratics of any curvature', () => {
    const lambda = equallySpaced(11);
    let barriers = 0;
    for (const [index, sign] of [1, -1, 1, -1, 0.1, -0.1].entries()) {
      const { a, b, excess } = quadratic(7, sign, index);
      const estimate = taylorEstimate(a, b, lambda);
      // Values up to 300 in float64.
      for (const [i, at] of lambda.entries()) {
        expect(Math.abs(estimate.excess[i]! - excess(at))).toBeLessThan(1e-11);
      }
      // A parabola through 0 at both ends is farthest from it half-way.
      expect(Math.abs(estimate.barrier - Math.max(0, excess(0.5)))).toBeLessThan(1e-11);
      if (excess(0.5) <= 0) expect([estimate.barrier, estimate.lambda]).toEqual([0, undefined]);
      else {
        expect(estimate.lambda).toBeCloseTo(0.5, 10);
        barriers++;
      }
    }
    expect(barriers).toBeGreaterThan(0);
    expect(barriers).toBeLessThan(6);
  });

  it('finds the greatest value of the cubic, wherever the curvatures of the ends put it', () => {
    const values = new Float64Array(4 * 200);
    random.derive('derivatives').fillNormal(values);
    const fine = equallySpaced(2001);
    for (let k = 0; k < 200; k++) {
      const [s1, s2, c1, c2] = values.subarray(4 * k, 4 * k + 4);
      const { barrier, lambda, excess } = taylorEstimate(
        { slope: s1!, curvature: c1! },
        { slope: s2!, curvature: c2! },
        fine,
      );
      const greatest = Math.max(...excess);
      // Between points 5e-4 apart the curve, whose second derivative is below 20, rises by 20 / 8 * (5e-4)^2 at most.
      expect(barrier).toBeGreaterThanOrEqual(greatest);
      expect(barrier - greatest).toBeLessThan(1e-6);
      if (lambda === undefined) expect(barrier).toBe(0);
      else expect(Math.abs(lambda - fine[excess.indexOf(greatest)]!)).toBeLessThan(0.05);
    }
  });

  it('weights the ends the right way round: near A it is B whose curvature counts', () => {
    // d/dlambda of the estimate at 0 is <g_A - g_B, delta> + <delta, H_B delta> / 2.
    const near = taylorEstimate({ slope: 0, curvature: 0 }, { slope: 0, curvature: 8 }, [
      1e-6,
      1 - 1e-6,
    ]).excess;
    expect(near[0]! / 1e-6).toBeCloseTo(4, 4);
    expect(near[1]! / 1e-6).toBeCloseTo(0, 4);
    const { barrier, lambda } = taylorEstimate({ slope: 0, curvature: 0 }, { slope: 0, curvature: 8 }, []);
    // 4 lambda (1 - lambda)^2 is greatest at 1/3.
    expect(lambda).toBeCloseTo(1 / 3, 12);
    expect(barrier).toBeCloseTo(16 / 27, 12);
  });

  it('has no barrier where derivatives are 0, and says so where they are not finite', () => {
    const flat = { slope: 0, curvature: 0 };
    expect(taylorEstimate(flat, flat, [0, 0.5, 1])).toEqual({
      barrier: 0,
      lambda: undefined,
      excess: [0, 0, 0],
    });
    const broken = taylorEstimate(flat, { slope: Number.NaN, curvature: 1 }, [0.5]);
    expect([broken.barrier, broken.excess[0]]).toEqual([Number.NaN, Number.NaN]);
  });
});
