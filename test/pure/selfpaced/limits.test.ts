/** At a large age linear, LOG and the others (but mixture) are ordinary training. */
import { describe, expect, test } from 'vitest';
import { agePath } from '../../../src/selfpaced/age-path.ts';
import { distance, fullFit } from '../../../src/selfpaced/alternating-search.ts';
import { selfPacedRegulariser } from '../../../src/selfpaced/regularisers.ts';
import { PROBLEMS, SEEDS } from '../../support/self-paced-problems.ts';

const KINDS = Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[];

describe.each(KINDS)('%s', { timeout: 60_000 }, (kind) => {
  test.each(['hard', 'linear', 'polynomial', 'log', 'exponential'] as const)('%s', (name) => {
    for (const seed of SEEDS) {
      const { problem } = PROBLEMS[kind](seed);
      const plain = fullFit(problem);
      const path = agePath(problem, selfPacedRegulariser(name), { from: 30, to: 1e6 });
      const away = (age: number) => distance(path.at(age, { polish: true }).solution, plain);
      // What is left goes with 1 / age (of hard and LOG weights, nothing is), times the sum of squared losses.
      expect(away(1e6)).toBeLessThan(1e-3);
      if (away(1e5) > 1e-8) expect(away(1e5) / away(1e6)).toBeCloseTo(10, 0);
    }
  });

  test('mixture does not: large losses keep a weight of g / sqrt(loss)', () => {
    const { problem } = PROBLEMS[kind](0);
    const regulariser = selfPacedRegulariser('mixture', { scale: 0.5 });
    const { weights, solution } = agePath(problem, regulariser, { from: 30, to: 1e6 }).at(1e6);
    const losses = problem.losses(solution);
    const large = losses.findIndex((loss) => loss > 0.3);
    expect(large).toBeGreaterThanOrEqual(0);
    expect(weights[large]).toBeCloseTo(0.5 / Math.sqrt(losses[large]!), 5);
  });
});
