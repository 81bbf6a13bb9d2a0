/** Ages found by the share of samples that is easy enough. */
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { ageOfShare } from '../../../src/selfpaced/age-of-share.ts';
import { type RegulariserName, selfPacedRegulariser } from '../../../src/selfpaced/regularisers.ts';

/** As cross-entropies come: float32, many small, a few large. */
function crossEntropies(seed: number, count: number): Float32Array {
  const random = new RandomStream(seed, 'losses');
  return Float32Array.from({ length: count }, (_, i) => {
    const u = random.uniform(i);
    return 8 * u * u * u;
  });
}

const weighed = (name: RegulariserName, losses: ArrayLike<number>, share: number): number => {
  const regulariser = selfPacedRegulariser(name);
  const age = ageOfShare(regulariser, losses, share);
  return Array.from(losses).filter((loss) => Math.fround(regulariser.weight(loss, age)) > 0).length;
};

describe('ageOfShare', () => {
  test.each(['hard', 'linear', 'polynomial', 'mixture'] as const)(
    '%s gives just that share of the samples a weight, also in float32',
    (name) => {
      for (let seed = 0; seed < 20; seed++) {
        const losses = crossEntropies(seed, 90 + seed);
        for (const share of [0.001, 0.1, 0.3, 0.5, 0.77, 1]) {
          expect(weighed(name, losses, share)).toBe(Math.max(1, Math.round(share * losses.length)));
        }
      }
    },
  );

  test.each(['log', 'exponential'] as const)(
    '%s drops nobody: the age is the loss of the hardest',
    (name) => {
      const regulariser = selfPacedRegulariser(name);
      const losses = [3, 1, 2, 4];
      expect(ageOfShare(regulariser, losses, 0.5)).toBeCloseTo(2, 10);
      expect(weighed(name, losses, 0.5)).toBe(4);
    },
  );

  test('samples that tie with the hardest count with it, and samples without any loss count in full', () => {
    expect(weighed('linear', [1, 2, 2, 2, 3], 0.4)).toBe(4);
    for (const name of ['hard', 'linear', 'mixture', 'log', 'exponential'] as const) {
      const regulariser = selfPacedRegulariser(name);
      const age = ageOfShare(regulariser, [0, 0, 0, 5], 0.5);
      expect(age).toBeGreaterThan(0);
      expect(regulariser.weight(0, age)).toBeCloseTo(1, 12);
    }
  });
});
