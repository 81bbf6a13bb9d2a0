import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contourLevels } from '../../../src/report/plane-levels.ts';

describe('contourLevels', () => {
  test('grows by factors where values span decades', () => {
    expect(contourLevels([0.04, 9.3])).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
    expect(contourLevels([0.11, 2.4])).toEqual([0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2]);
    expect(contourLevels([0.0004, 300])).toEqual([0.001, 0.01, 0.1, 1, 10, 100]);
  });

  test('goes by equal steps where values are close', () => {
    expect(contourLevels([4.301, 4.307])).toEqual([4.302, 4.303, 4.304, 4.305, 4.306]);
    expect(contourLevels([0.1, 0.16])).toEqual([0.11, 0.12, 0.13, 0.14, 0.15]);
  });

  test('takes errors from 0 on', () => {
    expect(contourLevels([0, 0.91])).toEqual([0.001, 0.003, 0.01, 0.03, 0.1, 0.3]);
  });

  test('leaves out what is not finite, and has none where all is equal or nothing', () => {
    const nothing = null as unknown as number;
    expect(contourLevels([Number.NaN, 0.04, nothing, 9.3, Number.POSITIVE_INFINITY])).toHaveLength(7);
    expect(contourLevels([0.3, 0.3])).toEqual([]);
    expect(contourLevels([0, 0])).toEqual([]);
    expect(contourLevels([Number.NaN])).toEqual([]);
  });

  test('are few, ascending and inside, whatever the values', () => {
    const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        fc.pre(high > low * (1 + 1e-9));
        const levels = contourLevels([low, high]);
        expect(levels.length).toBeLessThanOrEqual(8);
        expect(levels.length).toBeGreaterThanOrEqual(2);
        expect(levels.every((level, i) => level > (levels[i - 1] ?? low) && level < high)).toBe(true);
      }),
      { seed: 1 },
    );
  });
});
