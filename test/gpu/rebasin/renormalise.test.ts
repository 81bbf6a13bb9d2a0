/** Re-normalisations: the statistics they promise, folded into ordinary weights, in every form; and what they refuse. */
import { describe, expect, it } from 'vitest';
import { OptionError, UnsupportedError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { interpolate } from '../../../src/kernels/arena/arena.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import type { Correction } from '../../../src/rebasin/renormalise/correction.ts';
import {
  type Renormalisation,
  type RenormaliserOptions,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from '../../../src/rebasin/renormalise/renormalisations.ts';
import {
  ActivationStatistics,
  type TapStatistics,
} from '../../../src/rebasin/statistics/activation-statistics.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { elementCount } from '../../../src/runtime/kernel.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const MLP = parseModel('mlp:784-24-20-16-10');
const RESNET_LAYER_NORM = parseModel('resnet8:width=0.5:norm=layer:input=1x28x28');

/** Values of the size that training leaves, norms near one, variances positive. */
function randomValues(model: Model, seed: number): Map<string, Float32Array> {
  const random = new RandomStream(seed, 'values of a test');
  return new Map(
    stateEntries(model).map(({ name, shape }) => {
      const values = new Float32Array(elementCount(shape));
      random.derive(name).fillNormal(values);
      const fanIn = Math.max(1, elementCount(shape.slice(1)));
      if (/bn\d|shortcut\.1/.test(name) && !name.endsWith('bias') && !name.endsWith('mean')) {
        return [name, values.map((x) => 1 + 0.2 * Math.min(2, Math.abs(x)))];
      }
      return [name, values.map((x) => (shape.length > 1 ? x * Math.sqrt(2 / fanIn) : 0.1 * x))];
    }),
  );
}

/** Two models and their mean in arenas; data; and a way to measure what the layers compute. */
function setUp(model: Model, count = 60) {
  const layout = new ArenaLayout(stateEntries(model));
  const arenas = [1, 2].map((seed) => {
    const arena = new Arena(context(), layout);
    arena.write(withZeroBiases(model, randomValues(model, seed)));
    return arena;
  });
  const [a, b] = arenas as [Arena, Arena];
  const merged = new Arena(context(), layout);
  const mix = (lambda: number) =>
    context().record(
      ...interpolate(context(), { a: a.windows, b: b.windows, lambda, output: merged.windows }),
    );
  const data = new GpuDataset(context(), digits({ count, seed: 3, split: 'train' }), DIGITS_NORMALISATION);
  const measure = async (arena: Arena): Promise<Map<string, TapStatistics>> => {
    const wanted = ({ kind }: { kind: string }) => kind === 'weighted';
    const statistics = new ActivationStatistics(context(), { model, arenas: [arena], wanted });
    const measured = await statistics.measure(data);
    statistics.destroy();
    return new Map(measured.map((tap) => [tap.name, tap]));
  };
  const correct = async (
    name: Renormalisation,
    lambda: number,
    settings: Partial<RenormaliserOptions> = {},
  ) => {
    mix(lambda);
    const factory = renormaliserFactory(context(), name, {
      model,
      endpoints: [a, b],
      data,
      batchSize: 'all',
      ...settings,
    })!;
    const renormaliser = factory(merged);
    try {
      await renormaliser.correct([1 - lambda, lambda]);
    } finally {
      renormaliser.destroy();
    }
    return merged.read();
  };
  const destroy = () => {
    for (const owned of [a, b, merged, data]) owned.destroy();
  };
  return { a, b, merged, mix, data, measure, correct, destroy };
}

const deviation = (tap: TapStatistics, c: number) => Math.sqrt(tap.variance[c]!);

describe.each([
  ['an MLP', MLP, ['fc1', 'fc2', 'fc3']],
  ['a layer-norm ResNet', renormalisedModel('repair', RESNET_LAYER_NORM), ['conv1', 'layer2.0.shortcut.0']],
] as const)('%s', (_, model, layers) => {
  const lambda = 0.3;

  async function corrected(name: Correction, settings: Partial<RenormaliserOptions> = {}) {
    const set = setUp(model);
    try {
      const ends = [await set.measure(set.a), await set.measure(set.b)] as const;
      await set.correct(name, lambda, settings);
      const found = await set.measure(set.merged);
      return { ends, found };
    } finally {
      set.destroy();
    }
  }

  const goals = (ends: readonly [Map<string, TapStatistics>, Map<string, TapStatistics>], layer: string) => {
    const [x, y] = ends.map((end) => end.get(layer)!) as [TapStatistics, TapStatistics];
    return {
      mean: [...x.mean].map((mean, c) => (1 - lambda) * mean + lambda * y.mean[c]!),
      deviation: [...x.mean].map((_, c) => (1 - lambda) * deviation(x, c) + lambda * deviation(y, c)),
    };
  };

  // Folding rounds to f32 and deep layers are measured through it; epsilon moves deviations by 1e-5 / (2 variance).
  const close = (found: number, wanted: number, scale: number) =>
    expect(Math.abs(found - wanted)).toBeLessThan(2e-3 * scale);

  it.each(['forward', 'sequential'] as const)(
    'repair, %s: means and deviations are the goals',
    async (form) => {
      const { ends, found } = await corrected('repair', { form });
      for (const layer of layers) {
        const goal = goals(ends, layer);
        const tap = found.get(layer)!;
        goal.deviation.forEach((s, c) => {
          close(deviation(tap, c), s, s + 1e-3);
          close(tap.mean[c]!, goal.mean[c]!, s + Math.abs(goal.mean[c]!));
        });
      }
    },
  );

  it('reshift: means are the goals', async () => {
    const { ends, found } = await corrected('reshift');
    for (const layer of layers) {
      const goal = goals(ends, layer);
      goal.mean.forEach((mean, c) => {
        close(found.get(layer)!.mean[c]!, mean, deviation(found.get(layer)!, c) + Math.abs(mean));
      });
    }
  });

  it.each(['rescale', 'rescale-mean'] as const)('%s: deviations are the goals', async (name) => {
    const { ends, found } = await corrected(name);
    for (const layer of layers) {
      goals(ends, layer).deviation.forEach((s, c) => {
        close(deviation(found.get(layer)!, c), s, s + 1e-3);
      });
    }
  });

  it('rescale-average: every deviation of a layer is the mean of its goals', async () => {
    const { ends, found } = await corrected('rescale-average');
    for (const layer of layers) {
      const all = goals(ends, layer).deviation;
      const average = all.reduce((sum, s) => sum + s, 0) / all.length;
      all.forEach((_, c) => {
        close(deviation(found.get(layer)!, c), average, average);
      });
    }
  });
});

describe('repair', () => {
  it('in one batch is the sequential form', async () => {
    const set = setUp(MLP);
    const forward = await set.correct('repair', 0.5, { form: 'forward' });
    const sequential = await set.correct('repair', 0.5, { form: 'sequential' });
    for (const [name, values] of forward) {
      const other = sequential.get(name)!;
      const scale = Math.max(...values.map(Math.abs));
      values.forEach((x, i) => {
        expect(Math.abs(x - other[i]!)).toBeLessThan(2e-5 * scale);
      });
    }
    set.destroy();
  });

  it('leaves the last layer alone, and corrects it too when asked', async () => {
    const set = setUp(MLP);
    set.mix(0.5);
    const before = await set.merged.read();
    const hidden = await set.correct('repair', 0.5);
    expect(hidden.get('fc4.weight')).toEqual(before.get('fc4.weight'));
    expect(hidden.get('fc3.weight')).not.toEqual(before.get('fc3.weight'));
    const all = await set.correct('repair', 0.5, { layers: 'all' });
    expect(all.get('fc4.weight')).not.toEqual(before.get('fc4.weight'));
    set.destroy();
  });

  it('closed: exact in the first layer, whose inputs are the data', async () => {
    const set = setUp(MLP);
    const closed = await set.correct('repair', 0.5, { form: 'closed' });
    const forward = await set.correct('repair', 0.5);
    for (const name of ['fc1.weight', 'fc1.bias']) {
      const [x, y] = [closed.get(name)!, forward.get(name)!];
      const scale = Math.max(...y.map(Math.abs));
      // Unbiased variances of 60 images against the models' own, likewise unbiased: equal but for rounding and epsilon.
      x.forEach((value, i) => {
        expect(Math.abs(value - y[i]!)).toBeLessThan(1e-3 * scale);
      });
    }
    set.destroy();
  });

  it('in blocks alone leaves stem and shortcuts as they are', async () => {
    const model = renormalisedModel('repair', RESNET_LAYER_NORM);
    const set = setUp(model, 12);
    set.mix(0.5);
    const before = await set.merged.read();
    const after = await set.correct('repair', 0.5, { layers: 'blocks' });
    const changed = [...after].filter(([name, x]) => x.some((value, i) => value !== before.get(name)![i]));
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.map(([name]) => name).every((name) => /layer\d\.0\.conv[12]/.test(name))).toBe(true);
    set.destroy();
  });

  it('gives a channel that cancels in the merge no gain beyond deviation / sqrt(epsilon)', async () => {
    const set = setUp(MLP);
    const values = await set.a.read();
    const opposite = await set.b.read();
    // Unit 0 of B is unit 0 of A turned round: half-way it is constant, while its goal deviation is that of A.
    opposite.get('fc1.weight')!.set(
      values
        .get('fc1.weight')!
        .subarray(0, 784)
        .map((x) => -x),
    );
    set.b.write(opposite);
    const goal = deviation((await set.measure(set.a)).get('fc1')!, 0) * Math.sqrt(60 / 59); // goals are unbiased
    set.mix(0.5);
    const before = (await set.merged.read()).get('fc1.weight')!.subarray(0, 784);
    expect(before.every((x) => x === 0)).toBe(true);
    const epsilon = 1e-2;
    const after = await set.correct('repair', 0.5, { epsilon });
    expect([...after.values()].every((x) => x.every(Number.isFinite))).toBe(true);
    // A millionth of the weight left over would be multiplied by goal / sqrt(epsilon), and by no more.
    const trace = await set.a.read();
    trace
      .get('fc1.weight')!
      .subarray(0, 784)
      .forEach((_, i, row) => {
        row[i]! *= 1 + 2e-6;
      });
    set.a.write(trace);
    set.mix(0.5);
    const left = (await set.merged.read()).get('fc1.weight')!.slice(0, 784);
    const gained = (await set.correct('repair', 0.5, { epsilon })).get('fc1.weight')!.subarray(0, 784);
    const largest = Math.max(...left.map(Math.abs));
    expect(largest).toBeGreaterThan(0);
    const gain = Math.max(...gained.map(Math.abs)) / largest;
    expect(Math.abs(gain / (goal / Math.sqrt(epsilon)) - 1)).toBeLessThan(1e-3);
    set.destroy();
  });

  it.each(['reset', 'repair'] as const)('%s in uneven batches is near what one batch gives', async (name) => {
    const model = name === 'repair' ? MLP : parseModel('resnet8:width=0.5:input=1x28x28');
    const set = setUp(model, 51);
    const whole = await set.correct(name, 0.5);
    const parts = await set.correct(name, 0.5, { batchSize: 50 });
    for (const [tensor, values] of whole) {
      const scale = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
      const other = parts.get(tensor)!;
      const distance = Math.sqrt(
        values.reduce((sum, x, i) => sum + (x - other[i]!) * (x - other[i]!), 0) / values.length,
      );
      // Two batches of 25 and 26 miss only how their means differ: some 1 / 25 of a variance. A batch of 1 would be off by half.
      expect(distance, tensor).toBeLessThanOrEqual(0.15 * scale);
    }
    set.destroy();
  });

  it('measures anew after an aborted call', async () => {
    const set = setUp(MLP, 20);
    const factory = renormaliserFactory(context(), 'repair', {
      model: MLP,
      endpoints: [set.a, set.b],
      data: set.data,
    })!;
    const renormaliser = factory(set.merged);
    set.mix(0.5);
    await expect(renormaliser.correct([0.5, 0.5], AbortSignal.abort())).rejects.toThrow(/abort/i);
    await renormaliser.correct([0.5, 0.5]);
    const found = await set.merged.read();
    renormaliser.destroy();
    expect(found).toEqual(await set.correct('repair', 0.5));
    set.destroy();
  });

  it('goes on from one lambda to the next', async () => {
    const set = setUp(MLP, 20);
    const factory = renormaliserFactory(context(), 'repair', {
      model: MLP,
      endpoints: [set.a, set.b],
      data: set.data,
    })!;
    const renormaliser = factory(set.merged);
    const results: Map<string, Float32Array>[] = [];
    for (const lambda of [0.25, 0.5]) {
      set.mix(lambda);
      await renormaliser.correct([1 - lambda, lambda]);
      results.push(await set.merged.read());
    }
    renormaliser.destroy();
    const alone = await set.correct('repair', 0.5);
    expect(results[1]).toEqual(alone);
    set.destroy();
  });
});

describe('bias calibration', () => {
  it('has b_h = (1 - lambda)^h b_1 + lambda^h b_2', async () => {
    const set = setUp(MLP, 4);
    const [x, y] = [await set.a.read(), await set.b.read()];
    const found = await set.correct('bias', 0.25, { data: undefined });
    for (const [depth, name] of ['fc1.bias', 'fc2.bias', 'fc3.bias', 'fc4.bias'].entries()) {
      const [p, q] = [0.75 ** (depth + 1), 0.25 ** (depth + 1)];
      found.get(name)!.forEach((value, i) => {
        const wanted = p * x.get(name)![i]! + q * y.get(name)![i]!;
        expect(Math.abs(value - wanted)).toBeLessThan(
          4 * 2 ** -24 * (Math.abs(x.get(name)![i]!) + Math.abs(y.get(name)![i]!)),
        );
      });
    }
    set.mix(0.25);
    expect(found.get('fc2.weight')).toEqual((await set.merged.read()).get('fc2.weight'));
    set.destroy();
  });

  it('refuses shares beyond the models', async () => {
    const set = setUp(MLP, 4);
    await expect(set.correct('bias', 1.5)).rejects.toThrow(/from 0 to 1/);
    set.destroy();
  });

  it.each([0, 1])('changes nothing at lambda %s', async (lambda) => {
    const set = setUp(MLP, 4);
    const found = await set.correct('bias', lambda);
    expect(found).toEqual(await (lambda === 0 ? set.a : set.b).read());
    set.destroy();
  });
});

describe('refusals', () => {
  const refuse = async (name: Renormalisation, model: Model, settings: Partial<RenormaliserOptions> = {}) => {
    const set = setUp(model, 4);
    try {
      await set.correct(name, 0.5, settings);
    } finally {
      set.destroy();
    }
  };
  const small = (name: string) => parseModel(`${name}:input=1x28x28`);

  it.each([
    ['repair', small('resnet8:width=0.5'), /batch norm.*use reset/],
    ['reset', MLP, /no batch norm/],
    ['bias', small('resnet8:width=0.5'), /norm "bn1"/],
    ['bias', small('resnet8:width=0.5:norm=none'), /branches that meet in "add"/],
    ['bias', parseModel('mlp:784-8-10:tanh'), /activation "tanh"/],
    ['repair', RESNET_LAYER_NORM, /no bias to take the shift/],
    ['repair', parseModel('mlp:784-10'), /no hidden layer/],
  ] as const)('%s of a network it does not suit', async (name, model, message) => {
    await expect(refuse(name, model)).rejects.toThrow(UnsupportedError);
    await expect(refuse(name, model)).rejects.toThrow(message);
  });

  it('without images', async () => {
    await expect(refuse('repair', MLP, { data: undefined })).rejects.toThrow(OptionError);
  });

  it('rescale needs no bias', async () => {
    await expect(refuse('rescale', RESNET_LAYER_NORM)).resolves.toBeUndefined();
  });
});
