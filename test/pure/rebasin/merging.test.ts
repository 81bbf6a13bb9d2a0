/** The parts of merging that need no GPU: frames, composition, the cycle error. */
import { describe, expect, it } from 'vitest';
import { scoredDistance, scoredObjective } from '../../../src/rebasin/matching/objective.ts';
import { CommonFrame, composeGroups, meanOf } from '../../../src/rebasin/merging/common-frame.ts';
import { cycleError, mapsThroughFrame } from '../../../src/rebasin/merging/cycle-error.ts';
import { invertPermutations, permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { identityPermutations, type Permutations } from '../../../src/rebasin/spec/axis-index.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { mlpSpec, randomValues, unusualSpecs } from '../../support/rebasin-networks.ts';

const specs = Object.entries({ 'an MLP': mlpSpec(5, 8, 6, 3), ...unusualSpecs() });

describe.each(specs)('the common frame on %s', (_name, spec) => {
  const models = [1, 2, 3, 4].map((seed) => randomValues(spec, seed));
  const [p, q] = [randomPermutations(spec, 5), randomPermutations(spec, 6)];

  it('permutes by a composition as by its parts, one after the other', () => {
    const parts = permuteValues(spec, q, permuteValues(spec, p, models[0]!));
    expect(permuteValues(spec, composeGroups(p, q), models[0]!)).toEqual(parts);
    expect(composeGroups(p, invertPermutations(p))).toEqual(identityPermutations(spec));
  });

  it('places models from what they were, and leaves those alone', () => {
    const copies = models.map((model) => new Map([...model].map(([name, values]) => [name, values.slice()])));
    const frame = new CommonFrame(spec, models);
    frame.place(2, p);
    frame.place(2, q);
    expect(frame.aligned(2)).toEqual(permuteValues(spec, q, models[2]!));
    expect(frame.aligned(1)).toEqual(models[1]);
    expect(frame.permutations).toEqual([0, 1, 2, 3].map((m) => (m === 2 ? q : identityPermutations(spec))));
    expect(models).toEqual(copies);
  });

  it('measures as the definitions do', () => {
    const frame = new CommonFrame(spec, models);
    frame.place(1, p);
    frame.place(3, q);
    const aligned = models.map((_, model) => frame.aligned(model));
    let [objective, ofPairs] = [0, 0];
    for (const [i, x] of aligned.entries()) {
      for (const y of aligned.slice(i + 1)) {
        objective += scoredObjective(spec, x, y);
        ofPairs += scoredDistance(spec, x, y) ** 2;
      }
    }
    // Sums of fewer than 10^4 terms in f64, in another order.
    expect(frame.objective()).toBeCloseTo(objective, 9);
    // sum over pairs of ||x_i - x_j||^2 = n sum of ||x_i - mean||^2
    expect(frame.spread()).toBeCloseTo(Math.sqrt(ofPairs) / 4, 9);
    const others = frame.sum(frame.others(1));
    expect(frame.others(1)).toEqual([0, 2, 3]);
    const mean = meanOf(others, 3);
    // The mean is rounded to f32: 2^-24 of values of at most 1.
    expect(frame.distance(others, 3, aligned[1]!)).toBeCloseTo(scoredDistance(spec, mean, aligned[1]!), 5);
  });

  it('maps models to each other as matching them would', () => {
    const permutations = [p, q, identityPermutations(spec)];
    const planted = permutations.map((of) => permuteValues(spec, invertPermutations(of), models[0]!));
    const map = mapsThroughFrame(permutations);
    for (const to of planted.keys()) {
      for (const from of planted.keys()) {
        expect(permuteValues(spec, map(to, from), planted[from]!)).toEqual(planted[to]);
      }
    }
  });

  it('averages every entry, buffers too, with one rounding', () => {
    const frame = new CommonFrame(spec, models);
    frame.place(0, p);
    const aligned = models.map((_, model) => frame.aligned(model));
    for (const [name, mean] of frame.mean()) {
      const values = aligned.map((model) => model.get(name)!);
      expect(mean).toEqual(mean.map((_, k) => values.reduce((sum, value) => sum + value[k]!, 0) / 4));
    }
    expect([...frame.mean().keys()]).toEqual(spec.entries.map(({ name }) => name));
  });
});

describe('cycleError', () => {
  const spec = mlpSpec(3, 4, 2, 2);
  const identity = identityPermutations(spec);

  it('is exactly 0 for maps through a common frame', () => {
    for (let seed = 0; seed < 20; seed++) {
      const wide = mlpSpec(3, 17, 30, 2);
      const permutations = Array.from({ length: 5 }, (_, model) =>
        randomPermutations(wide, 10 * seed + model),
      );
      expect(cycleError(wide, 5, mapsThroughFrame(permutations))).toBe(0);
    }
  });

  it('counts the units that do not come back, the mean over groups and triples', () => {
    // Models 0, 1 and 2 agree, but for the way between 0 and 2, which swaps two units of four in fc1 and both of fc2.
    const swapped: Permutations = { fc1: Int32Array.of(1, 0, 2, 3), fc2: Int32Array.of(1, 0) };
    const map = (to: number, from: number) => (to + from === 2 && to !== from ? swapped : identity);
    expect(cycleError(spec, 3, map)).toBe((2 / 4 + 2 / 2) / 2);
    // Of the four triples of four models, only 0-1-2 and 0-2-3 go that way.
    expect(cycleError(spec, 4, map)).toBe((2 * (2 / 4 + 2 / 2)) / 8);
  });

  it('goes from a model to the unit that corresponds to it in the next', () => {
    const matching = { 10: [1, 2, 3, 0], 21: [2, 0, 1, 3], 20: [3, 1, 0, 2] };
    const fc1 = (to: number, from: number): Int32Array => {
      const key = `${Math.max(to, from)}${Math.min(to, from)}` as unknown as keyof typeof matching;
      const p = Int32Array.from(matching[key]); // unit i of the lower model is unit p[i] of the higher
      return to < from ? p : invertPermutations({ p }).p!;
    };
    // Unit u of model 0 is unit a[u] of 1, which is unit b[a[u]] of 2, which is the unit of 0 whose partner in 2 it is.
    const [a, b, c] = [matching[10], matching[21], matching[20]];
    const astray = [0, 1, 2, 3].filter((unit) => c.indexOf(b[a[unit]!]!) !== unit).length;
    expect(astray).toBeGreaterThan(0);
    const map = (to: number, from: number) => ({ fc1: fc1(to, from), fc2: identity.fc2! });
    expect(cycleError(spec, 3, map)).toBe(astray / 4 / 2);
  });

  it('is 0 where there is nothing to go round, or nothing to permute', () => {
    expect(cycleError(spec, 2, () => randomPermutations(spec, 1))).toBe(0);
    expect(cycleError(mlpSpec(3, 2), 3, () => ({}))).toBe(0);
  });
});
