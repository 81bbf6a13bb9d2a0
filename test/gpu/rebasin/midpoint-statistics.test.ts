/** Both ends and the network half-way, looked at along a sweep. */
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../../src/base/errors.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { BatchNormReset } from '../../../src/rebasin/renormalise/reset.ts';
import { ActivationStatistics } from '../../../src/rebasin/statistics/activation-statistics.ts';
import { summariseLayers } from '../../../src/rebasin/statistics/layer-summary.ts';
import { midpointStatistics } from '../../../src/rebasin/statistics/midpoint-statistics.ts';
import { FeatureDistances } from '../../../src/rebasin/statistics/vanishing-feature.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

function setUp(model: Model, renew: (values: Map<string, Float32Array>) => void = () => {}) {
  const values = [1, 2].map((seed) => initialiseParameters(stateEntries(model), seed, 'kaiming'));
  for (const each of values) renew(each);
  const arenaOf = (of: HostTensors) => {
    const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
    arena.write(of);
    return arena;
  };
  const [a, b] = [arenaOf(values[0]!), arenaOf(values[1]!)];
  const data = new GpuDataset(
    context(),
    digits({ count: 130, seed: 3, split: 'test' }),
    DIGITS_NORMALISATION,
  );
  /** Everything that is measured of a network, without a sweep. */
  const measure = async (of: HostTensors) => {
    const arena = arenaOf(of);
    const statistics = new ActivationStatistics(context(), { model, arenas: [arena] });
    const features = new FeatureDistances(context(), { model, arenas: [arena] });
    const evaluator = new Evaluator(context(), model, [arena], data);
    const score = await evaluator.evaluate();
    const layers = summariseLayers(await statistics.measure(data), {
      distances: await features.measure(data),
    });
    for (const owned of [arena, statistics, features, evaluator]) owned.destroy();
    return { ...score, layers };
  };
  const destroy = () => {
    for (const owned of [a, b, data]) owned.destroy();
  };
  return { values, a, b, data, measure, destroy };
}

describe('midpointStatistics', () => {
  it('measures the ends as they are and the mean of the two, and diagnoses fresh networks as not aligned', async () => {
    const model = mlp({ widths: [784, 40, 40, 10] });
    const { values, a, b, data, measure, destroy } = setUp(model);
    const seen: number[] = [];
    const { networks, collapse } = await midpointStatistics(context(), {
      ...{ model, a, b, data, align: 'none', renormalise: 'none' },
      onProgress: ({ done, total }) => seen.push(done / total),
    });
    expect(networks[0]).toEqual(await measure(values[0]!));
    expect(networks[1]).toEqual(await measure(values[1]!));
    const half = [...values[0]!].map(
      ([name, x]) => [name, x.map((v, i) => 0.5 * v + 0.5 * values[1]!.get(name)![i]!)] as const,
    );
    const merged = await measure(new Map(half));
    for (const [l, layer] of networks[2]!.layers.entries()) {
      // Halves are exact, their sum is rounded once here and there.
      expect(layer.variance / merged.layers[l]!.variance).toBeCloseTo(1, 5);
      expect(layer.featureDistance! / merged.layers[l]!.featureDistance!).toBeCloseTo(1, 5);
    }
    const [first] = collapse.layers;
    const variance = (network: number) => networks[network]!.layers[0]!.variance;
    expect(first!.varianceRatio).toBe((2 * variance(2)) / (variance(0) + variance(1)));
    expect(collapse.verdict.kind).toBe('not-aligned');
    expect([seen.length, seen.at(-1)]).toEqual([12, 1]); // two batches, twice, of each network
    destroy();
  });

  it('corrects the network half-way and leaves the ends', async () => {
    const model = mlp({ widths: [784, 40, 40, 10], norm: 'batch' });
    const { values, a, b, data, measure, destroy } = setUp(model);
    const options = { model, a, b, data, align: 'weight' } as const;
    const raw = await midpointStatistics(context(), { ...options, renormalise: 'none' });
    const reset = await midpointStatistics(context(), {
      ...{ ...options, renormalise: 'reset' },
      renormaliser: (merged) => new BatchNormReset(context(), model, merged, data),
    });
    expect(reset.networks[0]).toEqual(await measure(values[0]!));
    expect(reset.networks[1]).toEqual(raw.networks[1]);
    // Fresh norms have scale 1 and shift 0, and layers no biases. Reset divides by a variance with n - 1 = 129 in place of n = 130, so
    // each norm lets through 129 / 130 of variance 1; what the second gets, the first has already made smaller by as much.
    const normalised = reset.networks[2]!.layers.filter(({ kind }) => kind === 'normalised');
    for (const [l, { variance }] of normalised.entries()) {
      expect(Math.abs(variance / (129 / 130) ** (l + 1) - 1)).toBeLessThan(1e-3);
    }
    expect(Math.abs(raw.networks[2]!.layers[1]!.variance - 1)).toBeGreaterThan(0.1);
    expect(raw.collapse.layers.map(({ layer }) => layer)).toEqual(['bn1', 'bn2']);
    destroy();
  });

  it('frees everything when a network is not finite, a re-normaliser does not fit, or it is aborted', async () => {
    const model = mlp({ widths: [784, 12, 10] });
    const { values, a, b, data, destroy } = setUp(model);
    const options = { model, a, b, data, align: 'none', renormalise: 'none' } as const;
    const misfit = midpointStatistics(context(), {
      ...options,
      renormaliser: (merged) => new BatchNormReset(context(), model, merged, data),
    });
    await expect(misfit).rejects.toThrow(UnsupportedError);
    const aborted = midpointStatistics(context(), { ...options, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toThrow(/abort/i);
    values[1]!.get('fc2.bias')!.fill(Number.NaN);
    b.write(values[1]!);
    await expect(midpointStatistics(context(), options)).rejects.toThrow(/weighted "fc2" is not finite/);
    destroy();
  });
});
