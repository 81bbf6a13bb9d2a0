/** The curves beside a sweep's own: the ensemble of both ends, and every point at its best softmax temperature. */
import { describe, expect, it } from 'vitest';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { fit } from '../../../src/nn/train/fit.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { evaluateLogits, mixLogits } from '../../../src/rebasin/interpolation/logits.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { fitTemperature } from '../../../src/rebasin/interpolation/temperature.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const model = mlp({ widths: [784, 12, 10] });
const entries = stateEntries(model);
const lambda = [0, 0.3, 0.5, 1];
/** Losses near 2.5 in f32 on the GPU and in float64 on the host: each has a few roundings of 2^-24, exp and log some units more. */
const ROUNDING = 3e-6;

/** Two networks that have learnt a little, so that their logits mean something. */
async function setUp(change: (b: Map<string, Float32Array>, a: HostTensors) => void = () => {}) {
  const images = {
    test: digits({ count: 70, seed: 3, split: 'test' }),
    statistics: digits({ count: 90, seed: 4, split: 'train' }),
  };
  const [test, statistics] = [images.test, images.statistics].map(
    (set) => new GpuDataset(context(), set, DIGITS_NORMALISATION),
  );
  const trained: Map<string, Float32Array>[] = [];
  for (const seed of [1, 2]) {
    const optimizer = { type: 'sgd', momentum: 0.9 } as const;
    const recipe = { optimizer, learningRate: 0.02, batchSize: 30, epochs: 3 };
    trained.push((await fit(context(), { model, data: statistics!, seed, ...recipe })).state);
  }
  const [valuesA, valuesB] = trained;
  change(valuesB!, valuesA!);
  const [a, b] = trained.map((values) => {
    const arena = new Arena(context(), new ArenaLayout(entries));
    arena.write(values);
    return arena;
  });
  const call = { model, a: a!, b: b!, lambda, data: { test: test!, train: statistics! } };
  const logitsAt = async (share: number, data: GpuDataset) => {
    const mixed = [...valuesA!].map(([name, x]): [string, Float32Array] => [
      name,
      x.map((v, i) => (1 - share) * v + share * valuesB!.get(name)![i]!),
    ]);
    const arena = new Arena(context(), new ArenaLayout(entries));
    arena.write(new Map(mixed));
    const evaluator = new Evaluator(context(), model, [arena], data);
    const logits = await evaluator.logits();
    evaluator.destroy();
    arena.destroy();
    return logits;
  };
  const destroy = () => {
    for (const owned of [a!, b!, test!, statistics!]) owned.destroy();
  };
  return { call, images, test: test!, statistics: statistics!, logitsAt, destroy };
}

describe('a sweep with an ensemble', () => {
  it('mixes the logits of both ends, and leaves its own curve as it was', async () => {
    const { call, images, test, logitsAt, destroy } = await setUp();
    const plain = await sweep(context(), call);
    const { ensemble, ...own } = (await sweep(context(), { ...call, ensemble: true })).test!;
    expect(own).toEqual(plain.test);
    const [first, last] = [await logitsAt(0, test), await logitsAt(1, test)];
    for (const [i, l] of lambda.entries()) {
      const mixed = mixLogits([first, last], [1 - l, l]);
      expect({ loss: ensemble!.loss[i], accuracy: ensemble!.accuracy[i] }).toEqual(
        evaluateLogits(mixed, images.test.labels),
      );
    }
    for (const end of [0, 3]) expect(Math.abs(ensemble!.loss[end]! - own.loss[end]!)).toBeLessThan(ROUNDING);
    // Cross-entropy is convex in the logits (not in the weights): an ensemble has no barrier.
    expect(ensemble!.barrier.loss).toBe(0);
    destroy();
  });
});

describe('a sweep that calibrates', () => {
  it('finds at each point the temperature of that network on the calibration images', async () => {
    const { call, images, statistics, test, logitsAt, destroy } = await setUp();
    const plain = await sweep(context(), call);
    const curves = await sweep(context(), { ...call, calibrate: statistics });
    const { calibrated, ...own } = curves.test!;
    expect(own).toEqual(plain.test);
    expect(calibrated!.accuracy).toEqual(own.accuracy);
    for (const [i, l] of lambda.entries()) {
      const fitted = fitTemperature(await logitsAt(l, statistics), images.statistics.labels);
      // Logits near 1 that differ by roundings move a temperature by about as much.
      expect(Math.abs(calibrated!.temperature[i]! / fitted.temperature - 1)).toBeLessThan(1e-4);
      const { loss } = evaluateLogits(await logitsAt(l, test), images.test.labels, fitted.temperature);
      expect(Math.abs(calibrated!.loss[i]! - loss)).toBeLessThan(1e-4);
      // On the images that the temperature was fitted on nothing does better, T = 1 included.
      expect(curves.train!.calibrated!.loss[i]!).toBeLessThan(curves.train!.loss[i]! + ROUNDING);
    }
    destroy();
  });

  it('gives a network whose logits are ten times as large ten times the temperature, and the same loss', async () => {
    const { call, statistics, destroy } = await setUp((b, a) => {
      for (const [name, values] of a)
        b.set(
          name,
          values.map((v) => (name.startsWith('fc2') ? 10 * v : v)),
        );
    });
    const { calibrated, loss } = (await sweep(context(), { ...call, calibrate: statistics })).test!;
    const [first, last] = [calibrated!.temperature[0]!, calibrated!.temperature[3]!];
    expect(last / first / 10).toBeCloseTo(1, 4);
    expect(calibrated!.loss[3]).toBeCloseTo(calibrated!.loss[0]!, 4);
    expect(loss[3]! - loss[0]!).toBeGreaterThan(1); // the control: at T = 1 it is far worse
    destroy();
  });

  it('does not depend on batches, and goes along with an ensemble and a re-normaliser', async () => {
    const { call, statistics, destroy } = await setUp();
    let corrections = 0;
    const renormalise = () => ({ correct: async () => void corrections++, destroy: () => {} });
    const run = (batchSize: number) =>
      sweep(context(), { ...call, ensemble: true, calibrate: statistics, batchSize, renormalise });
    expect(await run(17)).toEqual(await run(500));
    expect(corrections).toBe(2 * lambda.length);
    destroy();
  });

  it('has neither temperature nor loss where logits are not finite, and goes on', async () => {
    const { call, statistics, destroy } = await setUp((b) => b.get('fc2.bias')!.fill(Number.NaN));
    const { calibrated } = (await sweep(context(), { ...call, calibrate: statistics })).test!;
    expect(calibrated!.temperature.map(Number.isNaN)).toEqual([false, true, true, true]);
    expect(calibrated!.loss.map(Number.isNaN)).toEqual([false, true, true, true]);
    expect(calibrated!.accuracy[3]).toBe(0);
    destroy();
  });

  it('stops when aborted', async () => {
    const { call, statistics, destroy } = await setUp();
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 1 && controller.abort();
    const options = { ...call, calibrate: statistics, signal: controller.signal, onProgress };
    await expect(sweep(context(), options)).rejects.toThrow(/abort/i);
    destroy();
  });
});
