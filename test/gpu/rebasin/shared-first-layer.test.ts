/** The first layer that points of sweeps and planes share: what it changes (roundings between networks) and what it must not (all else). */
import { describe, expect, it, vi } from 'vitest';
import { combine, interpolate } from '../../../src/kernels/arena/arena.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { type Evaluation, Evaluator } from '../../../src/nn/train/evaluate.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { equallySpaced } from '../../../src/rebasin/interpolation/barrier.ts';
import { planeSweep } from '../../../src/rebasin/interpolation/plane.ts';
import { planeGeometry } from '../../../src/rebasin/interpolation/plane-geometry.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';
import { normals } from '../../support/numbers.ts';
import { TINY_NORMALISATION, tinyDataset } from '../../support/tiny-dataset.ts';

const context = useContext();

const images = tinyDataset();
const FEATURES = 6;
/** Does not divide the 30 images. */
const BATCH = 7;

const MODELS: Readonly<Record<string, Model>> = {
  'with biases': mlp({ widths: [FEATURES, 5, 3] }),
  'without biases': mlp({ widths: [FEATURES, 9, 3], bias: false }),
  'with tanh': mlp({ widths: [FEATURES, 7, 3], activation: 'tanh' }),
  'of one layer': mlp({ widths: [FEATURES, 3] }),
};
const model = MODELS['with biases']!;

/** Three networks of a model with biases that are not 0, and the images. */
function setUp(of: Model, change: (values: Map<string, Float32Array>[]) => void = () => {}) {
  const entries = stateEntries(of);
  const values = [1, 2, 3].map((seed) => {
    const fresh = initialiseParameters(entries, seed, 'kaiming');
    for (const [name, x] of fresh) if (name.endsWith('bias')) x.set(normals(x.length, `${name} ${seed}`));
    return fresh;
  });
  change(values);
  const arenaOf = (value?: HostTensors) => {
    const arena = new Arena(context(), new ArenaLayout(entries));
    if (value) arena.write(value);
    return arena;
  };
  const networks = values.map(arenaOf) as [Arena, Arena, Arena];
  const mixed = arenaOf();
  const data = new GpuDataset(context(), images, TINY_NORMALISATION);
  const evaluator = new Evaluator(context(), of, [mixed], data);
  /** What the networks give whose weights are mixed, the first layer computed with mixed weights as all others. */
  const evaluate = (shares: readonly number[]): Promise<Evaluation> => {
    const [a, b, c] = networks.map(({ windows }) => windows);
    const output = mixed.windows;
    context().record(
      ...(shares.length === 2
        ? interpolate(context(), { a: a!, b: b!, lambda: shares[1]!, output })
        : combine(context(), { a: a!, b: b!, c: c!, weights: shares as [number, number, number], output })),
    );
    return evaluator.evaluate();
  };
  const destroy = () => {
    for (const owned of [...networks, mixed, data, evaluator]) owned.destroy();
  };
  return { values, networks, data: { test: data }, evaluate, destroy };
}

/**
 * How far losses can be apart. With M the largest sum of |share| (|w| |x| + ... + |b|) over networks and samples, a pre-activation of K
 * products is within (K + 8) 2^-24 M of the exact one both ways: a rounding for each product and sum, and a few for the mixing. Activations
 * lengthen no difference; the next layer multiplies it by at most its row of |w|, and rounds sums of its own. Cross-entropy moves by twice
 * what a logit does, and rounds (exp and log a few units).
 */
function bound(values: readonly HostTensors[], shares: readonly number[]): number {
  const unit = 2 ** -24;
  const [mean, std] = [TINY_NORMALISATION.mean[0]!, TINY_NORMALISATION.std[0]!];
  const x = Array.from(images.images, (byte) => Math.abs(byte / 255 - mean) / std);
  /** The largest sum over a row of |w| and |b|, of the networks by their shares. `inputs` are not negative. */
  const largest = (layer: string, inputs: (column: number) => number, columns: number) => {
    const rows = values[0]!.get(`${layer}.weight`)!.length / columns;
    const sums = Array.from({ length: rows }, (_, row) => {
      let sum = 0;
      for (const [n, share] of shares.entries()) {
        const [w, b] = [values[n]!.get(`${layer}.weight`)!, values[n]!.get(`${layer}.bias`)];
        for (let k = 0; k < columns; k++) sum += Math.abs(share * w[row * columns + k]!) * inputs(k);
        if (b) sum += Math.abs(share * b[row]!);
      }
      return sum;
    });
    return Math.max(...sums);
  };
  const samples = Array.from({ length: images.count }, (_, sample) =>
    largest('fc1', (k) => x[sample * FEATURES + k]!, FEATURES),
  );
  const first = Math.max(...samples);
  let [size, error] = [first, 2 * (FEATURES + 8) * unit * first];
  if (values[0]!.has('fc2.weight')) {
    const width = values[0]!.get('fc1.weight')!.length / FEATURES;
    size = largest('fc2', () => first, width);
    error = error * largest('fc2', () => 1, width) + 2 * (width + 8) * unit * size;
  }
  return 2 * error + 16 * unit * (1 + size);
}

/** Multiply-adds of matrix products that `body` records. */
async function productsOf(body: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(context().recorder, 'dispatch');
  try {
    await body();
    const products = spy.mock.calls.filter(([{ pipeline }]) => pipeline.name.startsWith('matmul'));
    return products.reduce((sum, [{ work }]) => sum + work, 0);
  } finally {
    spy.mockRestore();
  }
}

describe.each(Object.entries(MODELS))('the shared first layer of an MLP %s', (_, of) => {
  it('gives the bits of both ends of a sweep, and between them what mixed weights give but for roundings', async () => {
    const { values, networks, data, evaluate, destroy } = setUp(of);
    const lambda = [0, 0.1, 0.37, 0.5, 0.9, 1];
    const [a, b] = networks;
    const { loss, accuracy } = (await sweep(context(), { model: of, a, b, lambda, data, batchSize: BATCH }))
      .test!;
    for (const [i, value] of lambda.entries()) {
      const expected = await evaluate([1 - value, value]);
      const isEnd = i === 0 || i === lambda.length - 1;
      if (isEnd) expect({ loss: loss[i], accuracy: accuracy[i] }).toEqual(expected);
      expect(Math.abs(loss[i]! - expected.loss)).toBeLessThan(bound(values, [1 - value, value]));
    }
    expect(Math.abs(loss[3]! - loss[4]!)).toBeGreaterThan(100 * bound(values, [0.5, 0.5])); // the bound can tell points apart
    destroy();
  });

  it('does so on a plane, outside the triangle too', async () => {
    const { values, networks, data, evaluate, destroy } = setUp(of);
    const plane = await planeSweep(context(), {
      ...{ model: of, models: networks, data, gridSize: 3, margin: 0.4, batchSize: BATCH },
    });
    const { loss, models } = plane.values.test!;
    expect(models).toEqual([await evaluate([1, 0, 0]), await evaluate([0, 1, 0]), await evaluate([0, 0, 1])]);
    const { weightsAt } = planeGeometry(values as unknown as [HostTensors, HostTensors, HostTensors]);
    for (const [row, y] of plane.y.entries()) {
      for (const [column, x] of plane.x.entries()) {
        const shares = weightsAt({ x, y });
        const expected = await evaluate(shares);
        expect(Math.abs(loss[row]![column]! - expected.loss)).toBeLessThan(bound(values, shares));
      }
    }
    destroy();
  });
});

describe('the shared first layer', () => {
  it('does not show the batch size, nor which other points there are, with temperatures and ensembles too', async () => {
    const { networks, data, destroy } = setUp(model);
    const [a, b] = networks;
    const other = new GpuDataset(context(), images, { mean: [0.5], std: [0.3] });
    const run = (points: number, batchSize?: number) =>
      sweep(context(), {
        ...{ model, a, b, lambda: equallySpaced(points), data, ensemble: true, calibrate: other },
        ...(batchSize ? { batchSize } : {}),
      });
    const whole = await run(5);
    expect(await run(5, BATCH)).toEqual(whole);
    const few = (await run(3, 1)).test!;
    expect(few.loss).toEqual([0, 2, 4].map((i) => whole.test!.loss[i]));
    expect(few.calibrated!.loss).toEqual([0, 2, 4].map((i) => whole.test!.calibrated!.loss[i]));
    other.destroy();
    destroy();
  });

  it('is computed once for each network, and at every point where a re-normaliser changes weights', async () => {
    const { networks, data, destroy } = setUp(model);
    const [a, b] = networks;
    const lambda = equallySpaced(7);
    const [first, second] = [30 * FEATURES * 5, 30 * 5 * 3];
    const call = { model, a, b, lambda, data, batchSize: BATCH };
    expect(await productsOf(() => sweep(context(), call))).toBe(2 * first + 7 * second);
    const renormalise = () => ({ correct: async () => {}, destroy: () => {} });
    expect(await productsOf(() => sweep(context(), { ...call, renormalise }))).toBe(7 * (first + second));
    const plane = { model, models: networks, data, gridSize: 2 };
    expect(await productsOf(() => planeSweep(context(), plane))).toBe(3 * first + 10 * second);
    expect(await productsOf(() => planeSweep(context(), { ...plane, renormalise }))).toBe(
      10 * (first + second),
    );
    destroy();
  });

  it('lets nothing of the other network through at an end, and keeps what is not finite of its own', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { networks, data, evaluate, destroy } = setUp(model, ([, second]) => {
        second!.get('fc1.weight')![8] = bad;
      });
      const [a, b] = networks;
      const lambda = [0, 0.5, 1];
      const { loss, accuracy } = (await sweep(context(), { model, a, b, lambda, data })).test!;
      expect({ loss: loss[0], accuracy: accuracy[0] }).toEqual(await evaluate([1, 0]));
      expect({ loss: loss[2], accuracy: accuracy[2] }).toEqual(await evaluate([0, 1]));
      expect(loss.map(Number.isFinite)).toEqual([true, false, false]);
      destroy();
    }
  });

  it('is freed when the sweep or the plane is aborted: while it is computed, and after', async () => {
    const { networks, data, destroy } = setUp(model);
    const [a, b] = networks;
    const before = context().statistics.liveBuffers;
    for (const last of [0, 2]) {
      const controller = new AbortController();
      if (last === 0) controller.abort();
      const options = {
        ...{ model, data, batchSize: BATCH, signal: controller.signal },
        onProgress: ({ done }: { done: number }) => done === last && controller.abort(),
      };
      await expect(sweep(context(), { ...options, a, b, lambda: equallySpaced(9) })).rejects.toThrow(
        /abort/i,
      );
      await expect(planeSweep(context(), { ...options, models: networks })).rejects.toThrow(/abort/i);
      expect(context().statistics.liveBuffers).toBe(before);
    }
    destroy();
  });
});
