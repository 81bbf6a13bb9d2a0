/** Barriers between three networks, two of which were matched to the first. */
import { beforeAll, describe, expect, it } from 'vitest';
import { OptionError, UnsupportedError } from '../../../src/base/errors.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { matchedBarriers } from '../../../src/rebasin/analysis/matched-barriers.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { digitsOn, plausibleValues, trainBarely } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const model = mlp({ widths: [784, 16, 10] });
const LAMBDA = [0, 0.5, 1];

let trained: HostTensors[] = [];
beforeAll(async () => {
  trained = [await trainBarely(context(), model, 1), await trainBarely(context(), model, 2)];
});

function shuffled(of: Model, values: HostTensors, seed: number): Map<string, Float32Array> {
  const spec = derivePermutationSpec([forwardGraph(of).logits]);
  return permuteValues(spec, randomPermutations(spec, seed), values);
}

function near(values: HostTensors, by: number): Map<string, Float32Array> {
  return new Map([...values].map(([name, x]) => [name, x.map((v, i) => v * (1 + by * ((i % 5) - 2)))]));
}

describe('matchedBarriers', () => {
  it('brings shuffled copies back, so that no two of the three have a barrier, where unmatched all have', async () => {
    const a = trained[0]!;
    const networks = [a, shuffled(model, near(a, 0.01), 3), shuffled(model, near(a, -0.01), 4)];
    const data = { test: digitsOn(context(), 100, 'test') };
    const call = { model, networks, lambda: LAMBDA, data };
    const [naive, matched] = [
      await matchedBarriers(context(), { ...call, method: 'none' }),
      await matchedBarriers(context(), call),
    ];
    expect(naive.pairs.map((pair) => pair.networks.join())).toEqual(['A,B', 'A,C', 'B,C']);
    expect(matched.pairs.map((pair) => pair.networks.join())).toEqual(['A,pi(B)', 'A,pi(C)', 'pi(B),pi(C)']);
    expect(matched.method).toBe('weight');
    expect(matched.pairs[0]!.distance).toBe(matched.matches.B!.fields.distance.after);
    expect(matched.pairs[2]!.distance).toBeGreaterThan(0);
    expect(matched.pairs[2]!.distance).toBeLessThan(naive.pairs[2]!.distance / 10);
    for (const [i, { curves }] of matched.pairs.entries()) {
      expect(curves.test!.barrier.loss).toBeLessThan(1e-3);
      expect(naive.pairs[i]!.curves.test!.barrier.loss).toBeGreaterThan(0.1);
    }
    expect(matched.matches.B!.aligned).toEqual(near(a, 0.01));
    expect(matched.matches.C!.aligned).toEqual(near(a, -0.01));
    data.test.destroy();
  });

  it('sweeps from the first to the second of each pair, as sweep does, corrected where it is told to', async () => {
    const [a, b] = trained as [HostTensors, HostTensors];
    const data = { test: digitsOn(context(), 60, 'test') };
    const { matches, pairs } = await matchedBarriers(context(), {
      model,
      networks: [a, b],
      lambda: LAMBDA,
      data,
    });
    expect(pairs).toHaveLength(1);
    const arenas = [a, matches.B!.aligned].map((values) => {
      const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
      arena.write(values);
      return arena;
    });
    expect(pairs[0]!.curves).toEqual(
      await sweep(context(), { model, a: arenas[0]!, b: arenas[1]!, lambda: LAMBDA, data }),
    );
    for (const arena of arenas) arena.destroy();

    const normed = mlp({ widths: [784, 8, 10], norm: 'batch' });
    const networks = [1, 2, 3].map((seed) => plausibleValues(normed, seed));
    const call = { model: normed, networks, lambda: LAMBDA, data, method: 'none' } as const;
    const raw = await matchedBarriers(context(), call);
    const reset = await matchedBarriers(context(), { ...call, renormalise: 'reset', statistics: data.test });
    const half = ({ pairs: all }: typeof raw) => all.map(({ curves }) => curves.test!.midpoint.loss);
    for (const [i, loss] of half(reset).entries()) expect(loss).not.toBe(half(raw)[i]);
    data.test.destroy();
  });

  it('refuses what cannot be done before any work, says what it does, and stops when aborted', async () => {
    const a = trained[0]!;
    const data = { test: digitsOn(context(), 50, 'test') };
    const stages: string[] = [];
    const sweeps: (readonly [number, number, string])[] = [];
    const call = {
      ...{ model, networks: trained, lambda: LAMBDA, data },
      onProgress: ({ stage }: { stage: string }) => stages.push(stage),
    };
    await expect(matchedBarriers(context(), { ...call, networks: [a] })).rejects.toThrow(OptionError);
    await expect(matchedBarriers(context(), { ...call, networks: [a, a, a, a] })).rejects.toThrow(/got 4/);
    await expect(matchedBarriers(context(), { ...call, lambda: [0, 0.5] })).rejects.toThrow(OptionError);
    await expect(matchedBarriers(context(), { ...call, method: 'activation' })).rejects.toThrow(/images/);
    await expect(matchedBarriers(context(), { ...call, renormalise: 'repair' })).rejects.toThrow(/images/);
    await expect(matchedBarriers(context(), { ...call, renormalise: 'reset' })).rejects.toThrow(
      UnsupportedError,
    );
    expect(stages).toEqual([]);
    await matchedBarriers(context(), call);
    expect([...new Set(stages)]).toEqual(['match B', 'sweep']);
    await matchedBarriers(context(), {
      ...{ ...call, method: 'none', networks: [a, a, a] },
      onProgress: ({ stage, done, total, note }) => stage === 'sweep' && sweeps.push([done, total, note]),
    });
    expect(sweeps.map(([done, total]) => done / total)).toEqual(sweeps.map((_, i) => (i + 1) / 9));
    expect(sweeps.map(([, , note]) => note)).toEqual(
      ['A to B', 'A to C', 'B to C'].flatMap((note) => [note, note, note]),
    );
    const controller = new AbortController();
    const aborted = matchedBarriers(context(), {
      ...{ ...call, signal: controller.signal },
      onProgress: ({ stage }) => stage === 'sweep' && controller.abort(),
    });
    await expect(aborted).rejects.toThrow(/abort/i);
    data.test.destroy();
  });
});
