import { describe, expect, it } from 'vitest';
import { type Matcher, randomMatcher, weightMatcher } from '../../../src/rebasin/matching/matcher.ts';
import { CommonFrame } from '../../../src/rebasin/merging/common-frame.ts';
import {
  MERGING_METHODS,
  type Merging,
  type MergingMethod,
  mergeModels,
} from '../../../src/rebasin/merging/merge-models.ts';
import type { MergingProgress } from '../../../src/rebasin/merging/merging-run.ts';
import { permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { identityPermutations } from '../../../src/rebasin/spec/axis-index.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { useContext } from '../../support/context.ts';
import { mlpSpec, randomValues, residualMlp, unusualSpecs } from '../../support/rebasin-networks.ts';

const context = useContext();

const ALIGNING = MERGING_METHODS.filter((method) => method !== 'none');
const PAIRWISE: readonly MergingMethod[] = ['reference', 'sequential', 'hierarchical'];
const JOINT: readonly MergingMethod[] = ['merge-many', 'cycle-consistent'];

const spec = mlpSpec(9, 16, 13, 11, 4);
const independent = (count: number, of = spec) =>
  Array.from({ length: count }, (_, seed) => randomValues(of, 40 + seed));

/** Everything but the method's name. */
const outcome = ({ method: _, ...rest }: Merging) => rest;

/** That the result says the same thing in all its parts. */
function expectConsistent(merging: Merging, models: Map<string, Float32Array>[], of = spec) {
  const frame = new CommonFrame(of, models);
  for (const [model, permutations] of merging.permutations.entries()) frame.place(model, permutations);
  expect(merging.merged).toEqual(frame.mean());
  expect(merging.objective.after).toBe(frame.objective());
  expect(merging.distances.at(-1)).toBe(frame.spread());
  expect(merging.distances).toHaveLength(merging.rounds + 1);
}

describe.each(ALIGNING)('mergeModels by %s', (method) => {
  it.each([
    ['an MLP', spec],
    ['a residual MLP', derivePermutationSpec([residualMlp(12, 7)])],
    ['zero-padded channels', unusualSpecs()['zero-padded channels']!],
  ])('recovers one model from 2, 3 and 4 permuted copies: %s', async (_name, of) => {
    const model = randomValues(of, 1);
    for (const count of [2, 3, 4]) {
      const models = Array.from({ length: count }, (_, copy) =>
        permuteValues(of, randomPermutations(of, 10 * count + copy), model),
      );
      const merging = await mergeModels(context(), { method, spec: of, models, measureCycles: true });
      const frame = permuteValues(of, merging.permutations[0]!, models[0]!);
      for (const [copy, permutations] of merging.permutations.entries()) {
        expect(permuteValues(of, permutations, models[copy]!)).toEqual(frame);
      }
      // Sums of up to four equal f32 numbers are exact in f64, and so is what dividing them gives back.
      expect(merging.merged).toEqual(frame);
      expect(merging).toMatchObject({ method, converged: true, cycleError: 0 });
      expect(merging.distances.at(-1)).toBe(0);
      expectConsistent(merging, models, of);
    }
  });

  it('brings independent models closer together than they were, the same way each time', async () => {
    const models = independent(4);
    const copies = models.map((model) => new Map([...model].map(([name, values]) => [name, values.slice()])));
    const run = () => mergeModels(context(), { method, spec, models, seed: 3, measureCycles: true });
    const merging = await run();
    expect(await run()).toEqual(merging);
    expect(models).toEqual(copies);
    expectConsistent(merging, models);
    expect(merging.distances.at(-1)).toBeLessThan(merging.distances[0]!);
    expect(merging.objective.after).toBeGreaterThan(merging.objective.before);
  });

  it('stops when told to, before and between matchings', async () => {
    const models = independent(4);
    const stop = new AbortController();
    const seen: MergingProgress[] = [];
    const onProgress = (progress: MergingProgress) => {
      if (seen.push(progress) === 2) stop.abort(new Error('enough'));
    };
    const options = { method, spec, models, signal: stop.signal };
    await expect(mergeModels(context(), { ...options, onProgress })).rejects.toThrow('enough');
    expect(seen.map(({ done }) => done)).toEqual([1, 2]);
    await expect(mergeModels(context(), options)).rejects.toThrow('enough');
  });
});

describe('mergeModels by rounds', () => {
  it.each(JOINT)('never raises the distance, nor lowers the objective: %s', async (method) => {
    const reference = await mergeModels(context(), { method: 'reference', spec, models: independent(5) });
    for (const seed of [0, 1, 2]) {
      const merging = await mergeModels(context(), { method, spec, models: independent(5), seed });
      const rounds = merging.distances.slice(method === 'cycle-consistent' ? 1 : 0);
      expect(rounds.length).toBeGreaterThan(2);
      expect(rounds).toEqual(rounds.toSorted((x, y) => y - x));
      expect(new Set(rounds.slice(0, -1)).size).toBe(rounds.length - 1); // only the last round changes nothing
      expect(rounds.at(-1)).toBe(rounds.at(-2));
      expect(merging.converged).toBe(true);
      if (method === 'cycle-consistent') {
        expect(rounds[0]).toBe(reference.distances.at(-1));
        expect(merging.objective.after).toBeGreaterThan(reference.objective.after);
      }
    }
  });

  it('cycle-consistent ends where no permutation of one group of one model gains', async () => {
    const small = mlpSpec(3, 4, 3, 2);
    const models = independent(3, small);
    const { permutations, objective } = await mergeModels(context(), {
      method: 'cycle-consistent',
      spec: small,
      models,
    });
    for (const model of models.keys()) {
      for (const { name, size } of small.groups) {
        for (const order of everyOrder(size)) {
          const frame = new CommonFrame(small, models);
          for (const [index, of] of permutations.entries()) {
            frame.place(index, index === model ? { ...of, [name]: order } : of);
          }
          // Steps that gain less than f32 products resolve are not taken.
          expect(frame.objective()).toBeLessThanOrEqual(objective.after + 1e-5);
        }
      }
    }
  });

  it('moves nothing towards a matcher that knows nothing', async () => {
    const model = randomValues(spec, 1);
    const models = [model, model, model];
    const matcher = randomMatcher(spec, 1);
    const merging = await mergeModels(context(), { method: 'merge-many', spec, models, matcher });
    expect(merging.permutations).toEqual(models.map(() => identityPermutations(spec)));
    expect(merging).toMatchObject({ rounds: 1, converged: true, cycleError: 0 });
  });
});

describe('mergeModels by pairs', () => {
  it('matches the pairs that each method names, and composes', async () => {
    const models = independent(5);
    const match = weightMatcher(context(), { spec });
    const by = async (method: MergingMethod) =>
      (await mergeModels(context(), { method, spec, models, matcher: match })).permutations;
    const identity = identityPermutations(spec);
    const [reference, sequential, hierarchical] = [
      await by('reference'),
      await by('sequential'),
      await by('hierarchical'),
    ];
    for (const model of [1, 2, 3, 4]) {
      expect(reference[model]).toEqual(await match(models[0]!, models[model]!));
    }
    let chain = models[4]!;
    for (const to of [3, 2, 1, 0]) {
      const step = await match(models[to]!, models[to + 1]!);
      chain = permuteValues(spec, step, chain);
    }
    expect(permuteValues(spec, sequential[4]!, models[4]!)).toEqual(chain);
    // ((0 1) (2 3)) 4: the tree of five
    const mean = (frame: CommonFrame, count: number) =>
      new Map(
        [...frame.sum(Array.from({ length: count }, (_, i) => i))].map(([name, sum]) => [
          name,
          Float32Array.from(sum, (value) => value / count),
        ]),
      );
    const left = new CommonFrame(spec, models.slice(0, 2));
    left.place(1, await match(models[0]!, models[1]!));
    const right = new CommonFrame(spec, models.slice(2, 4));
    right.place(1, await match(models[2]!, models[3]!));
    const step = await match(mean(left, 2), mean(right, 2));
    const four = new CommonFrame(spec, [
      left.aligned(0),
      left.aligned(1),
      permuteValues(spec, step, right.aligned(0)),
      permuteValues(spec, step, right.aligned(1)),
    ]);
    expect(permuteValues(spec, hierarchical[3]!, models[3]!)).toEqual(four.aligned(3));
    expect(hierarchical[4]).toEqual(await match(mean(four, 4), models[4]!));
    for (const permutations of [reference, sequential, hierarchical])
      expect(permutations[0]).toEqual(identity);
  });

  it('measures the cycle error of all pairs where asked to: the same for each method, and not 0', async () => {
    const models = independent(4);
    const seen: MergingProgress[] = [];
    const onProgress = (progress: MergingProgress) => seen.push(progress);
    const errors = [];
    for (const method of PAIRWISE) {
      expect(await mergeModels(context(), { method, spec, models })).not.toHaveProperty('cycleError');
      seen.length = 0;
      const merging = await mergeModels(context(), { method, spec, models, measureCycles: true, onProgress });
      errors.push(merging.cycleError!);
      // Three matchings merge four models; all pairs are six, of which some are known.
      const known = { reference: 3, sequential: 3, hierarchical: 2 }[method as 'reference'];
      const steps = (stage: string, count: number) =>
        Array.from({ length: count }, (_, k) => [stage, k + 1, count]);
      expect(seen.map(({ stage, done, total }) => [stage, done, total])).toEqual([
        ...steps('match', 3),
        ...steps('cycles', 6 - known),
      ]);
      expect(seen.at(-1)!.rounds).toBe(method === 'hierarchical' ? 2 : 1);
    }
    expect(errors[0]).toBeGreaterThan(0);
    expect(new Set(errors).size).toBe(1);
    for (const method of JOINT) {
      expect((await mergeModels(context(), { method, spec, models })).cycleError).toBe(0);
    }
  });

  it('gives two models the same permutations, whichever method', async () => {
    const models = independent(2);
    const reference = await mergeModels(context(), { method: 'reference', spec, models });
    for (const method of ['sequential', 'hierarchical'] as const) {
      expect(outcome(await mergeModels(context(), { method, spec, models }))).toEqual(outcome(reference));
    }
  });
});

describe('mergeModels', () => {
  it('averages the models as they are by none', async () => {
    const models = independent(3);
    const merging = await mergeModels(context(), { method: 'none', spec, models });
    expect(merging).toMatchObject({ rounds: 0, converged: true, cycleError: 0 });
    expect(merging.merged).toEqual(new CommonFrame(spec, models).mean());
    expect(merging.objective.after).toBe(merging.objective.before);
  });

  it('takes any matcher; random ones differ from call to call and give a cycle error near 1', async () => {
    const wide = mlpSpec(3, 60, 2);
    const models = independent(4, wide);
    const run = () =>
      mergeModels(context(), {
        method: 'reference',
        spec: wide,
        models,
        matcher: randomMatcher(wide, 7),
        measureCycles: true,
      });
    const merging = await run();
    expect(await run()).toEqual(merging);
    expect(merging.permutations[1]).not.toEqual(merging.permutations[2]);
    expect(merging.cycleError).toBeGreaterThan(0.9);
  });

  it('refuses what it cannot merge, by name', async () => {
    const [a, b] = independent(2) as [Map<string, Float32Array>, Map<string, Float32Array>];
    const merge = (models: Map<string, Float32Array>[], more: object = {}) =>
      mergeModels(context(), { method: 'merge-many', spec, models, ...more });
    await expect(merge([a])).rejects.toThrow('at least two models, got 1');
    await expect(merge([a, b], { method: 'average' })).rejects.toMatchObject({
      name: 'OptionError',
      message: expect.stringContaining('none, reference, sequential'),
    });
    await expect(merge([a, b], { seed: -1 })).rejects.toMatchObject({ name: 'OptionError' });
    const narrow = randomValues(mlpSpec(9, 16, 13, 4), 1);
    await expect(merge([a, b, narrow])).rejects.toThrow('model 2');
    const bad = new Map(b).set('fc1.bias', b.get('fc1.bias')!.slice().fill(Number.NaN, 3, 4));
    await expect(merge([a, bad])).rejects.toMatchObject({
      name: 'DataError',
      message: expect.stringContaining('"fc1.bias" of model 1 has NaN at element 3'),
    });
    const wrong: Matcher = async () => ({ ...identityPermutations(spec), fc2: new Int32Array(13) });
    await expect(merge([a, b], { matcher: wrong })).rejects.toThrow('mergeModels: the matcher');
  });
});

/** All orders of 0 .. n - 1. */
function everyOrder(n: number): Int32Array[] {
  if (n === 0) return [new Int32Array()];
  return everyOrder(n - 1).flatMap((order) =>
    Array.from({ length: n }, (_, at) => Int32Array.of(...order.slice(0, at), n - 1, ...order.slice(at))),
  );
}
