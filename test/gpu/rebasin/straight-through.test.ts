/** Straight-through estimator matching. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashResult } from '../../../src/base/hash.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { parameterGradients } from '../../../src/nn/gradient.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../../src/nn/models/resnet.ts';
import { add, crossEntropy, input, linear, mean, parameter } from '../../../src/nn/ops/index.ts';
import { fit } from '../../../src/nn/train/fit.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { scoredDistance, scoredObjective } from '../../../src/rebasin/matching/objective.ts';
import {
  type StraightThroughOptions,
  type StraightThroughProgress,
  straightThroughMatching,
} from '../../../src/rebasin/matching/straight-through.ts';
import { StraightThroughEstimator } from '../../../src/rebasin/matching/straight-through-estimator.ts';
import { weightMatching } from '../../../src/rebasin/matching/weight-matching.ts';
import { BatchNormReset } from '../../../src/rebasin/renormalise/reset.ts';
import { permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { evaluateReference } from '../../reference/graph.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const model = mlp({ widths: [784, 16, 14, 10] });
const specOf = (model: Model) => derivePermutationSpec([forwardGraph(model).logits]);
const spec = specOf(model);
const images = {
  data: digits({ count: 330, seed: 1, split: 'train' }),
  evaluation: digits({ count: 90, seed: 2, split: 'test' }),
};

/** Two networks that have learned something: their network half-way has not. */
let a: HostTensors;
let b: HostTensors;
const owned: { destroy(): void }[] = [];
const own = <T extends { destroy(): void }>(made: T): T => {
  owned.push(made);
  return made;
};
const free = () => {
  for (const made of owned.splice(0)) made.destroy();
};
const upload = (dataset = images.data): GpuDataset =>
  own(new GpuDataset(context(), dataset, DIGITS_NORMALISATION));

beforeAll(async () => {
  const data = upload();
  const recipe = { model, data, optimizer: { type: 'adam' }, learningRate: 0.003 } as const;
  const train = async (seed: number) =>
    (await fit(context(), { ...recipe, epochs: 5, batchSize: 30, seed })).state;
  [a, b] = [await train(1), await train(2)];
  free();
});
afterEach(() => free());

async function match(options: Partial<StraightThroughOptions> = {}) {
  const sets = { data: upload(), evaluation: upload(images.evaluation) };
  const recipe = { steps: 24, batchSize: 60, learningRate: 0.3, candidateEvery: 1, seed: 7 };
  return await straightThroughMatching(context(), { model, spec, a, b, ...sets, ...recipe, ...options });
}

/**
 * A sweep mixes what the first layer gives with A's and with B's weights, matching mixes the weights. Sums of 784 products that are rounded before
 * or after they are mixed differ by a few 2^-24 of their size: they move losses near 1.6 by some 2e-7.
 */
const ROUNDING = 4e-6;

/** Loss half-way between A and a permuted B, by the code of sweeps. */
async function lossHalfWay(
  [a, b]: readonly [HostTensors, HostTensors],
  of: Model,
  dataset: GpuDataset,
  reset?: GpuDataset,
) {
  const [arenaA, arenaB] = [a, b].map((values) => {
    const arena = own(new Arena(context(), new ArenaLayout(stateEntries(of))));
    arena.write(values);
    return arena;
  });
  const options = { model: of, a: arenaA!, b: arenaB!, lambda: [0, 0.5, 1], data: { dataset } };
  const renormalise = reset && ((merged: Arena) => new BatchNormReset(context(), of, merged, reset));
  const curves = await sweep(context(), { ...options, renormalise });
  return curves.dataset!.loss[1];
}

describe('straightThroughMatching', () => {
  it('starts at weight matching, is never worse on the evaluation set, and here is better', async () => {
    const result = await match();
    const first = result.candidates[0]!;
    const matched = await weightMatching(context(), { spec, a, b });
    const evaluation = upload(images.evaluation);
    const halfWay = async (permutations: Readonly<Record<string, Int32Array>>) =>
      await lossHalfWay([a, permuteValues(spec, permutations, b)], model, evaluation);
    expect(first.step).toBe(0);
    expect(Math.abs(first.loss - (await halfWay(matched.permutations))!)).toBeLessThan(ROUNDING);
    expect(Math.abs(result.best.loss - (await halfWay(result.permutations))!)).toBeLessThan(ROUNDING);
    expect(result.best.loss).toBe(Math.min(...result.candidates.map(({ loss }) => loss)));
    expect(result.best.loss).toBeLessThan(0.98 * first.loss);
    expect(result.candidates).toContainEqual(result.best);

    const aligned = permuteValues(spec, result.permutations, b);
    expect(result.objective).toEqual({
      before: matched.objective.before,
      after: scoredObjective(spec, a, aligned),
    });
    expect(result.distance).toEqual({
      before: matched.distance.before,
      after: scoredDistance(spec, a, aligned),
    });
    expect(result.batchLoss).toHaveLength(24);
    expect(result.changes).toBeGreaterThan(0);
  });

  it('gives the same for the same seed, and goes another way for another', async () => {
    const result = await match();
    expect(hashResult(await match())).toBe(hashResult(result));
    const other = await match({ seed: 8 });
    expect(other.candidates[0]).toEqual(result.candidates[0]);
    expect(other.batchLoss).not.toEqual(result.batchLoss);
  });

  it('compares every permutation once, tells so, and can compare fewer', async () => {
    const seen: StraightThroughProgress[] = [];
    const result = await match({ onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ step }) => step)).toEqual(Array.from({ length: 25 }, (_, step) => step));
    expect(seen.flatMap(({ candidate }) => candidate ?? [])).toEqual(result.candidates);
    expect(seen.at(-1)!.best).toEqual(result.best);
    expect(result.candidates.length).toBeLessThanOrEqual(result.changes + 1);
    const rare = await match({ candidateEvery: 9, onProgress: (progress) => seen.push(progress) });
    expect(seen.slice(25).map(({ step }) => step)).toEqual([0, 9, 18, 24]);
    expect(rare.batchLoss).toEqual(result.batchLoss);
  });

  it('moves as the optimizer and the schedule say', async () => {
    const still = await match({ schedule: () => 0 });
    expect(still).toMatchObject({ changes: 0, best: { step: 0 } });
    expect(still.candidates).toHaveLength(1);
    const plain = await match({ optimizer: { type: 'sgd' } });
    expect(plain.batchLoss[0]).toBe(still.batchLoss[0]);
    expect(hashResult(plain)).not.toBe(hashResult(await match()));
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const onProgress = ({ step }: StraightThroughProgress) => step === 3 && stop.abort(new Error('enough'));
    await expect(match({ signal: stop.signal, onProgress })).rejects.toThrow('enough');
  });

  it('refuses what cannot work', async () => {
    for (const [name, value] of [
      ['steps', 0],
      ['candidateEvery', 1.5],
      ['batchSize', -1],
      ['learningRate', Number.NaN],
    ] as const) {
      await expect(match({ [name]: value })).rejects.toMatchObject({
        name: 'OptionError',
        message: expect.stringContaining(name),
      });
    }
    await expect(match({ a: new Map() })).rejects.toThrow('model A has none');
    await expect(match({ reset: upload() })).rejects.toThrow('no batch norm');
    const single = mlp({ widths: [784, 10] });
    const values = initialiseParameters(stateEntries(single), 1);
    await expect(match({ model: single, spec: specOf(single), a: values, b: values })).rejects.toThrow(
      'no units',
    );
    const small = mlp({ widths: [36, 8, 10] });
    const few = initialiseParameters(stateEntries(small), 1);
    await expect(match({ model: small, spec: specOf(small), a: few, b: few })).rejects.toThrow('do not fit');
    const loop: Model = {
      ...small,
      name: 'loop',
      inputShape: [784],
      forward(images) {
        const x = linear(images, parameter('stem.weight', [10, 784]));
        return linear(
          add(x, linear(x, parameter('loop.weight', [10, 10]))),
          parameter('head.weight', [10, 10]),
        );
      },
    };
    const looped = initialiseParameters(stateEntries(loop), 1);
    await expect(match({ model: loop, spec: specOf(loop), a: looped, b: looped })).rejects.toThrow(
      '"loop.weight"',
    );
  });

  it('says that the learning rate is too large when the free vector overflows', async () => {
    await expect(match({ learningRate: 1e38, optimizer: { type: 'sgd' }, steps: 60 })).rejects.toMatchObject({
      name: 'DataError',
      message: expect.stringContaining('smaller learning rate'),
    });
  });
});

describe('a network with batch norm', () => {
  const resnet = resnetOfDepth(8, { width: 0.5, input: [1, 28, 28] });
  const pair = [1, 2].map((seed) => initialiseParameters(stateEntries(resnet), seed));
  const [first, second] = [pair[0]!, pair[1]!] as const;

  it('is compared with statistics that are estimated half-way', async () => {
    const small = {
      data: upload(digits({ count: 24, seed: 1, split: 'train' })),
      evaluation: upload(digits({ count: 20, seed: 2, split: 'test' })),
      reset: upload(digits({ count: 20, seed: 3, split: 'train' })),
    };
    const options = { model: resnet, spec: specOf(resnet), a: first, b: second, batchSize: 10, ...small };
    const result = await straightThroughMatching(context(), {
      ...options,
      steps: 3,
      learningRate: 10,
      candidateEvery: 1,
    });
    const matched = await weightMatching(context(), options);
    const aligned = permuteValues(options.spec, matched.permutations, second);
    expect(result.candidates[0]!.loss).toBe(
      await lossHalfWay([first, aligned], resnet, small.evaluation, small.reset),
    );
    expect(result.candidates.length).toBeGreaterThan(1);
    expect(result.best.loss).toBe(Math.min(...result.candidates.map(({ loss }) => loss)));
  });

  it('is refused without images for them', async () => {
    await expect(match({ model: resnet, spec: specOf(resnet), a: first, b: second })).rejects.toThrow(
      'give images to estimate them on as `reset`',
    );
  });
});

describe('StraightThroughEstimator', () => {
  it('projects A on what weight matching finds, and moves by half the gradient of the network half-way', async () => {
    const [count, batch] = [23, 40];
    const learningRate = 0.05;
    const data = upload();
    const order = new RandomStream(3, 'order').permutation(data.count);
    const indices = own(context().tensorFrom(order));
    const loss = own(context().tensor([], 'f32'));
    const estimator = own(
      new StraightThroughEstimator(context(), {
        model,
        spec,
        a,
        b,
        optimizer: { type: 'sgd', momentum: 0.9 },
        batchSize: batch,
      }),
    );
    expect(await estimator.project()).toBe(true);
    const { permutations } = await weightMatching(context(), { spec, a, b });
    expect(estimator.permutations).toEqual(permutations);
    expect(await estimator.project()).toBe(false);
    const free = await estimator.free.read();
    expect(free).toEqual(a);
    estimator.step({ data, order: indices, start: 11, count, learningRate, loss });
    const [gradients, moved, measured] = [
      await estimator.gradients.read(),
      await estimator.free.read(),
      await loss.read(),
    ];

    const aligned = permuteValues(spec, permutations, b);
    const halfWay = new Map(
      [...a].map(([name, x]) => [name, Float64Array.from(x, (v, i) => (v + aligned.get(name)![i]!) / 2)]),
    );
    const samples = [...order.subarray(11, 11 + count)];
    const { mean: center, std } = { mean: DIGITS_NORMALISATION.mean[0]!, std: DIGITS_NORMALISATION.std[0]! };
    const pixels = samples.flatMap((n) =>
      [...images.data.images.subarray(784 * n, 784 * (n + 1))].map((byte) => (byte / 255 - center) / std),
    );
    const { logits } = forwardGraph(model, { training: true });
    const total = mean(crossEntropy(logits, input('labels', ['N'], 'u32')), 0);
    const nodes = [...parameterGradients(total)];
    const [value, ...expected] = evaluateReference(
      [total, ...nodes.map(([, node]) => node)],
      new Map<string, ArrayLike<number>>([
        ...halfWay,
        ['images', pixels],
        ['labels', samples.map((n) => images.data.labels[n]!)],
      ]),
      count,
    );
    expect(measured[0]).toBeCloseTo(value![0]!, 5);
    for (const [index, [name]] of nodes.entries()) {
      const largest = Math.max(...expected[index]!.map(Math.abs));
      expect(largest).toBeGreaterThan(1e-3);
      gradients.get(name)!.forEach((gradient, i) => {
        // Three layers of f32 sums of at most 784 terms, each within 1e-6 of the sum of magnitudes.
        expect(Math.abs(gradient - 0.5 * expected[index]![i]!)).toBeLessThan(1e-4 * largest);
        // The first step of SGD with momentum is that of SGD: one product and one difference, rounded.
        const target = a.get(name)![i]! - learningRate * gradient;
        expect(Math.abs(moved.get(name)![i]! - target)).toBeLessThan(2 ** -22 * (Math.abs(target) + 0.1));
      });
    }
  });
});
