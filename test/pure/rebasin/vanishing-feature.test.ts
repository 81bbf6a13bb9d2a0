/** The vanishing-feature ratio and its smoothing. */
import { expect, test } from 'vitest';
import {
  smoothVanishingFeature,
  vanishingFeature,
} from '../../../src/rebasin/statistics/vanishing-feature.ts';

test('E is what the merged network moves over the mean of what the ends do', () => {
  expect(
    vanishingFeature(
      [
        [1, 2, 3],
        [3, 2, 1],
      ],
      [2, 1, 0],
    ),
  ).toEqual([1, 0.5, 0]);
});

test('the smoothing takes the last layer as it is and lets earlier ones fall by a little only', () => {
  expect(smoothVanishingFeature([])).toEqual([]);
  expect(smoothVanishingFeature([0.3])).toEqual([0.3]);
  // eps_3 = 1; eps_2 = 1.4 - 0.4 / 2; eps_1 = 1.2 (1.4 - 0.4 * 2 / 3).
  const smooth = smoothVanishingFeature([0, 0, 1]);
  expect(smooth[2]).toBe(1);
  expect(smooth[1]).toBeCloseTo(1.2, 12);
  expect(smooth[0]).toBeCloseTo(1.36, 12);
  // Where E falls from layer to layer, as in a collapse, it stays as it is.
  expect(smoothVanishingFeature([1, 0.5, 0.1])).toEqual([1, 0.5, 0.1]);
});
