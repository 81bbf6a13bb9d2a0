/** Comparing every method on one pair: each row is what matching and sweeping by hand give, and one matching serves all its rows. */
import { beforeAll, describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import type { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import {
  type CompareOptions,
  type CompareProgress,
  type Comparison,
  compareMethods,
} from '../../../src/rebasin/compare/compare.ts';
import { scoreNetworks } from '../../../src/rebasin/interpolation/scores.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { MATCHING_METHODS, matchModels } from '../../../src/rebasin/matching/match.ts';
import { mergeNetworks } from '../../../src/rebasin/merging/merge.ts';
import { RENORMALISATIONS, renormaliserFactory } from '../../../src/rebasin/renormalise/renormalisations.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { digitsOn, plausibleValues, trainBarely } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const MLP = parseModel('mlp:784-16-12-10');
const LAMBDA = [0, 0.5, 1];
const OF_PLAIN_NETWORKS = RENORMALISATIONS.filter((name) => name !== 'reset');

/** Everything but how long it took. */
const untimed = ({ matchings, rows, ...rest }: Comparison) => ({
  ...rest,
  matchings: matchings.map(({ seconds: _, ...matching }) => matching),
  rows: rows.map((row) => ({ ...row, runs: row.runs.map(({ seconds: _, ...run }) => run) })),
});

describe('compareMethods', () => {
  let [a, b] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
  beforeAll(async () => {
    [a, b] = [await trainBarely(context(), MLP, 1), await trainBarely(context(), MLP, 2)];
  });

  async function withImages<T>(body: (statistics: GpuDataset, test: GpuDataset) => Promise<T>): Promise<T> {
    const [statistics, test] = [digitsOn(context(), 60), digitsOn(context(), 50, 'test')];
    try {
      return await body(statistics, test);
    } finally {
      for (const owned of [statistics, test]) owned.destroy();
    }
  }

  const compare = (options: Partial<CompareOptions> = {}) =>
    withImages((statistics, test) =>
      compareMethods(context(), {
        ...{ model: MLP, a, b, lambda: LAMBDA, data: { test }, statistics },
        straightThrough: { data: statistics, evaluation: test, steps: 4, learningRate: 0.1 },
        ...options,
      }),
    );

  it('has a row for each matching and each re-normalisation that applies, and the reason for each that does not', async () => {
    const seen: CompareProgress[] = [];
    const found = await compare({ onProgress: (progress) => seen.push(progress) });
    expect(found.rows.map(({ align, renormalise }) => [align, renormalise])).toEqual(
      MATCHING_METHODS.flatMap((align) => OF_PLAIN_NETWORKS.map((renormalise) => [align, renormalise])),
    );
    expect(found.refused).toEqual([
      { renormalise: 'reset', reason: expect.stringContaining('no batch norm') },
    ]);
    expect(found.matchings.map(({ align }) => align)).toEqual(MATCHING_METHODS);
    const total = MATCHING_METHODS.length * (1 + OF_PLAIN_NETWORKS.length);
    expect(seen.at(-1)).toMatchObject({ done: total, total });
    expect(seen.every(({ done }, i) => done >= (seen[i - 1]?.done ?? 0))).toBe(true);
    expect(new Set(seen.map(({ note }) => note)).size).toBe(total);
    for (const { runs, test, train } of found.rows) {
      const [run] = runs;
      expect([runs.length, run!.seed, train, run!.train]).toEqual([1, 0, undefined, undefined]);
      expect(run!.test!.loss).toHaveLength(3);
      expect(run!.test!.calibrated.loss).toBeLessThanOrEqual(run!.test!.midpoint.loss);
      const { loss } = run!.test!.midpoint;
      expect(test!.midpoint.loss).toEqual({ mean: loss, min: loss, max: loss });
    }
  });

  it('says of each row what matching and sweeping by hand say', async () => {
    await withImages(async (statistics, test) => {
      const { rows, matchings, ends, ensemble } = await compare({
        methods: ['activation'],
        renormalisations: ['repair'],
        data: { test, train: statistics },
      });
      const options = { model: MLP, a, b, method: 'activation', statistics } as const;
      const { aligned, fields } = await matchModels(context(), options);
      expect(matchings[0]).toMatchObject({ objective: fields.objective, distance: fields.distance });
      const endpoints = [a, aligned].map((values) => {
        const arena = new Arena(context(), new ArenaLayout(stateEntries(MLP)));
        arena.write(values);
        return arena;
      });
      const settings = { model: MLP, endpoints, data: statistics };
      const curves = await sweep(context(), {
        ...{ model: MLP, a: endpoints[0]!, b: endpoints[1]!, lambda: LAMBDA },
        data: { test, train: statistics },
        renormalise: renormaliserFactory(context(), 'repair', settings),
        ends: 'raw',
      });
      for (const arena of endpoints) arena.destroy();
      const [run] = rows[0]!.runs;
      expect(run).toMatchObject(curves);

      // Half-way it is the merge of the same kind, and the ends are the networks themselves.
      const merged = await mergeNetworks(context(), { ...options, models: [a, b], renormalise: 'repair' });
      const networks = [merged.values, a, b];
      const [half, first, second] = await scoreNetworks(context(), { model: MLP, networks, images: test });
      expect(run!.test).toMatchObject({
        midpoint: { loss: half!.score.loss, accuracy: half!.score.accuracy },
        calibrated: half!.score.calibrated,
      });
      expect([run!.test!.loss[0], run!.test!.loss[2]]).toEqual([
        first!.score.loss,
        expect.closeTo(second!.score.loss, 5),
      ]);
      expect(ends.map(({ name, test: score }) => [name, score])).toEqual([
        ['A', first!.score],
        ['B', second!.score],
      ]);
      expect(ensemble.test!.loss).toBeLessThan((first!.score.loss + second!.score.loss) / 2);
      expect(ensemble.train).toBeDefined();
    });
  });

  it('is the same twice', async () => {
    const options = { methods: ['random', 'weight'], renormalisations: ['none', 'rescale'] } as const;
    expect(untimed(await compare(options))).toEqual(untimed(await compare(options)));
  });

  it('repeats with other seeds what depends on them', async () => {
    const { seeds, rows, matchings } = await compare({
      methods: ['none', 'random', 'weight', 'activation'],
      renormalisations: ['none'],
      order: 'random',
      seed: 5,
      seeds: 3,
    });
    expect(seeds).toEqual([5, 6, 7]);
    const seedsOf = (align: string) => rows.find((row) => row.align === align)!.runs.map(({ seed }) => seed);
    expect(['none', 'random', 'weight', 'activation'].map(seedsOf)).toEqual([[5], [5, 6, 7], [5, 6, 7], [5]]);
    expect(matchings.map(({ seed }) => seed)).toEqual([5, 5, 6, 7, 5, 6, 7, 5]);
    const random = rows[1]!;
    const losses = random.runs.map(({ test }) => test!.midpoint.loss);
    expect(new Set(losses).size).toBe(3);
    expect(random.test!.midpoint.loss).toEqual({
      mean: (losses[0]! + losses[1]! + losses[2]!) / 3,
      min: Math.min(...losses),
      max: Math.max(...losses),
    });
  });

  it('goes without a matching that cannot match the network, and says why', async () => {
    const model = parseModel('mlp:784-10');
    const [x, y] = [plausibleValues(model, 1), plausibleValues(model, 2)];
    const { rows, refused } = await compare({ model, a: x, b: y, methods: ['none', 'straight-through'] });
    expect(rows.map(({ align, renormalise }) => [align, renormalise])).toEqual([
      ['none', 'none'],
      ['none', 'bias'],
    ]);
    expect(refused.filter(({ renormalise }) => renormalise === 'repair')[0]!.reason).toMatch(
      /no hidden layer/,
    );
    expect(refused.at(-1)).toEqual({
      align: 'straight-through',
      reason: expect.stringContaining('no units that could be permuted'),
    });
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const onProgress = ({ done }: CompareProgress) => {
      if (done >= 1.5) stop.abort(new Error('enough'));
    };
    await expect(compare({ signal: stop.signal, onProgress })).rejects.toThrow('enough');
  });

  it.each([
    [{ methods: [] }, /expected matching methods among none, random, .*, got none/],
    [{ methods: ['magic' as 'none'] }, /got "magic"/],
    [
      { renormalisations: ['magic' as 'none'] },
      /expected re-normalisations among none, reset, .*, got "magic"/,
    ],
    [{ lambda: [0, 0.25, 0.75, 1] }, /lambda needs the point 0.5/],
    [{ seeds: 0 }, /seeds must be a positive integer, got 0/],
    [{ data: {} }, /expected images to evaluate on/],
    [{ statistics: undefined }, /measures statistics, give it images/],
  ] as const)('refuses %o before any work', async (options, message) => {
    const work = compare({ ...(options as Partial<CompareOptions>), onProgress: () => expect.fail('work') });
    await expect(work).rejects.toThrow(OptionError);
    await expect(work).rejects.toThrow(message);
  });
});
