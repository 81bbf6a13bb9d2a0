/** Activation matching: recovers permuted networks by every statistic, and agrees with similarities computed in float64. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import {
  type ActivationMatchingOptions,
  activationMatching,
} from '../../../src/rebasin/matching/activation-matching.ts';
import { invertPermutations, permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const networks = {
  mlp: parseModel('mlp:784-18-13-10'),
  'batch-norm ResNet': parseModel('resnet8:width=0.5:input=1x28x28'),
  'option-A ResNet': parseModel('resnet8:width=0.5:shortcut=pad:norm=layer:input=1x28x28'),
};

function setUp(model: Model, count = 40) {
  const images = digits({ count, seed: 5, split: 'train' });
  return {
    model,
    spec: derivePermutationSpec([forwardGraph(model).logits]),
    a: initialiseParameters(stateEntries(model), 1, 'kaiming'),
    data: new GpuDataset(context(), images, DIGITS_NORMALISATION),
  };
}

describe.each(Object.entries(networks))('a permuted %s', (_, model) => {
  it.each([
    {},
    { statistic: 'second-moment' },
    { read: 'before' },
    { streams: 'last' },
    { assignment: 'greedy' },
    { epsilon: 1e-4 },
  ] as const)('is brought back by %o', async (similarity) => {
    const { spec, a, data } = setUp(model);
    const planted = randomPermutations(spec, 7);
    const b = permuteValues(spec, planted, a);
    const { permutations, groups } = await activationMatching(context(), {
      model,
      spec,
      a,
      b,
      data,
      batchSize: 16,
      ...similarity,
    });
    // Units that are never active on these images are alike: what counts is that matched units are as similar as a unit to itself.
    const own = await activationMatching(context(), {
      model,
      spec,
      a,
      b: a,
      data,
      batchSize: 16,
      ...similarity,
    });
    for (const [name, { matched }] of Object.entries(groups)) {
      const { identity } = own.groups[name]!;
      expect(Math.abs(matched - identity)).toBeLessThan(1e-4 * Math.abs(identity));
      const inverse = invertPermutations(planted)[name]!;
      const same = permutations[name]!.filter((unit, i) => unit === inverse[i]).length;
      expect(same / inverse.length, name).toBeGreaterThan(0.6);
    }
    data.destroy();
  });
});

describe('activationMatching', () => {
  it('sums correlations that float64 gives for the hidden layer of a linear network', async () => {
    // No activation function: units are compared by what the layer computes, which float64 can follow.
    const { model, spec, a, data } = setUp(parseModel('mlp:784-6-10'), 25);
    const b = initialiseParameters(stateEntries(model), 2, 'kaiming');
    const { groups, permutations } = await activationMatching(context(), {
      model,
      spec,
      a,
      b,
      data,
      read: 'before',
    });
    const images = digits({ count: 25, seed: 5, split: 'train' }).images;
    const { mean, std } = DIGITS_NORMALISATION;
    const hidden = (values: Map<string, Float32Array>) =>
      Array.from({ length: 6 }, (_, unit) =>
        Array.from({ length: 25 }, (_, image) => {
          let sum = values.get('fc1.bias')![unit]!;
          for (let p = 0; p < 784; p++) {
            const pixel = Math.fround((images[784 * image + p]! / 255 - mean[0]!) / std[0]!);
            sum += values.get('fc1.weight')![784 * unit + p]! * pixel;
          }
          return sum;
        }),
      );
    const correlation = (x: number[], y: number[]) => {
      const centre = (z: number[]) => z.map((value) => value - z.reduce((s, v) => s + v, 0) / z.length);
      const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
      const [p, q] = [centre(x), centre(y)];
      return dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
    };
    const [x, y] = [hidden(a), hidden(b)];
    let [identity, matched] = [0, 0];
    for (let i = 0; i < 6; i++) {
      identity += correlation(x[i]!, y[i]!);
      matched += correlation(x[i]!, y[permutations.fc1![i]!]!);
    }
    // f32 activations of size about 1 carry an error of 784 u; correlations of 6 units add up.
    expect(Math.abs(groups.fc1!.identity - identity)).toBeLessThan(6 * 784 * 2 ** -24);
    expect(Math.abs(groups.fc1!.matched - matched)).toBeLessThan(6 * 784 * 2 ** -24);
    data.destroy();
  });

  it('gives the same answer in batches of any size', async () => {
    const { model, spec, a, data } = setUp(networks.mlp);
    const b = initialiseParameters(stateEntries(model), 2, 'kaiming');
    const run = (batchSize: number) => activationMatching(context(), { model, spec, a, b, data, batchSize });
    const [one, many] = [await run(40), await run(7)];
    for (const [name, { matched }] of Object.entries(one.groups)) {
      expect(Math.abs(matched - many.groups[name]!.matched)).toBeLessThan(1e-4);
    }
    data.destroy();
  });

  it('refuses unknown options and stops when asked', async () => {
    const { model, spec, a, data } = setUp(networks.mlp);
    const run = (more: Partial<ActivationMatchingOptions>) =>
      activationMatching(context(), { model, spec, a, b: a, data, ...more });
    await expect(run({ statistic: 'cosine' as 'correlation' })).rejects.toThrow(OptionError);
    await expect(run({ epsilon: -1 })).rejects.toThrow(/epsilon/);
    await expect(run({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    data.destroy();
  });
});
