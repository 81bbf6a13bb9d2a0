/** The plane through three models: coordinates are distances, and every point is an affine combination. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../../../src/base/errors.ts';
import {
  checkPlaneGrid,
  type PlanePosition,
  planeGeometry,
  planeGrid,
} from '../../../src/rebasin/interpolation/plane-geometry.ts';
import type { HostTensors } from '../../../src/runtime/arena.ts';
import { normals } from '../../support/numbers.ts';

const model = (weight: ArrayLike<number>, bias: ArrayLike<number>): HostTensors =>
  new Map([
    ['weight', Float32Array.from(weight)],
    ['bias', Float32Array.from(bias)],
  ]);
const random = (seed: number) => model(normals(50, `weight ${seed}`), normals(7, `bias ${seed}`));

/** All values of the affine combination, in float64. */
function combined(models: readonly HostTensors[], weights: readonly number[]): number[] {
  return [...models[0]!.keys()].flatMap((name) =>
    Array.from(models[0]!.get(name)!, (_, i) =>
      models.reduce((sum, values, m) => sum + weights[m]! * values.get(name)![i]!, 0),
    ),
  );
}

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0));

describe('planeGeometry', () => {
  it('lays a triangle of sides 3, 4 and 5 where it belongs', () => {
    const { models } = planeGeometry([model([1, 1], [1]), model([1, 4], [1]), model([1, 1], [-3])]);
    expect(models).toEqual([
      { x: 0, y: 0 },
      { x: 3, y: 0 },
      { x: 0, y: 4 },
    ]);
    const skew = planeGeometry([model([0, 0], [0]), model([2, 0], [0]), model([-1, 2], [0])]);
    expect(skew.models[2]).toEqual({ x: -1, y: 2 });
    expect(skew.weightsAt({ x: -1, y: 0 })).toEqual([1.5, -0.5, 0]);
  });

  it('measures distances in weight space, everywhere on the plane', () => {
    const coordinate = fc.double({ min: -30, max: 30, noNaN: true });
    const position = fc.record({ x: coordinate, y: coordinate });
    fc.assert(
      fc.property(fc.nat(1000), position, position, (seed, p: PlanePosition, q: PlanePosition) => {
        const models = [random(3 * seed), random(3 * seed + 1), random(3 * seed + 2)] as const;
        const geometry = planeGeometry(models);
        const [wp, wq] = [geometry.weightsAt(p), geometry.weightsAt(q)];
        for (const w of [wp, wq]) expect(w[0] + w[1] + w[2]).toBeCloseTo(1, 12);
        const apart = Math.sqrt((p.x - q.x) ** 2 + (p.y - q.y) ** 2);
        expect(distance(combined(models, wp), combined(models, wq))).toBeCloseTo(apart, 10);
        for (const [m, at] of geometry.models.entries()) {
          geometry.weightsAt(at).forEach((w, i) => {
            expect(w).toBeCloseTo(i === m ? 1 : 0, 12);
          });
        }
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it('refuses two equal models, naming them', () => {
    const [a, b] = [random(1), random(2)];
    const names = ['A', 'B', 'permuted B'] as const;
    for (const [models, pair] of [
      [[a, a, b], 'the A and the B model'],
      [[a, b, a], 'the A and the permuted B model'],
      [[a, b, random(2)], 'the B and the permuted B model'],
    ] as const) {
      expect(() => planeGeometry(models, names)).toThrow(DataError);
      expect(() => planeGeometry(models, names)).toThrow(pair);
    }
  });

  it('refuses three models on one line, even when float32 rounded the third beside it', () => {
    const [a, b] = [random(1), random(2)];
    for (const lambda of [0.5, 0.3, -1, 4]) {
      const between = new Map(
        [...a].map(([name, x]) => [name, x.map((v, i) => v + lambda * (b.get(name)![i]! - v))]),
      );
      expect(() => planeGeometry([a, b, between])).toThrow(/one line/);
    }
  });

  it('sees a plane that is thin but no rounding', () => {
    const [a, b] = [random(1), random(2)];
    const beside = new Map([...a].map(([name, x]) => [name, x.map((v, i) => (v + b.get(name)![i]!) / 2)]));
    beside.get('bias')![0]! += 0.01;
    expect(planeGeometry([a, b, beside]).models[2].y).toBeCloseTo(0.01, 3);
  });

  it('refuses weights that are not finite', () => {
    const broken = random(3) as Map<string, Float32Array>;
    broken.get('weight')![4] = Number.NaN;
    expect(() => planeGeometry([random(1), broken, random(2)])).toThrow(/second model are not finite/);
  });
});

describe('planeGrid', () => {
  const geometry = planeGeometry([model([0, 0], [0]), model([2, 0], [0]), model([-1, 2], [0])]);

  it('is equally spaced around the triangle, margin included', () => {
    expect(planeGrid(geometry, 4, 0)).toEqual({ x: [-1, 0, 1, 2], y: [0, 2 / 3, 4 / 3, 2] });
    // The larger extent is 3: a margin of 0.5 is 1.5 on every side.
    const { x, y } = planeGrid(geometry, 7, 0.5);
    expect([x[0], x[6], y[0], y[6]]).toEqual([-2.5, 3.5, -1.5, 3.5]);
    expect(x).toHaveLength(7);
  });

  it('takes sizes of 2 and more and margins of 0 and more', () => {
    expect(() => checkPlaneGrid(2, 0)).not.toThrow();
    for (const [size, margin] of [
      [1, 0],
      [2.5, 0],
      [5, -0.1],
      [5, Number.NaN],
      [5, Number.POSITIVE_INFINITY],
    ]) {
      expect(() => checkPlaneGrid(size!, margin!)).toThrow(OptionError);
    }
  });
});
