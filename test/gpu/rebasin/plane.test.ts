/** Planes through three models. */
import { describe, expect, it } from 'vitest';
import { DataError, OptionError, ShapeError } from '../../../src/base/errors.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../../src/nn/models/resnet.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { equallySpaced } from '../../../src/rebasin/interpolation/barrier.ts';
import { planeSweep } from '../../../src/rebasin/interpolation/plane.ts';
import { planeGeometry } from '../../../src/rebasin/interpolation/plane-geometry.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { BatchNormReset } from '../../../src/rebasin/renormalise/reset.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const small = mlp({ widths: [784, 12, 10] });

/**
 * Losses near 2.5 of weights that differ by a rounding: as in the sweep's test, moved by 1e-6 at most; twice for a sum of three, and twice
 * for a first layer that is mixed after its sums are rounded in place of before.
 */
const ROUNDING = 4e-6;

function arenaOf(model: Model, values: HostTensors): Arena {
  const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
  arena.write(values);
  return arena;
}

function setUp(model: Model = small, count = 70) {
  const values = [1, 2, 3].map((seed) => initialiseParameters(stateEntries(model), seed, 'kaiming'));
  const models = values.map((value) => arenaOf(model, value)) as [Arena, Arena, Arena];
  const images = digits({ count, seed: 3, split: 'test' });
  const data = new GpuDataset(context(), images, DIGITS_NORMALISATION);
  const evaluate = async (weights: readonly number[]) => {
    const mixed = new Map(
      [...values[0]!].map(([name, x]) => [
        name,
        x.map((_, i) => values.reduce((sum, value, m) => sum + weights[m]! * value.get(name)![i]!, 0)),
      ]),
    );
    const arena = arenaOf(model, mixed);
    const evaluator = new Evaluator(context(), model, [arena], data);
    const result = await evaluator.evaluate();
    evaluator.destroy();
    arena.destroy();
    return result;
  };
  const destroy = () => {
    for (const owned of [...models, data]) owned.destroy();
  };
  return { values, models, data, evaluate, destroy };
}

describe('planeSweep', () => {
  it('gives at the three models what they give, and elsewhere what mixed weights give', async () => {
    const { values, models, data, evaluate, destroy } = setUp();
    const plane = await planeSweep(context(), { model: small, models, data: { test: data }, gridSize: 3 });
    const test = plane.values.test!;
    expect(test.models).toEqual([
      await evaluate([1, 0, 0]),
      await evaluate([0, 1, 0]),
      await evaluate([0, 0, 1]),
    ]);
    for (const [i, weights] of [
      [0.5, 0.5, 0],
      [0.5, 0, 0.5],
      [0, 0.5, 0.5],
    ].entries()) {
      expect(Math.abs(test.midpoints[i]!.loss - (await evaluate(weights)).loss)).toBeLessThan(ROUNDING);
    }
    const geometry = planeGeometry(values as unknown as [HostTensors, HostTensors, HostTensors]);
    expect(plane.models).toEqual(geometry.models);
    for (const [row, y] of plane.y.entries()) {
      for (const [column, x] of plane.x.entries()) {
        const { loss, accuracy } = await evaluate(geometry.weightsAt({ x, y }));
        expect(Math.abs(test.loss[row]![column]! - loss)).toBeLessThan(ROUNDING);
        expect(Math.abs(test.accuracy[row]![column]! - accuracy)).toBeLessThanOrEqual(1 / 70);
      }
    }
    destroy();
  });

  it('agrees with a sweep where the grid runs along a side of the triangle', async () => {
    const { models, data, destroy } = setUp();
    const [a, b, c] = models;
    // A right triangle: the grid then begins at A, and its first row ends at B.
    const geometry = planeGeometry([await a.read(), await b.read(), await c.read()]);
    const [, base, corner] = geometry.models;
    const upright = new Map(
      [...(await c.read())].map(([name, x]) => [name, x.map((v) => v)] as [string, Float32Array]),
    );
    const [start, end] = [await a.read(), await b.read()];
    for (const [name, x] of upright) {
      x.forEach((v, i) => {
        const u = end.get(name)![i]! - start.get(name)![i]!;
        x[i] = v - (corner.x / base.x) * u;
      });
    }
    c.write(upright);
    const plane = await planeSweep(context(), {
      ...{ model: small, models, data: { test: data }, gridSize: 5, margin: 0 },
    });
    const line = await sweep(context(), {
      ...{ model: small, a, b, lambda: equallySpaced(5), data: { test: data } },
    });
    for (const [i, loss] of line.test!.loss.entries()) {
      expect(Math.abs(plane.values.test!.loss[0]![i]! - loss)).toBeLessThan(ROUNDING);
    }
    expect(Math.max(...line.test!.loss) - Math.min(...line.test!.loss)).toBeGreaterThan(0.01); // no flat line
    destroy();
  });

  it('does not depend on the batch size, evaluates every data set, and reports each point', async () => {
    const { models, data, destroy } = setUp();
    const other = new GpuDataset(
      context(),
      digits({ count: 30, seed: 4, split: 'train' }),
      DIGITS_NORMALISATION,
    );
    const seen: number[] = [];
    const run = (batchSize: number) =>
      planeSweep(context(), {
        ...{ model: small, models, data: { test: data, train: other }, gridSize: 2, batchSize },
        onProgress: ({ done, total }) => seen.push(done / total),
      });
    const [whole, parts] = [await run(500), await run(11)];
    expect(parts).toEqual(whole);
    expect(Object.keys(whole.values)).toEqual(['test', 'train']);
    expect(seen.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) / 10));
    other.destroy();
    destroy();
  });

  it('re-normalises every point, the models included', async () => {
    const model = resnetOfDepth(8, { width: 0.25, input: [1, 28, 28] });
    const { models, data, destroy } = setUp(model, 20);
    const renormalise = (merged: Arena) => new BatchNormReset(context(), model, merged, data);
    const plane = await planeSweep(context(), {
      ...{ model, models, data: { test: data }, gridSize: 2, renormalise },
    });
    const line = await sweep(context(), {
      ...{ model, a: models[0], b: models[1], lambda: [0, 0.5, 1], data: { test: data }, renormalise },
    });
    const { loss } = line.test!;
    expect(plane.values.test!.models.slice(0, 2).map((at) => at.loss)).toEqual([loss[0], loss[2]]);
    expect(Math.abs(plane.values.test!.midpoints[0]!.loss - loss[1]!)).toBeLessThan(1e-5);
    const raw = await planeSweep(context(), { model, models, data: { test: data }, gridSize: 2 });
    expect(raw.values.test!.models[0]!.loss).not.toBe(loss[0]);
    destroy();
  });

  it('refuses models without a plane, a bad grid and other layouts, and stops when aborted', async () => {
    const { values, models, data, destroy } = setUp();
    const [a, b, c] = models;
    const call = { model: small, data: { test: data } };
    let points = 0;
    const onProgress = () => points++;
    c.write(values[0]!);
    await expect(planeSweep(context(), { ...call, models: [a, b, c], onProgress })).rejects.toThrow(
      DataError,
    );
    const between = [...values[0]!].map(([name, x]): [string, Float32Array] => [
      name,
      x.map((v, i) => (v + values[1]!.get(name)![i]!) / 2),
    ]);
    c.write(new Map(between));
    await expect(planeSweep(context(), { ...call, models, onProgress })).rejects.toThrow(/one line/);
    await expect(planeSweep(context(), { ...call, models, gridSize: 1, onProgress })).rejects.toThrow(
      OptionError,
    );
    const other = new Arena(context(), new ArenaLayout(stateEntries(mlp({ widths: [784, 90, 10] }))));
    await expect(planeSweep(context(), { ...call, models: [a, b, other], onProgress })).rejects.toThrow(
      ShapeError,
    );
    other.destroy();
    expect(points).toBe(0);

    c.write(values[2]!);
    const controller = new AbortController();
    const run = planeSweep(context(), {
      ...{ ...call, models, gridSize: 9, signal: controller.signal },
      onProgress: ({ done }) => done === 2 && controller.abort(),
    });
    await expect(run).rejects.toThrow(/abort/i);
    destroy();
  });

  it('frees everything when a re-normaliser cannot be made', async () => {
    const { models, data, destroy } = setUp();
    const renormalise = (merged: Arena) => new BatchNormReset(context(), small, merged, data);
    await expect(
      planeSweep(context(), { model: small, models, data: { test: data }, renormalise }),
    ).rejects.toThrow(/no batch norm/);
    destroy();
  });
});
