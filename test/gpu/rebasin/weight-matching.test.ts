import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add } from '../../../src/nn/ops/arithmetic.ts';
import { input, linear, parameter } from '../../../src/nn/ops/index.ts';
import { scoredDistance, scoredObjective } from '../../../src/rebasin/matching/objective.ts';
import { type MatchingProgress, weightMatching } from '../../../src/rebasin/matching/weight-matching.ts';
import { invertPermutations, permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { useContext } from '../../support/context.ts';
import { mlpSpec, randomValues, residualMlp, unusualSpecs } from '../../support/rebasin-networks.ts';

const context = useContext();

const plain = {
  'an MLP': mlpSpec(9, 16, 13, 11, 4),
  'a residual MLP': derivePermutationSpec([residualMlp(12, 7)]),
};

describe.each(Object.entries({ ...plain, ...unusualSpecs() }))('weightMatching on %s', (_name, spec) => {
  it('finds the inverse of a permutation that was applied', async () => {
    for (const order of ['graph', 'random'] as const) {
      const a = randomValues(spec, 1);
      const planted = randomPermutations(spec, 2);
      const result = await weightMatching(context(), { spec, a, b: permuteValues(spec, planted, a), order });
      expect(result.permutations).toEqual(invertPermutations(planted));
      expect(result.objective.after).toBe(scoredObjective(spec, a, a));
      expect(result.distance.after).toBe(0);
      expect(result.converged).toBe(true);
    }
  });

  it('never lets the objective fall, and ends where no group alone can gain', async () => {
    const [a, b] = [randomValues(spec, 3), randomValues(spec, 4)];
    const seen: MatchingProgress[] = [];
    const result = await weightMatching(context(), {
      spec,
      a,
      b,
      onProgress: (progress) => seen.push(progress),
    });
    const objectives = [result.objective.before, ...result.objectivePerSweep];
    expect(objectives).toEqual(objectives.toSorted((x, y) => x - y));
    expect(objectives.at(-1)).toBe(result.objective.after);
    expect(seen.map(({ sweep }) => sweep)).toEqual(seen.map((_, index) => index + 1));
    expect(seen.map(({ objective }) => objective)).toEqual(result.objectivePerSweep);
    expect(seen.at(-1)!.changed).toBe(0);
    const matched = permuteValues(spec, result.permutations, b);
    expect(scoredObjective(spec, a, matched)).toBe(result.objective.after);
    expect(scoredDistance(spec, a, matched)).toBe(result.distance.after);
    for (const { name } of spec.groups) {
      for (let seed = 0; seed < 5; seed++) {
        const other = { ...result.permutations, [name]: randomPermutations(spec, seed)[name]! };
        expect(scoredObjective(spec, a, permuteValues(spec, other, b))).toBeLessThanOrEqual(
          result.objective.after,
        );
      }
    }
  });
});

describe('weightMatching', () => {
  const spec = mlpSpec(3, 4, 3, 2);
  const [a, b] = [randomValues(spec, 5), randomValues(spec, 6)];

  it('comes to the best of all permutations, or to one that no single group improves', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(100_000), async (seed) => {
        const [a, b] = [randomValues(spec, seed), randomValues(spec, seed + 1)];
        const { objective, permutations } = await weightMatching(context(), { spec, a, b });
        const value = (fc1: Int32Array, fc2: Int32Array) =>
          scoredObjective(spec, a, permuteValues(spec, { fc1, fc2 }, b));
        const { fc1, fc2 } = permutations;
        const first = Math.max(...everyOrder(4).map((p) => value(p, fc2!)));
        const second = Math.max(...everyOrder(3).map((p) => value(fc1!, p)));
        expect(objective.after).toBeCloseTo(first, 5);
        expect(objective.after).toBeCloseTo(second, 5);
      }),
      { numRuns: 10 },
    );
  });

  it('gives the same for the same seed, and in some random order something else', async () => {
    const wide = mlpSpec(6, 12, 12, 12, 3);
    const models = {
      spec: wide,
      a: randomValues(wide, 7),
      b: randomValues(wide, 8),
      order: 'random',
    } as const;
    const results = [];
    for (let seed = 0; seed < 6; seed++) results.push(await weightMatching(context(), { ...models, seed }));
    expect(await weightMatching(context(), { ...models, seed: 0 })).toEqual(results[0]);
    expect(new Set(results.map((result) => result.objective.after)).size).toBeGreaterThan(1);
  });

  it('says when it was stopped by maxSweeps', async () => {
    const result = await weightMatching(context(), { spec, a, b, maxSweeps: 1 });
    expect(result).toMatchObject({ sweeps: 1, converged: false });
    expect((await weightMatching(context(), { spec, a, b })).converged).toBe(true);
  });

  it('moves nothing between equal models, nor where there is nothing to move', async () => {
    const same = await weightMatching(context(), { spec, a, b: a });
    expect(same.permutations).toEqual({ fc1: Int32Array.of(0, 1, 2, 3), fc2: Int32Array.of(0, 1, 2) });
    const single = mlpSpec(3, 2);
    const values = randomValues(single, 1);
    const result = await weightMatching(context(), { spec: single, a: values, b: values });
    expect(result).toMatchObject({ permutations: {}, sweeps: 1, converged: true });
  });

  it('takes dead units for ties and ends', async () => {
    const dead = permuteValues(spec, { fc1: Int32Array.of(0, 1, 2, 3), fc2: Int32Array.of(0, 1, 2) }, a);
    for (const value of dead.values()) value.fill(0);
    const result = await weightMatching(context(), { spec, a: dead, b });
    expect(result).toMatchObject({ sweeps: 1, converged: true });
  });

  it('leaves buffers out of the objective', async () => {
    const withBuffers = unusualSpecs()['zero-padded channels']!;
    const [a, b] = [randomValues(withBuffers, 1), randomValues(withBuffers, 2)];
    const result = await weightMatching(context(), { spec: withBuffers, a, b });
    const huge = new Map(b).set(
      'bn.running_var',
      b.get('bn.running_var')!.map((x) => 1e6 * x),
    );
    expect(await weightMatching(context(), { spec: withBuffers, a, b: huge })).toEqual(result);
  });

  it('names the tensor that does not fit', async () => {
    const match = (b: Map<string, Float32Array>) => weightMatching(context(), { spec, a, b });
    const without = new Map(b);
    without.delete('fc2.bias');
    await expect(match(without)).rejects.toThrow('"fc2.bias" of shape [3] needs 3 values, model B has none');
    await expect(match(new Map(b).set('fc1.bias', new Float32Array(5)))).rejects.toThrow(
      '"fc1.bias" of shape [4] needs 4',
    );
    await expect(match(new Map(b).set('bn.scale', new Float32Array(5)))).rejects.toThrow(
      'model B has "bn.scale"',
    );
    const bad = new Map(b).set('fc3.weight', Float32Array.of(0, 0, 0, Number.NaN, 0, 0));
    await expect(match(bad)).rejects.toMatchObject({
      name: 'DataError',
      message: expect.stringContaining('"fc3.weight" of model B has NaN at element 3'),
    });
  });

  it('refuses options it does not know', async () => {
    await expect(weightMatching(context(), { spec, a, b, maxSweeps: 0 })).rejects.toThrow('positive integer');
    const order = 'sorted' as 'graph';
    await expect(weightMatching(context(), { spec, a, b, order })).rejects.toThrow('got "sorted"');
  });

  it('refuses a quadratic objective by the name of the tensor', async () => {
    const x = linear(input('x', ['N', 3]), parameter('stem.weight', [4, 3]));
    const loop = add(x, linear(x, parameter('loop.weight', [4, 4])));
    const spec = derivePermutationSpec([linear(loop, parameter('head.weight', [2, 4]))]);
    const values = randomValues(spec, 1);
    await expect(weightMatching(context(), { spec, a: values, b: values })).rejects.toThrow('"loop.weight"');
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('enough'));
    await expect(weightMatching(context(), { spec, a, b, signal: stop.signal, onProgress })).rejects.toThrow(
      'enough',
    );
  });
});

/** All orders of 0 .. n - 1. */
function everyOrder(n: number): Int32Array[] {
  if (n === 0) return [new Int32Array()];
  return everyOrder(n - 1).flatMap((order) =>
    Array.from({ length: n }, (_, at) => Int32Array.of(...order.slice(0, at), n - 1, ...order.slice(at))),
  );
}
