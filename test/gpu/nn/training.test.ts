/** Training and evaluation: against a float64 reference step by step, and as a user sees them. */
import { describe, expect, it } from 'vitest';
import { DataError, ShapeError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { parameterGradients } from '../../../src/nn/gradient.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, stateEntries } from '../../../src/nn/models/model.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { fit } from '../../../src/nn/train/fit.ts';
import { checkDatasetFits, GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { cosineSchedule } from '../../../src/nn/train/schedule.ts';
import {
  readTrainingState,
  type TrainingState,
  writeTrainingState,
} from '../../../src/nn/train/training-state.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import type { Context } from '../../../src/runtime/context.ts';
import { evaluateReference } from '../../reference/graph.ts';
import { useContext } from '../../support/context.ts';
import { TINY_NORMALISATION, tinyDataset } from '../../support/tiny-dataset.ts';

const context = useContext();

describe('fit', () => {
  it.each([0, 0.1])(
    'takes the steps of SGD with momentum that float64 takes, tail batch included, labels smoothed by %s',
    async (labelSmoothing) => {
      const dataset = tinyDataset();
      const model = mlp({ widths: [6, 8, 3], activation: 'tanh' });
      const data = new GpuDataset(context(), dataset, TINY_NORMALISATION);
      const [batchSize, learningRate, momentum, weightDecay, seed] = [8, 0.1, 0.9, 0.01, 4];
      const { state, epochLoss } = await fit(context(), {
        model,
        data,
        optimizer: { type: 'sgd', momentum, weightDecay },
        learningRate,
        epochs: 2,
        batchSize,
        labelSmoothing,
        seed,
      });
      data.destroy();

      const { logits } = forwardGraph(model);
      const labels = ops.input('labels', ['N'], 'u32');
      const loss = ops.mean(ops.smoothedCrossEntropy(logits, labels, labelSmoothing), 0);
      const gradients = [...parameterGradients(loss)];
      const values = new Map(
        [...initialiseParameters(stateEntries(model), seed)].map(([k, v]) => [k, Float64Array.from(v)]),
      );
      const velocities = new Map([...values].map(([k, v]) => [k, new Float64Array(v.length)]));
      const losses: number[] = [];
      for (let epoch = 1; epoch <= 2; epoch++) {
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
          ]);
          const [value, ...steps] = evaluateReference(
            [loss, ...gradients.map(([, node]) => node)],
            leaves,
            batch.length,
          );
          losses.push(...batch.map(() => value![0]!));
          gradients.forEach(([name], i) => {
            const [w, v] = [values.get(name)!, velocities.get(name)!];
            w.forEach((x, k) => {
              v[k] = momentum * v[k]! + steps[i]![k]! + weightDecay * x;
              w[k] = x - learningRate * v[k]!;
            });
          });
        }
      }
      // Eight steps of float32 against float64: each adds a few roundings of 6e-8 to values near 1, momentum sums ten of them.
      for (const [name, expected] of values) {
        state.get(name)!.forEach((value, i) => {
          expect(Math.abs(value - expected[i]!)).toBeLessThan(5e-6);
        });
      }
      expect(epochLoss[0]).toBeCloseTo(losses.slice(0, 30).reduce((a, b) => a + b, 0) / 30, 5);
      expect(epochLoss[1]).toBeCloseTo(losses.slice(30).reduce((a, b) => a + b, 0) / 30, 5);
    },
  );

  for (const activation of ['relu', 'tanh', 'softplus', 'gelu'] as const) {
    it(`learns the digits with ${activation}`, async () => {
      const train = new GpuDataset(
        context(),
        digits({ count: 600, seed: 1, split: 'train' }),
        DIGITS_NORMALISATION,
      );
      const { epochLoss } = await fit(context(), {
        model: mlp({ widths: [784, 32, 10], activation, bias: activation !== 'relu' }),
        data: train,
        optimizer: { type: 'adamw', weightDecay: 0.01 },
        learningRate: 3e-3,
        epochs: 3,
        batchSize: 50,
        seed: 0,
      });
      expect(epochLoss[2]).toBeLessThan(0.6 * epochLoss[0]!);
      train.destroy();
    });
  }

  it('goes on from any checkpoint to the same bits, with momentum, tail batches and accumulated gradients', async () => {
    const data = new GpuDataset(context(), tinyDataset(), TINY_NORMALISATION);
    const run = {
      model: mlp({ widths: [6, 8, 3] }),
      data,
      optimizer: { type: 'adamw', weightDecay: 0.01 },
      learningRate: 0.01,
      schedule: cosineSchedule(),
      epochs: 3,
      batchSize: 8,
      accumulate: 3,
      seed: 4,
    } as const;
    const states: TrainingState[] = [];
    const save = async (state: TrainingState) => {
      states.push(readTrainingState(writeTrainingState(state), 'test')); // through the bytes of a file
    };
    const whole = await fit(context(), { ...run, checkpoint: { everySteps: 1, save } });
    expect(states.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for (const resume of [states[0]!, states[3]!, states[5]!, states[11]!]) {
      expect(await fit(context(), { ...run, resume })).toEqual(whole);
    }
    const other = fit(context(), { ...run, seed: 5, resume: states[0]! });
    await expect(other).rejects.toThrow(/made with other options/);
    const f16 = Object.create(context(), { numerics: { value: 'f16' } }) as Context; // refused before anything runs in it
    await expect(fit(f16, { ...run, resume: states[0]! })).rejects.toThrow(/made with other options/);
    data.destroy();
  });

  it('accumulates gradients to those of the whole batch', async () => {
    const data = new GpuDataset(context(), tinyDataset(), TINY_NORMALISATION);
    const train = (accumulate: number) =>
      fit(context(), {
        model: mlp({ widths: [6, 8, 3], activation: 'tanh' }),
        data,
        optimizer: { type: 'sgd' },
        learningRate: 0.1,
        epochs: 1,
        batchSize: 15,
        accumulate,
        seed: 4,
      });
    const [one, four] = [await train(1), await train(4)];
    // Sums of 15 terms in another order, twice: a few roundings of 6e-8 times the learning rate.
    for (const [name, values] of one.state) {
      values.forEach((value, i) => {
        expect(Math.abs(value - four.state.get(name)![i]!)).toBeLessThan(1e-6);
      });
    }
    data.destroy();
  });

  it('augments each epoch by the seed: another seed or none trains otherwise, the same one the same', async () => {
    const data = new GpuDataset(
      context(),
      digits({ count: 40, seed: 1, split: 'train' }),
      DIGITS_NORMALISATION,
    );
    const train = (augmentation?: { flip?: boolean; crop?: number }) =>
      fit(context(), {
        model: mlp({ widths: [784, 6, 10] }),
        data,
        optimizer: { type: 'sgd' },
        learningRate: 0.1,
        epochs: 2,
        batchSize: 16,
        seed: 2,
        ...(augmentation ? { augmentation } : {}),
      });
    const plain = await train();
    const augmented = await train({ flip: true, crop: 3 });
    expect(await train({ flip: true, crop: 3 })).toEqual(augmented);
    expect(augmented.epochLoss).not.toEqual(plain.epochLoss);
    await expect(train({ crop: -1 })).rejects.toThrow(/crop/);
    data.destroy();
  });

  it('reports progress and stops when aborted, leaving nothing behind', async () => {
    const data = new GpuDataset(context(), tinyDataset(), TINY_NORMALISATION);
    const controller = new AbortController();
    const seen: number[] = [];
    const run = fit(context(), {
      model: mlp({ widths: [6, 4, 3] }),
      data,
      optimizer: { type: 'adam' },
      learningRate: 1e-3,
      epochs: 100,
      batchSize: 10,
      seed: 0,
      signal: controller.signal,
      onProgress: ({ step, steps, loss }) => {
        expect(steps).toBe(300);
        expect(loss).toBeGreaterThan(0);
        seen.push(step);
        if (seen.length === 3) controller.abort();
      },
    });
    await expect(run).rejects.toThrow(/abort/i);
    expect(seen).toEqual([1, 2, 3]);
    data.destroy(); // the fixture checks that no buffer is left
  });

  it('says so when the loss is no longer a number', async () => {
    const data = new GpuDataset(context(), tinyDataset(), TINY_NORMALISATION);
    const run = fit(context(), {
      model: mlp({ widths: [6, 32, 32, 3] }),
      data,
      optimizer: { type: 'sgd' },
      learningRate: 1e20,
      epochs: 5,
      seed: 0,
    });
    await expect(run).rejects.toThrow(DataError);
    data.destroy();
  });
});

describe('Evaluator', () => {
  it('gives the float64 loss and accuracy, whatever the batch size, to the bit', async () => {
    const dataset = tinyDataset();
    const model = mlp({ widths: [6, 8, 3] });
    const values = initialiseParameters(stateEntries(model), 2);
    const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
    arena.write(values);
    const data = new GpuDataset(context(), dataset, TINY_NORMALISATION);
    const results: { loss: number; accuracy: number }[] = [];
    for (const batchSize of [1, 7, 30, 500]) {
      const evaluator = new Evaluator(context(), model, [arena], data, batchSize);
      results.push(await evaluator.evaluate());
      evaluator.destroy();
    }
    for (const result of results) expect(result).toEqual(results[0]);

    const { logits } = forwardGraph(model);
    const labels = ops.input('labels', ['N'], 'u32');
    const images = [...dataset.images].map((byte) => (byte / 255 - 0.4) / 0.25);
    const leaves = new Map<string, ArrayLike<number>>([
      ...values,
      ['images', images],
      ['labels', dataset.labels],
    ]);
    const [losses, corrects] = evaluateReference(
      [ops.crossEntropy(logits, labels), ops.correct(logits, labels)],
      leaves,
      30,
    );
    expect(results[0]!.loss).toBeCloseTo(losses!.reduce((a, b) => a + b, 0) / 30, 6);
    expect(results[0]!.accuracy).toBe(corrects!.reduce((a, b) => a + b, 0) / 30);
    data.destroy();
    arena.destroy();
  });

  it('refuses a data set that does not fit the model', () => {
    expect(() => checkDatasetFits(mlp({ widths: [7, 3] }), tinyDataset())).toThrow(ShapeError);
    expect(() => checkDatasetFits(mlp({ widths: [6, 2] }), tinyDataset())).toThrow(
      /has 3 classes.*predicts 2/,
    );
    expect(() => new GpuDataset(context(), tinyDataset(), { mean: [0, 0], std: [1] })).toThrow(
      /mean must be one number/,
    );
  });
});
