/** The counterexample to one basin for all: the barriers that every permutation leaves, against the published code's own (ALGORITHMS 2.5). */
import { describe, expect, it } from 'vitest';
import { SWAPS, wrongAnswers } from '../../../src/studies/jobs/counterexample.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const LAMBDA = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];

/** Wrong answers, for lambda up to one half; the other half is its mirror image. */
const TABLE = {
  none: [0, 0.25, 0.25, 0.25, 0.25],
  'layer 2': [0, 0.25, 0.25, 0.25, 0.25],
  'layer 1': [0, 0.053, 0.116, 0.184, 0.25],
  both: [0, 0.035, 0.084, 0.149, 0.25],
};

describe('between the two networks of the counterexample', () => {
  it.each(Object.entries(TABLE))(
    'the barrier with the units of %s swapped is that of the table',
    async (name, half) => {
      // 65,536 evenly spread points: shares of the area to about 1e-4.
      const options = { samples: 65_536, lambda: LAMBDA };
      const found = await wrongAnswers(context(), SWAPS[name as keyof typeof SWAPS], options);
      const wanted = [...half, ...half.slice(0, -1).reverse()];
      // The table is rounded to three digits and came from 200,000 random points: three deviations of such a share.
      for (const [i, share] of found.entries()) {
        const deviation = Math.sqrt((wanted[i]! * (1 - wanted[i]!)) / 200_000);
        expect(Math.abs(share - wanted[i]!)).toBeLessThanOrEqual(0.0005 + 3 * deviation);
      }
      expect([found[0], found.at(-1)]).toEqual([0, 0]);
    },
  );
});
