/** Self-paced training: against float64 step by step, against plain training, and on labels some of which are wrong. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { parameterGradients } from '../../../src/nn/gradient.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, stateEntries } from '../../../src/nn/models/model.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { fit } from '../../../src/nn/train/fit.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import type { EpochPace, SelfPacing } from '../../../src/nn/train/self-paced.ts';
import {
  readTrainingState,
  type TrainingState,
  writeTrainingState,
} from '../../../src/nn/train/training-state.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { evaluateReference } from '../../reference/graph.ts';
import { useContext } from '../../support/context.ts';
import { TINY_NORMALISATION, tinyDataset } from '../../support/tiny-dataset.ts';

const context = useContext();

/** Everything at once: momentum, tail batches, parts of batches, smoothed labels, augmentation. */
const EVERYTHING = {
  model: mlp({ widths: [6, 8, 3] }),
  optimizer: { type: 'adamw', weightDecay: 0.01 },
  learningRate: 0.02,
  epochs: 4,
  batchSize: 8,
  accumulate: 3,
  labelSmoothing: 0.1,
  augmentation: { flip: true },
  seed: 4,
} as const;

describe('self-paced training', () => {
  it('takes the steps that float64 takes on the weighted losses, tail batch included', async () => {
    const dataset = tinyDataset();
    const model = mlp({ widths: [6, 8, 3], activation: 'tanh' });
    const data = new GpuDataset(context(), dataset, TINY_NORMALISATION);
    const [batchSize, learningRate, seed, epochs] = [8, 0.2, 4, 3];
    const { state, epochLoss, selfPaced } = await fit(context(), {
      ...{ model, data, learningRate, epochs, batchSize, seed },
      optimizer: { type: 'sgd' },
      selfPaced: { regulariser: 'linear', from: 0.4, to: 0.8 },
    });
    data.destroy();

    const { logits } = forwardGraph(model);
    const losses = ops.crossEntropy(logits, ops.input('labels', ['N'], 'u32'));
    const weighted = ops.mean(ops.multiply(losses, ops.input('weights', ['N'])), 0);
    const gradients = [...parameterGradients(weighted)];
    const values = new Map(
      [...initialiseParameters(stateEntries(model), seed)].map(([k, v]) => [k, Float64Array.from(v)]),
    );
    let lossOf = new Float64Array(dataset.count);
    const paces: EpochPace[] = [];
    const means: number[] = [];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      // Linear weights 1 - l/age, where the age is the 12th or the 24th smallest loss of 30.
      const age = lossOf.slice().sort()[epoch === 2 ? 11 : 23]!;
      const weights = lossOf.map((loss) => (epoch === 1 ? 1 : Math.max(0, 1 - loss / age)));
      const meanWeight = weights.reduce((a, b) => a + b, 0) / 30;
      paces.push(
        epoch === 1 ? { share: 1, meanWeight } : { age, share: epoch === 2 ? 0.4 : 0.8, meanWeight },
      );
      const next = new Float64Array(dataset.count);
      const order = new RandomStream(seed, 'order of samples').derive(epoch).permutation(dataset.count);
      for (let start = 0; start < dataset.count; start += batchSize) {
        const batch = [...order.subarray(start, start + batchSize)];
        const images = batch.flatMap((n) =>
          [...dataset.images.subarray(6 * n, 6 * n + 6)].map((byte) => (byte / 255 - 0.4) / 0.25),
        );
        const leaves = new Map<string, ArrayLike<number>>([
          ...values,
          ['images', images],
          ['labels', batch.map((n) => dataset.labels[n]!)],
          ['weights', batch.map((n) => weights[n]!)],
        ]);
        const [each, ...steps] = evaluateReference(
          [losses, ...gradients.map(([, node]) => node)],
          leaves,
          batch.length,
        );
        batch.forEach((n, i) => {
          next[n] = each![i]!;
        });
        gradients.forEach(([name], i) => {
          const w = values.get(name)!;
          w.forEach((x, k) => {
            w[k] = x - learningRate * steps[i]![k]!;
          });
        });
      }
      lossOf = next;
      means.push(next.reduce((a, b) => a + b, 0) / 30);
    }
    // Twelve steps of float32 against float64: each adds a few roundings of 6e-8 to values near 1.
    for (const [name, expected] of values) {
      state.get(name)!.forEach((value, i) => {
        expect(Math.abs(value - expected[i]!)).toBeLessThan(5e-6);
      });
    }
    epochLoss.forEach((loss, i) => {
      expect(loss).toBeCloseTo(means[i]!, 5);
    });
    selfPaced!.epochs.forEach((pace, i) => {
      expect(pace.age ?? 0).toBeCloseTo(paces[i]!.age ?? 0, 5);
      expect(pace.share).toBe(paces[i]!.share);
      expect(pace.meanWeight).toBeCloseTo(paces[i]!.meanWeight, 5);
    });
  });

  it('is plain training, to the bit, where every weight is 1', async () => {
    const data = new GpuDataset(context(), tinyDataset(), TINY_NORMALISATION);
    const plain = await fit(context(), { ...EVERYTHING, data });
    const { selfPaced, ...all } = await fit(context(), {
      ...{ ...EVERYTHING, data },
      selfPaced: { regulariser: 'hard', from: 1, to: 1 },
    });
    expect(all).toEqual(plain);
    expect(selfPaced!.epochs.map(({ meanWeight }) => meanWeight)).toEqual([1, 1, 1, 1]);
    const { selfPaced: _, ...half } = await fit(context(), {
      ...{ ...EVERYTHING, data },
      selfPaced: { regulariser: 'hard', from: 0.5, to: 0.5 },
    });
    expect(half.state).not.toEqual(plain.state);
    expect(half.epochLoss[0]).toBe(plain.epochLoss[0]); // the first epoch is plain
    data.destroy();
  });

  it('goes on from any checkpoint to the same bits, with everything else in use', async () => {
    const data = new GpuDataset(context(), tinyDataset(), TINY_NORMALISATION);
    const run = { ...EVERYTHING, data, selfPaced: { regulariser: 'exponential', from: 0.3 } } as const;
    const states: TrainingState[] = [];
    const save = async (state: TrainingState) => {
      states.push(readTrainingState(writeTrainingState(state), 'test')); // through the bytes of a file
    };
    const whole = await fit(context(), { ...run, checkpoint: { everySteps: 1, save } });
    expect(whole.selfPaced!.epochs).toHaveLength(4);
    // Steps 1 to 4 are the first epoch: within it, at its end, within a later one, and when all is done.
    for (const step of [2, 4, 6, 12, 16]) {
      expect(await fit(context(), { ...run, resume: states[step - 1]! })).toEqual(whole);
    }
    const otherwise: (SelfPacing | undefined)[] = [
      { ...run.selfPaced, from: 0.4 },
      { ...run.selfPaced, regulariser: 'log' },
      undefined,
    ];
    for (const selfPaced of otherwise) {
      const { selfPaced: _, ...rest } = run;
      const other = fit(context(), { ...rest, ...(selfPaced ? { selfPaced } : {}), resume: states[5]! });
      await expect(other).rejects.toThrow(/made with other options/);
    }
    data.destroy();
  });

  it('tells the weights with its progress, and refuses options before any work', async () => {
    const data = new GpuDataset(context(), tinyDataset(), TINY_NORMALISATION);
    const seen: (EpochPace | undefined)[] = [];
    const run = { ...EVERYTHING, data, reportsPerEpoch: 1 };
    const { selfPaced } = await fit(context(), {
      ...run,
      selfPaced: { regulariser: 'linear' },
      onProgress: ({ pace }) => seen.push(pace),
    });
    expect(seen).toEqual(selfPaced!.epochs);
    expect(seen.map((pace) => pace!.share)).toEqual([1, 15 / 30, 23 / 30, 1]); // half, three quarters, all
    const before = context().statistics.dispatches;
    await expect(fit(context(), { ...run, selfPaced: { regulariser: 'logarithmic' } })).rejects.toThrow(
      OptionError,
    );
    expect(context().statistics.dispatches).toBe(before);
    data.destroy();
  });

  it.each([0, 1, 2])(
    'learns less from wrong labels and more from the rest: two fifths wrong, seed %i',
    async (seed) => {
      const model = mlp({ widths: [784, 64, 10] });
      const clean = digits({ count: 600, seed: 1, split: 'train' });
      const wrong = new Set(new RandomStream(seed, 'wrong labels').permutation(600).subarray(0, 240));
      const labels = clean.labels.map((label, i) => (wrong.has(i) ? (label + 1 + (i % 9)) % 10 : label));
      const data = new GpuDataset(context(), { ...clean, labels }, DIGITS_NORMALISATION);
      const test = new GpuDataset(
        context(),
        digits({ count: 500, seed: 1, split: 'test' }),
        DIGITS_NORMALISATION,
      );
      const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
      const train = async (selfPaced?: SelfPacing) => {
        const trained = await fit(context(), {
          ...{ model, data, seed },
          optimizer: { type: 'adam' },
          learningRate: 2e-3,
          epochs: 20,
          batchSize: 50,
          ...(selfPaced ? { selfPaced } : {}),
        });
        arena.write(trained.state);
        const evaluator = new Evaluator(context(), model, [arena], test);
        const { accuracy } = await evaluator.evaluate();
        evaluator.destroy();
        return { accuracy, weights: trained.selfPaced?.weights };
      };
      const plain = await train();
      const paced = await train({ regulariser: 'linear', from: 0.5, to: 0.7, plainEpochs: 2 });
      const mean = (chosen: (i: number) => boolean) => {
        const values = [...paced.weights!].filter((_, i) => chosen(i));
        return values.reduce((a, b) => a + b, 0) / values.length;
      };
      expect(mean((i) => wrong.has(i))).toBeLessThan(0.6 * mean((i) => !wrong.has(i)));
      expect(paced.accuracy).toBeGreaterThan(plain.accuracy + 0.04);
      for (const each of [data, test, arena]) each.destroy();
    },
  );
});
