/** Merging from end to end: what comes out is the mean that was asked for, corrected, whatever matched and whatever corrects it. */
import { describe, expect, it } from 'vitest';
import { OptionError, UnsupportedError } from '../../../src/base/errors.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { evaluateLogits, mixLogits } from '../../../src/rebasin/interpolation/logits.ts';
import { scoreNetworks } from '../../../src/rebasin/interpolation/scores.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { MATCHING_METHODS, provenSpec } from '../../../src/rebasin/matching/match.ts';
import {
  type MergeOptions,
  type MergeProgress,
  mergeNetworks,
  scoreMerge,
} from '../../../src/rebasin/merging/merge.ts';
import { diagnoseMerge } from '../../../src/rebasin/merging/merge-collapse.ts';
import { MERGING_METHODS } from '../../../src/rebasin/merging/merge-models.ts';
import {
  type Renormalisation,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from '../../../src/rebasin/renormalise/renormalisations.ts';
import { BatchNormReset } from '../../../src/rebasin/renormalise/reset.ts';
import { permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { digitsOn, plausibleValues, trainBarely } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const MLP = parseModel('mlp:784-16-12-10');
const resnet8 = (norm: string) => parseModel(`resnet8:width=0.5:norm=${norm}:input=1x28x28`);
type Values = Map<string, Float32Array>;

/** The same network with its units in another order. */
async function shuffled(model: Model, values: Values, seed: number): Promise<Values> {
  const { spec } = await provenSpec(context(), model);
  return permuteValues(spec, randomPermutations(spec, seed), values);
}

/** Largest difference of an entry, as a part of its largest value. */
function difference(found: Values, wanted: Values): number {
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  return Math.max(
    ...[...wanted].map(([name, values]) => {
      const largest = Math.max(...values.map(Math.abs)) || 1;
      return Math.max(...values.map((value, i) => Math.abs(value - found.get(name)![i]!))) / largest;
    }),
  );
}

describe('a network merged with itself, its units shuffled, is itself', () => {
  it.each([
    ['an MLP', MLP],
    ['batch norm', resnet8('batch')],
    ['layer norm', resnet8('layer')],
    ['padded shortcuts', parseModel('resnet8:width=0.5:shortcut=pad:input=1x28x28')],
  ])('to the bit: %s', async (_, model) => {
    const a = plausibleValues(model, 1);
    const strategies = [
      ['reference', 1],
      ['cycle-consistent', 2],
      ['hierarchical', 3],
    ] as const;
    for (const [strategy, copies] of model === MLP ? strategies : strategies.slice(0, 1)) {
      const models = [a];
      for (let copy = 0; copy < copies; copy++) models.push(await shuffled(model, a, 7 + copy));
      const merged = await mergeNetworks(context(), { model, models, strategy });
      const inOrder = permuteValues(
        (await provenSpec(context(), model)).spec,
        merged.merging.permutations[0]!,
        a,
      );
      // Sums of up to four equal f32 numbers are exact in f64, and so is what dividing them gives back.
      expect(merged.values).toEqual(inOrder);
      expect(merged.coefficients).toEqual(models.map(() => 1 / models.length));
      expect(merged.model).toBe(model);
    }
  });

  it.each(['repair', 'rescale', 'rescale-mean', 'reshift'] as const)('through %s', async (renormalise) => {
    const model = MLP;
    const a = plausibleValues(model, 1);
    const statistics = digitsOn(context(), 60);
    const merged = await mergeNetworks(context(), {
      model,
      models: [a, await shuffled(model, a, 7)],
      renormalise,
      // Epsilon would keep deviations from being met exactly, and several batches have other statistics than all images.
      renormalisation: { epsilon: 0, batchSize: 'all' },
      statistics,
    });
    // Goal and measured statistics are the same f32 numbers up to the roundings of sums over 60 images in networks that differ by
    // earlier corrections near 1: some 60 roundings of 2^-24 each.
    expect(difference(merged.values, a)).toBeLessThan(60 * 2 ** -24);
    statistics.destroy();
  });

  it('through reset, where its statistics come from the same images', async () => {
    const model = resnet8('batch');
    const statistics = digitsOn(context(), 40);
    const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
    arena.write(plausibleValues(model, 1));
    const reset = new BatchNormReset(context(), model, arena, statistics);
    await reset.record();
    const a = await arena.read();
    for (const owned of [reset, arena]) owned.destroy();
    const options = { model, models: [a, await shuffled(model, a, 7)], statistics };
    const merged = await mergeNetworks(context(), { ...options, renormalise: 'reset' });
    expect(merged.values).toEqual(a);
    statistics.destroy();
  });
});

describe('what a merge is', () => {
  it.each([
    ['an MLP', MLP, ['none', 'repair', 'rescale', 'rescale-mean', 'rescale-average', 'reshift', 'bias']],
    ['batch norm', resnet8('batch'), ['reset']],
    ['layer norm', resnet8('layer'), ['repair']],
  ] as const)('at any lambda it is the point of a sweep: %s', async (_, model, renormalisations) => {
    const [a, b] = [plausibleValues(model, 1), plausibleValues(model, 2)];
    const [statistics, images] = [digitsOn(context(), 30), digitsOn(context(), 40, 'test')];
    for (const renormalise of renormalisations) {
      const settings: Partial<MergeOptions> = { renormalise, statistics, method: 'activation' };
      const merged = [];
      for (const lambda of [0.25, undefined]) {
        const options = { model, models: [a, b], ...settings, ...(lambda === undefined ? {} : { lambda }) };
        merged.push(await mergeNetworks(context(), options));
      }
      const { permutations } = merged[0]!.merging;
      const corrected = renormalisedModel(renormalise, model);
      const layout = new ArenaLayout(stateEntries(corrected));
      const { spec } = await provenSpec(context(), model);
      const ends = [a, permuteValues(spec, permutations[1]!, b)].map((values) => {
        const arena = new Arena(context(), layout);
        arena.write(withZeroBiases(corrected, values));
        return arena;
      });
      const { images: curve } = await sweep(context(), {
        model: corrected,
        a: ends[0]!,
        b: ends[1]!,
        lambda: [0, 0.25, 0.5, 1],
        data: { images },
        renormalise: renormaliserFactory(context(), renormalise, {
          model: corrected,
          endpoints: ends,
          data: statistics,
        }),
      });
      for (const arena of ends) arena.destroy();
      for (const [i, each] of merged.entries()) {
        expect(each.model.name).toBe(corrected.name);
        const networks = [each.values];
        const [scored] = await scoreNetworks(context(), { model: each.model, networks, images });
        // Half of a number is exact. At a quarter, weights are rounded once here and twice there: by 2^-24 of themselves. And an MLP's
        // sweep mixes what the first layer gives, where a merge mixes its weights: sums are rounded in another order.
        const mixesSums = model === MLP && renormalise === 'none';
        if (i === 1 && !mixesSums) expect(scored!.score.loss, renormalise).toBe(curve!.loss[2]);
        else expect(Math.abs(scored!.score.loss / curve!.loss[1 + i]! - 1)).toBeLessThan(16 * 2 ** -24);
      }
    }
    for (const owned of [statistics, images]) owned.destroy();
  });

  it('lambda 0 and 1 are the models themselves, the second in the order of the first', async () => {
    const [a, b] = [plausibleValues(MLP, 1), plausibleValues(MLP, 2)];
    const { spec } = await provenSpec(context(), MLP);
    const at = (lambda: number) => mergeNetworks(context(), { model: MLP, models: [a, b], lambda });
    expect((await at(0)).values).toEqual(a);
    const end = await at(1);
    expect(end.values).toEqual(permuteValues(spec, end.merging.permutations[1]!, b));
    expect(end.coefficients).toEqual([0, 1]);
  });

  it('takes a third of each of three models; corrected, the goals are means over the three', async () => {
    const models = [1, 2, 3].map((seed) => plausibleValues(MLP, seed));
    const statistics = digitsOn(context(), 30);
    const options = { model: MLP, models, strategy: 'none', statistics } as const;
    const plain = await mergeNetworks(context(), options);
    const thirds = [1 / 3, 1 / 3, 1 / 3];
    expect(plain.coefficients).toEqual(thirds);
    plain.values.get('fc2.bias')!.forEach((value, i) => {
      const sum = models.reduce((total, each) => total + each.get('fc2.bias')![i]!, 0);
      expect(value).toBe(Math.fround(sum / 3));
    });
    const biased = await mergeNetworks(context(), { ...options, renormalise: 'bias' });
    biased.values.get('fc2.bias')!.forEach((value, i) => {
      const sum = models.reduce((total, each) => total + each.get('fc2.bias')![i]! / 9, 0);
      expect(Math.abs(value - sum)).toBeLessThan(1e-7);
    });
    const repaired = await mergeNetworks(context(), { ...options, renormalise: 'repair' });
    expect(repaired.values.get('fc1.weight')).not.toEqual(plain.values.get('fc1.weight'));
    expect(repaired.values.get('fc3.weight')).toEqual(plain.values.get('fc3.weight'));
    statistics.destroy();
  });

  it('is the same twice, by every strategy, and leaves the models as they were', async () => {
    const models = [1, 2, 3].map((seed) => plausibleValues(MLP, seed));
    const copies = models.map((each) => new Map([...each].map(([name, values]) => [name, values.slice()])));
    for (const strategy of MERGING_METHODS) {
      const options = {
        model: MLP,
        models,
        strategy,
        measureCycles: true,
        method: strategy === 'cycle-consistent' ? 'weight' : 'random',
        seed: 4,
      } as const;
      const merged = await mergeNetworks(context(), options);
      expect(await mergeNetworks(context(), options)).toEqual({ ...merged, model: MLP });
      expect(merged.strategy).toBe(strategy);
      expect(merged.merging.cycleError).toBeGreaterThanOrEqual(0);
    }
    expect(models).toEqual(copies);
    const byDefault = await mergeNetworks(context(), { model: MLP, models });
    expect(byDefault).toMatchObject({ strategy: 'cycle-consistent', merging: { cycleError: 0 } });
    const pairwise = await mergeNetworks(context(), { model: MLP, models, method: 'none' });
    expect(pairwise.strategy).toBe('reference');
  });

  it('leaves models in place that are not to be matched, and refuses to match jointly but by weights', async () => {
    const models = [1, 2, 3].map((seed) => plausibleValues(MLP, seed));
    const { strategy, merging } = await mergeNetworks(context(), { model: MLP, models, method: 'none' });
    expect(strategy).toBe('reference');
    for (const groups of merging.permutations) {
      for (const p of Object.values(groups)) expect([...p]).toEqual([...p.keys()]);
    }
    const jointly = { model: MLP, models, method: 'random', strategy: 'cycle-consistent' } as const;
    await expect(mergeNetworks(context(), jointly)).rejects.toThrow(/goes by weights/);
  });

  it('takes any matcher, and tells how far it is', async () => {
    const [a, b] = [await trainBarely(context(), MLP, 1), await trainBarely(context(), MLP, 2)];
    const [statistics, images] = [digitsOn(context(), 60), digitsOn(context(), 60, 'test')];
    const straightThrough = { data: statistics, evaluation: images, steps: 4, learningRate: 0.1 };
    for (const method of MATCHING_METHODS) {
      const seen: MergeProgress[] = [];
      const merged = await mergeNetworks(context(), {
        ...{ model: MLP, models: [a, b], method, statistics, straightThrough, renormalise: 'repair' },
        onProgress: (progress) => seen.push(progress),
      });
      const isIdentity = Object.values(merged.merging.permutations[1]!).every((p) =>
        p.every((j, i) => i === j),
      );
      expect(isIdentity, method).toBe(method === 'none');
      expect([...new Set(seen.map(({ stage }) => stage))]).toEqual(['match', 're-normalise']);
      expect(seen.every(({ done, total }) => done >= 0 && done <= total)).toBe(true);
      expect(seen.at(-1)).toMatchObject({ done: 1, total: 1 });
    }
    for (const owned of [statistics, images]) owned.destroy();
  });
});

describe('scores of a merge', () => {
  it('are those of each network, and of the mean of logits with the shares of the merge', async () => {
    const models = [await trainBarely(context(), MLP, 1), await trainBarely(context(), MLP, 2)];
    const images = digitsOn(context(), 80, 'test');
    const merged = await mergeNetworks(context(), { model: MLP, models, lambda: 0.25 });
    const scores = await scoreMerge(context(), { model: MLP, models, merged, images });
    const each = await scoreNetworks(context(), { model: MLP, networks: [...models, merged.values], images });
    expect([...scores.models, scores.merged]).toEqual(each.map(({ score }) => score));
    const mixed = mixLogits([each[0]!.logits, each[1]!.logits], [0.75, 0.25]);
    expect(scores.ensemble).toMatchObject(evaluateLogits(mixed, images.labels));
    for (const { loss, accuracy, calibrated } of [...scores.models, scores.merged, scores.ensemble]) {
      expect(calibrated.loss).toBeLessThanOrEqual(loss);
      expect(accuracy).toBeGreaterThan(0.1);
    }
    images.destroy();
  });
});

describe('what became of the activations in a merge', () => {
  async function diagnose(model: Model, models: Values[], options: Partial<MergeOptions> = {}) {
    const images = digitsOn(context(), 40, 'test');
    const merged = await mergeNetworks(context(), { model, models, ...options });
    const scores = await scoreMerge(context(), { model, models, merged, images });
    const { method: align = 'weight', renormalise = 'none' } = options;
    const seen: number[] = [];
    const found = await diagnoseMerge(context(), {
      ...{ model, models, merged, images, scores, align, renormalise },
      onProgress: ({ done }) => seen.push(done),
    });
    expect(seen).toEqual(Array.from({ length: models.length + 1 }, (_, i) => i + 1));
    images.destroy();
    return found;
  }

  it.each([
    ['an MLP', MLP],
    ['batch norm', resnet8('batch')],
  ])('is nothing where all models are one: %s', async (_, model) => {
    const a = plausibleValues(model, 1);
    const { layers, logits, verdict } = await diagnose(model, [a, await shuffled(model, a, 7), a]);
    for (const { varianceRatio, scaleRatio, feature } of [...layers, logits]) {
      // Units stand in another order in one of the three: their sums are rounded otherwise.
      for (const ratio of [varianceRatio, scaleRatio, feature!])
        expect(Math.abs(ratio - 1)).toBeLessThan(1e-5);
    }
    expect(verdict.kind).toBe('healthy');
  });

  it('is half of the variance where units that have nothing to do with each other were merged', async () => {
    const wide = parseModel('mlp:784-512-10');
    const models = [plausibleValues(wide, 1), plausibleValues(wide, 2)];
    const { layers, verdict } = await diagnose(wide, models, { strategy: 'none', method: 'none' });
    // (1 + rho) / 2 on average, rho the correlation of two units, around 0. On images of few directions it scatters by some 0.5, its
    // mean over 512 pairs by 0.02.
    expect(layers[0]!.varianceRatio).toBeGreaterThan(0.4);
    expect(layers[0]!.varianceRatio).toBeLessThan(0.6);
    expect(verdict.kind).toBe('not-aligned');
  });

  it('weighs the models with their shares', async () => {
    const models = [plausibleValues(MLP, 1), plausibleValues(MLP, 2)];
    const { layers, logits } = await diagnose(MLP, models, { lambda: 0 });
    // All of the first: beside itself.
    for (const { varianceRatio, feature } of [...layers, logits]) {
      expect(varianceRatio).toBeCloseTo(1, 12);
      expect(feature).toBeCloseTo(1, 12);
    }
  });
});

describe('refusals, before any work', () => {
  const values = plausibleValues(MLP, 1);
  const attempt = (options: Partial<MergeOptions>) =>
    mergeNetworks(context(), { model: MLP, models: [values, values], ...options });

  it.each([
    [{ models: [values] }, /at least two models, got 1/],
    [
      { models: [values, values, values], lambda: 0.5 },
      /lambda is the share of the second of two models, but there are 3/,
    ],
    [{ lambda: 1.5 }, /lambda must be from 0 to 1, got 1.5/],
    [{ renormalise: 'repair' }, /repair measures statistics, give it images/],
    [{ renormalise: 'magic' as Renormalisation }, /expected one of none, .* got "magic"/],
    [{ strategy: 'magic' as never }, /strategy must be one of none, .* got "magic"/],
    [
      { strategy: 'cycle-consistent', method: 'none' },
      /cycle-consistent matching goes by weights, got "none"/,
    ],
    [{ method: 'activation' }, /activation compares activations, give it images/],
    [{ method: 'straight-through' }, /straight-through trains, give it images/],
    [{ method: 'magic' as never }, /matching method must be one of none, .* got "magic"/],
  ] as const)('%o', async (options, message) => {
    await expect(attempt(options as Partial<MergeOptions>)).rejects.toThrow(OptionError);
    await expect(attempt(options as Partial<MergeOptions>)).rejects.toThrow(message);
  });

  it('what does not apply to the network', async () => {
    const refused = (options: Partial<MergeOptions>, message: RegExp) =>
      Promise.all([
        expect(attempt(options)).rejects.toThrow(UnsupportedError),
        expect(attempt(options)).rejects.toThrow(message),
      ]);
    await refused({ renormalise: 'reset' }, /mlp:784-16-12-10 has no batch norm/);
    await refused({ model: resnet8('none'), renormalise: 'bias' }, /branches that meet in "add"/);
    await refused({ model: resnet8('batch'), renormalise: 'repair' }, /has batch norm.*use reset/);
  });

  it('stops when told to', async () => {
    const stop = AbortSignal.abort(new Error('enough'));
    await expect(attempt({ signal: stop })).rejects.toThrow('enough');
  });
});
