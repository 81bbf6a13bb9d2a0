/** Weight matching of networks so small that the best of all permutations is known (../shared/reference/tiny). */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { weightMatching } from '../../src/rebasin/matching/weight-matching.ts';
import { permuteValues } from '../../src/rebasin/spec/apply-permutation.ts';
import { useContext } from '../support/context.ts';
import { mlpSpec } from '../support/rebasin-networks.ts';

type Weights = Record<string, number[] | number[][]>;
type Named<T> = Record<string, T>;

interface Reference {
  tiny_mlps: {
    arch: string;
    A: Weights;
    B: Weights;
    identity: number;
    weight_matching: { perms: Named<number[]>; objective_per_sweep: number[] };
    exhaustive_maximum: { objective: number };
  }[];
  planted: {
    arch: string;
    A: Weights;
    planted: Named<number[]>;
    inverse: Named<number[]>;
    objective: number;
  };
}

const path = new URL('../../../shared/reference/tiny/reference.json', import.meta.url);
const present = existsSync(path);
if (!present) console.log('skipped: matching of ../shared/reference/tiny, which is not there');

const specOf = (arch: string) => mlpSpec(...arch.slice('mlp:'.length).split('-').map(Number));
const values = (weights: Weights) =>
  new Map(Object.entries(weights).map(([name, rows]) => [name, Float32Array.from(rows.flat())]));
/** The reference's group P1 is our fc1, and so on. */
const permutationsOf = (perms: Named<number[]>) =>
  Object.fromEntries(Object.entries(perms).map(([name, p]) => [name.replace('P', 'fc'), Int32Array.from(p)]));

describe.skipIf(!present)('weightMatching of the tiny networks', () => {
  const context = useContext();
  const reference = present ? (JSON.parse(readFileSync(path, 'utf8')) as Reference) : undefined;

  it('takes the steps of the reference, and never passes the exhaustive maximum', async () => {
    for (const network of reference!.tiny_mlps) {
      const spec = specOf(network.arch);
      const result = await weightMatching(context(), { spec, a: values(network.A), b: values(network.B) });
      const expected = network.weight_matching;
      expect(result.permutations).toEqual(permutationsOf(expected.perms));
      const objectives = [result.objective.before, ...result.objectivePerSweep];
      expect(objectives).toHaveLength(expected.objective_per_sweep.length);
      for (const [k, value] of expected.objective_per_sweep.entries()) {
        expect(objectives[k]).toBeCloseTo(value, 5);
      }
      expect(result.objective.after).toBeLessThanOrEqual(network.exhaustive_maximum.objective + 1e-6);
    }
  });

  it('reaches the exhaustive maximum of most in some random order', async () => {
    let reached = 0;
    for (const network of reference!.tiny_mlps) {
      const models = { spec: specOf(network.arch), a: values(network.A), b: values(network.B) };
      let best = Number.NEGATIVE_INFINITY;
      for (let seed = 0; seed < 8; seed++) {
        const { objective } = await weightMatching(context(), { ...models, order: 'random', seed });
        best = Math.max(best, objective.after);
      }
      if (best > network.exhaustive_maximum.objective - 1e-5) reached++;
    }
    expect(reached).toBeGreaterThanOrEqual(reference!.tiny_mlps.length - 1);
  });

  it('recovers the planted permutation', async () => {
    const { arch, A, planted, inverse, objective } = reference!.planted;
    const spec = specOf(arch);
    const a = values(A);
    const b = permuteValues(spec, permutationsOf(planted), a);
    const result = await weightMatching(context(), { spec, a, b });
    expect(result.permutations).toEqual(permutationsOf(inverse));
    expect(result.objective.after).toBeCloseTo(objective, 5);
  });
});
