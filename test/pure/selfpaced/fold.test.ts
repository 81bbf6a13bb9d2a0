/**
 * A path that is known in closed form: one sample, `(mu / 2) w^2` and `(w - y)^2 / 2`, linear weights. With the residual r = y - w the solutions
 * are the roots of `r^3 / (2 age) - (1 + mu) r + mu y = 0`, and w = 0 (the sample dropped) up to age y^2 / 2. For mu < 2 the branch of the
 * roots turns back at age 27 mu^2 y^2 / (8 (1 + mu)^3), where r = 3 mu y / (2 (1 + mu)): going up the path jumps at y^2 / 2, going down at the fold.
 */
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { agePath } from '../../../src/selfpaced/age-path.ts';
import { lasso } from '../../../src/selfpaced/lasso.ts';
import { selfPacedRegulariser } from '../../../src/selfpaced/regularisers.ts';

const linear = selfPacedRegulariser('linear');
const oneSample = (mu: number, y: number) =>
  lasso({ features: Float64Array.of(1), targets: Float64Array.of(y), penalty: 0, ridge: mu });

/** The smallest positive root: the branch of the fitted sample. */
function residualAt(mu: number, y: number, age: number): number {
  // Between 0 and the turning point of the cubic, where it falls through 0.
  let [low, high] = [0, Math.sqrt((2 * age * (1 + mu)) / 3)];
  for (let i = 0; i < 200; i++) {
    const r = (low + high) / 2;
    if ((r * r * r) / (2 * age) - (1 + mu) * r + mu * y > 0) low = r;
    else high = r;
  }
  return low;
}

const cases = Array.from({ length: 25 }, (_, seed) => {
  const random = new RandomStream(seed, 'fold');
  const mu = seed === 0 ? 0.5 : 0.15 + 1.6 * random.uniform(0);
  const y = seed === 0 ? 2 : (random.uniform(1) < 0.5 ? -1 : 1) * (0.5 + 3 * random.uniform(2));
  const fold = (27 * mu * mu * y * y) / (8 * (1 + mu) ** 3);
  return { seed, mu, y, entry: (y * y) / 2, fold };
});

describe.each(cases)('mu $mu, y $y', ({ mu, y, entry, fold }) => {
  test('upwards, the sample stays dropped until age y^2 / 2, then the path jumps', () => {
    const from = 0.3 * fold;
    const path = agePath(oneSample(mu, y), linear, { from, to: 4 * entry, start: Float64Array.of(0) });
    const jumps = path.events.filter(({ jump }) => jump !== undefined);
    expect(jumps).toHaveLength(1);
    expect(jumps[0]!.kind).toBe('unstable');
    expect(Math.abs(jumps[0]!.age - entry)).toBeLessThan(1e-12 * entry);
    expect(path.at(0.99 * entry).solution[0]).toBe(0);
    for (const age of [jumps[0]!.age, 1.001 * entry, 1.5 * entry, 4 * entry]) {
      const expected = y - Math.sign(y) * residualAt(mu, Math.abs(y), age);
      expect(Math.abs(path.at(age, { polish: true }).solution[0]! - expected)).toBeLessThan(1e-12);
      expect(Math.abs(path.at(age).solution[0]! - expected)).toBeLessThan(1e-6);
    }
  });

  test('downwards, the fitted branch lives to the fold, then the sample is dropped', () => {
    const path = agePath(oneSample(mu, y), linear, { from: 4 * entry, to: 0.3 * fold });
    const jumps = path.events.filter(({ jump }) => jump !== undefined);
    expect(jumps).toHaveLength(1);
    expect(jumps[0]!.kind).toBe('fold');
    expect(Math.abs(jumps[0]!.age - fold)).toBeLessThan(1e-9 * fold);
    const before = path.segments.findLast((segment) => segment.to >= fold)!;
    // |r - r_fold| goes with the root of the distance in age, of which 1e-7 is left.
    const atFold = y - (3 * mu * y) / (2 * (1 + mu));
    expect(Math.abs(before.last[0]! - atFold)).toBeLessThan(1e-3 * Math.abs(y));
    for (const age of [1.001 * fold, 1.2 * fold, 2 * fold]) {
      const expected = y - Math.sign(y) * residualAt(mu, Math.abs(y), age);
      expect(Math.abs(path.at(age, { polish: true }).solution[0]! - expected)).toBeLessThan(1e-12);
    }
    expect(path.at(0.999 * fold).solution[0]).toBe(0);
    expect(path.at(0.3 * fold).solution[0]).toBe(0);
  });
});

test.each(Array.from({ length: 20 }, (_, seed) => 2.05 + 0.1 * seed))(
  'no jump for mu = %s, above 2',
  (mu) => {
    const y = 1.5;
    for (const [from, to] of [
      [0.2, 5],
      [5, 0.2],
    ] as const) {
      const path = agePath(oneSample(mu, y), linear, { from, to });
      expect(path.statistics.jumps).toBe(0);
      expect(path.events.map(({ age }) => age)).toHaveLength(1);
      expect(path.events[0]!.age).toBeCloseTo((y * y) / 2, 12);
    }
  },
);
