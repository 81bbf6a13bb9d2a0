/** Analyses end to end: what they are put together from, and that they put it together rightly. */
import { beforeAll, describe, expect, it } from 'vitest';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { analyseNetworks } from '../../../src/rebasin/analysis/analyse.ts';
import { matchedBarriers } from '../../../src/rebasin/analysis/matched-barriers.ts';
import { analyseSingularVectors } from '../../../src/rebasin/analysis/singular-vectors.ts';
import { taylorBarrier } from '../../../src/rebasin/analysis/taylor-barrier.ts';
import type { HostTensors } from '../../../src/runtime/arena.ts';
import { digitsOn, plausibleValues, trainBarely } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const model = mlp({ widths: [784, 12, 10] });
const LAMBDA = [0, 0.5, 1];

let networks: HostTensors[] = [];
beforeAll(async () => {
  networks = [];
  for (const seed of [1, 2, 3]) networks.push(await trainBarely(context(), model, seed));
});

describe('analyseNetworks', () => {
  it('tells of each method what its parts tell, the networks as they are first', async () => {
    const data = digitsOn(context(), 80, 'test');
    const [a, b] = networks as [HostTensors, HostTensors];
    const stages: string[] = [];
    const { matchings, singular, lambda } = await analyseNetworks(context(), {
      ...{ model, networks: [a, b], methods: ['weight', 'random', 'weight'], lambda: LAMBDA, data, seed: 4 },
      onProgress: ({ stage }) => stages.at(-1) !== stage && stages.push(stage),
    });
    expect(lambda).toEqual(LAMBDA);
    expect(matchings.map(({ align }) => align)).toEqual(['none', 'weight', 'random']);
    for (const [i, method] of (['none', 'weight', 'random'] as const).entries()) {
      const { matches, pairs } = await matchedBarriers(context(), {
        ...{ model, networks: [a, b], method, lambda: LAMBDA, data: { test: data }, seed: 4 },
      });
      const { aligned, fields } = matches.B!;
      const taylor = await taylorBarrier(context(), { model, a, b: aligned, data, lambda: LAMBDA });
      const vectors = await analyseSingularVectors(context(), { model, a, b, aligned, merges: false });
      const { score, kept } = vectors.alignment[1]!;
      expect(matchings[i]).toEqual({
        ...{ align: method, distance: fields.distance.after, curve: pairs[0]!.curves.test },
        reduction: (fields.distance.before - fields.distance.after) / fields.distance.before,
        taylor: { barrier: taylor.barrier, loss: taylor.loss, ends: taylor.ends },
        ...{ alignment: { score, kept }, matches: method === 'none' ? {} : { B: fields } },
      });
      if (method !== 'weight') continue;
      // Means and input directions are told of the first method.
      expect(singular!.alignment.slice(0, 2)).toEqual(vectors.alignment);
      expect(singular!.alignment).toHaveLength(6);
      expect(singular!.invariance).toBe(vectors.invariance);
      expect(singular!.layers.map(({ inputDirections }) => inputDirections?.a.length)).toEqual([12, 10]);
    }
    const begin = ['sweep', 'Taylor estimate', 'weight: match B', 'weight: sweep', 'weight: Taylor estimate'];
    expect(stages.slice(0, 5)).toEqual(begin);
    expect(stages).toContain('random: singular vectors: decompose');
    data.destroy();
  });

  it('of three tells of every two; without singular vectors; the networks alone where no method is named', async () => {
    const data = digitsOn(context(), 60, 'test');
    const three = await analyseNetworks(context(), {
      ...{ model, networks, methods: ['weight'], lambda: LAMBDA, data, singularVectors: false },
    });
    expect(three.singular).toBeUndefined();
    const [naive, matched] = three.matchings;
    expect(matched!.alignment).toBeUndefined();
    expect(naive!.pairs!.map((pair) => pair.networks.join())).toEqual(['A,B', 'A,C', 'B,C']);
    expect(matched!.pairs![0]).toEqual({
      ...{ networks: ['A', 'pi(B)'], distance: matched!.distance },
      ...{ barrier: matched!.curve.barrier, midpoint: matched!.curve.midpoint },
    });
    expect(Object.keys(matched!.matches)).toEqual(['B', 'C']);

    const alone = await analyseNetworks(context(), {
      ...{ model, networks: networks.slice(0, 2), methods: [], lambda: LAMBDA, data },
    });
    expect(alone.matchings).toHaveLength(1);
    expect(alone.matchings[0]!.alignment!.score).toEqual(alone.singular!.alignment[0]!.score);
    expect(alone.singular!.invariance).toBe(0);
    data.destroy();
  });

  it('estimates the line that is not re-normalised, and tells its barrier beside the corrected one', async () => {
    const normed = mlp({ widths: [784, 8, 10], norm: 'batch' });
    const ends = [plausibleValues(normed, 1), plausibleValues(normed, 2)];
    const data = digitsOn(context(), 60, 'test');
    const call = { model: normed, networks: ends, methods: [], lambda: LAMBDA, data, singularVectors: false };
    const [plain] = (await analyseNetworks(context(), call)).matchings;
    const [reset] = (await analyseNetworks(context(), { ...call, renormalise: 'reset', statistics: data }))
      .matchings;
    expect(plain!.plainBarrier).toBeUndefined();
    expect(reset!.plainBarrier).toEqual(plain!.curve.barrier);
    expect(reset!.taylor).toEqual(plain!.taylor);
    expect(reset!.curve.loss).not.toEqual(plain!.curve.loss);
    data.destroy();
  });

  it('stops when aborted, whatever it is at', async () => {
    const data = digitsOn(context(), 50, 'test');
    for (const at of ['sweep', 'Taylor estimate', 'weight: singular vectors: decompose']) {
      const controller = new AbortController();
      const aborted = analyseNetworks(context(), {
        ...{ model, networks: networks.slice(0, 2), methods: ['weight'], lambda: LAMBDA, data },
        signal: controller.signal,
        onProgress: ({ stage }) => stage === at && controller.abort(),
      });
      await expect(aborted, at).rejects.toThrow(/abort/i);
    }
    data.destroy();
  });
});
