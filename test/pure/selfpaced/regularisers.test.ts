/** The table of regularisers against finite differences, quadrature and brute force. */
import { describe, expect, test } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import {
  REGULARISER_NAMES,
  type RegulariserName,
  type RegulariserOptions,
  selfPacedRegulariser,
} from '../../../src/selfpaced/regularisers.ts';

const CASES: readonly [RegulariserName, RegulariserOptions][] = [
  ...REGULARISER_NAMES.map((name) => [name, {}] as [RegulariserName, RegulariserOptions]),
  ['polynomial', { exponent: 3 }],
  ['polynomial', { exponent: 1.2 }],
  ['mixture', { scale: 0.4 }],
];

/** Ages and losses of 30 seeds; the loss well inside where the weight is given by its formula. */
function samples(name: RegulariserName, options: RegulariserOptions) {
  const regulariser = selfPacedRegulariser(name, options);
  return Array.from({ length: 30 }, (_, seed) => {
    const random = new RandomStream(seed, 'regulariser');
    const u = random.uniform(0);
    const age = name === 'logarithmic' ? 0.05 + 0.9 * u : 0.3 + 6 * u;
    const [low, high] = [regulariser.fullUpTo(age), Math.min(regulariser.droppedFrom(age), 8)];
    const loss = low + (0.05 + 0.9 * random.uniform(1)) * (high - low);
    return { regulariser, age, loss };
  });
}

const different = (f: (x: number) => number, x: number, h = 1e-4) =>
  // Fourth order: the error is of order h^4.
  (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);

describe.each(CASES)('%s %j', (name, options) => {
  test('the derivatives are those of the weight', () => {
    for (const { regulariser, age, loss } of samples(name, options)) {
      if (regulariser.jumps) continue;
      const h = 1e-4 * Math.min(1, loss, age);
      const byLoss = different((l) => regulariser.between(l, age), loss, h);
      const byAge = different((a) => regulariser.between(loss, a), age, h);
      expect(Math.abs(regulariser.betweenByLoss(loss, age) - byLoss)).toBeLessThan(
        1e-9 * (1 + Math.abs(byLoss)),
      );
      expect(Math.abs(regulariser.betweenByAge(loss, age) - byAge)).toBeLessThan(
        1e-9 * (1 + Math.abs(byAge)),
      );
    }
  });

  test('the latent loss begins at 0 and grows by the weight', () => {
    for (const { regulariser, age, loss } of samples(name, options)) {
      expect(regulariser.latent(0, age)).toBe(0);
      if (Math.abs(loss - age) > 1e-2 || !regulariser.jumps) {
        const h = 1e-4 * Math.min(1, loss, age);
        const slope = different((l) => regulariser.latent(l, age), loss, h);
        expect(Math.abs(slope - regulariser.weight(loss, age))).toBeLessThan(1e-9);
      }
      // Across all sets at once: the integral of the weight, by the midpoint rule on 4,000 cells.
      let integral = 0;
      const [cells, end] = [4000, 12];
      for (let k = 0; k < cells; k++) {
        integral += (regulariser.weight(((k + 0.5) * end) / cells, age) * end) / cells;
      }
      expect(Math.abs(regulariser.latent(end, age) - integral)).toBeLessThan(regulariser.jumps ? 4e-3 : 1e-3);
    }
  });

  test('the weight is 1 at loss 0, falls with the loss and rises with the age', () => {
    for (const { regulariser, age } of samples(name, options)) {
      expect(regulariser.weight(0, age)).toBeCloseTo(1, 14);
      // Of the logarithmic one, small losses lose weight again beyond this age: (1 - age) ln(1 - age) turns there.
      const rises = name !== 'logarithmic' || age <= 1 - 1 / Math.E;
      const later = name === 'logarithmic' ? Math.min(1.1 * age, 1 - 1 / Math.E) : 1.1 * age;
      let [before, mostRise, mostFall, least] = [1, 0, 0, 1];
      for (let loss = 0; loss < 10; loss += 0.01) {
        const weight = regulariser.weight(loss, age);
        mostRise = Math.max(mostRise, weight - before);
        least = Math.min(least, weight);
        if (rises) mostFall = Math.max(mostFall, weight - regulariser.weight(loss, later));
        before = weight;
      }
      expect(mostRise).toBeLessThan(1e-14);
      expect(mostFall).toBeLessThan(1e-14);
      expect(least).toBeGreaterThanOrEqual(0);
    }
  });

  test('no weight of a grid does better', () => {
    for (const { regulariser, age } of samples(name, options)) {
      let worst = 0;
      for (let loss = 0.013; loss < 9; loss *= 1.4) {
        const value = (v: number) => v * loss + regulariser.penalty(v, age);
        const best = value(regulariser.weight(loss, age));
        for (let k = 0; k <= 200; k++) worst = Math.max(worst, best - value(k / 200));
      }
      expect(worst).toBeLessThan(1e-12);
    }
  });
});

test('the weight is continuous where the sets meet, but for the hard one', () => {
  for (const [name, options] of CASES) {
    for (const { regulariser, age } of samples(name, options)) {
      const [low, high] = [regulariser.fullUpTo(age), regulariser.droppedFrom(age)];
      if (regulariser.jumps) continue;
      expect(regulariser.between(low, age)).toBeCloseTo(1, 12);
      if (high < Infinity) expect(regulariser.between(high, age)).toBeCloseTo(0, 12);
    }
  }
});

test('refuses unknown names and options out of range', () => {
  expect(() => selfPacedRegulariser('soft' as RegulariserName)).toThrow(OptionError);
  expect(() => selfPacedRegulariser('polynomial', { exponent: 1 })).toThrow(OptionError);
  expect(() => selfPacedRegulariser('mixture', { scale: 0 })).toThrow(OptionError);
  expect(() => selfPacedRegulariser('mixture', { scale: Number.NaN })).toThrow(OptionError);
});
