/** Statistics of activations, against float64 over activations that were read back. */
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../../../src/base/errors.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../../src/nn/models/resnet.ts';
import { compile } from '../../../src/nn/program.ts';
import { findTaps } from '../../../src/nn/taps.ts';
import { type FitOptions, fit } from '../../../src/nn/train/fit.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import {
  ActivationStatistics,
  type TapStatistics,
} from '../../../src/rebasin/statistics/activation-statistics.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const plain = mlp({ widths: [784, 20, 13, 10] });
const residual = resnetOfDepth(8, { width: 0.5, input: [1, 28, 28] });
const COUNT = 53;
const UNIT = 2 ** -24;

function setUp(model: Model, change: (values: Map<string, Float32Array>) => void = () => {}) {
  const values = initialiseParameters(stateEntries(model), 5, 'kaiming');
  change(values);
  const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
  arena.write(values);
  const images = digits({ count: COUNT, seed: 2, split: 'test' });
  const data = new GpuDataset(context(), images, DIGITS_NORMALISATION);
  const measure = async (batchSize: number) => {
    const statistics = new ActivationStatistics(context(), { model, arenas: [arena], batchSize });
    try {
      return await statistics.measure(data);
    } finally {
      statistics.destroy();
    }
  };
  const destroy = () => {
    arena.destroy();
    data.destroy();
  };
  return { arena, data, measure, destroy };
}

/** Each tap's activations, [COUNT, channels, space]. */
async function activationsOf(model: Model, arena: Arena, data: GpuDataset) {
  const taps = findTaps([forwardGraph(model).logits]);
  const outputs = Object.fromEntries(taps.map(({ node }, index) => [`${index}`, node]));
  const program = compile(context(), { outputs, arenas: [arena], batchSize: COUNT });
  data.fillImages(program, data.inOrder, 0, COUNT);
  program.run();
  const all = [];
  for (const [index, { kind, name, node }] of taps.entries()) {
    const values = await context().read(program.output(`${index}`));
    all.push({ kind, name, channels: node.shape[1] as number, values });
  }
  program.destroy();
  return all;
}

interface Reference {
  readonly mean: number;
  readonly variance: number;
  readonly zeroRatio: number;
  readonly scale: number;
  /** How far each may be off, as a float32 sum over batches. */
  readonly error: { readonly mean: number; readonly variance: number; readonly scale: number };
}

/** One channel in float64. `chunks`: parts of 256 values that a batch is summed in (src/kernels/norm/channels.ts). */
function reference(x: readonly number[], chunks: number): Reference {
  const n = x.length;
  const average = (f: (v: number) => number) => x.reduce((sum, v) => sum + f(v), 0) / n;
  const mean = average((v) => v);
  const variance = average((v) => (v - mean) ** 2);
  const scale = average(Math.abs);
  const [low, high] = [Math.min(...x), Math.max(...x)];
  // A lane of 64 values counted from its first, four lanes, the chunks one after another: everything at most high - low. Then one
  // addition of the channel's first value.
  const meanError = UNIT * ((75 + chunks) * (high - low) + Math.max(Math.abs(low), Math.abs(high)));
  return {
    mean,
    variance,
    zeroRatio: x.filter((v) => v === 0).length / n,
    scale,
    error: {
      mean: meanError,
      // 7e-4 within batches is the kernel's own bound for any order of values. The variance between batches moves with their means:
      // by at most 2 sd d + d^2 where every distance is off by d, two means' errors.
      variance: 7e-4 * variance + 4 * Math.sqrt(variance) * meanError + 4 * meanError ** 2,
      scale: (68 + chunks / 256 + 256) * UNIT * scale,
    },
  };
}

function channelValues(values: Float32Array, channels: number, channel: number): number[] {
  const space = values.length / (COUNT * channels);
  return Array.from(
    { length: COUNT * space },
    (_, j) => values[(Math.floor(j / space) * channels + channel) * space + (j % space)]!,
  );
}

describe('ActivationStatistics', () => {
  it.each([
    ['an MLP', plain, 20],
    ['a residual network', residual, 20],
    ['an MLP, one image at a time', plain, 1],
    ['an MLP, batches larger than the data', plain, 64],
  ])('of %s equal those in float64', async (_, model, batchSize) => {
    const { arena, data, measure, destroy } = setUp(model);
    const measured = await measure(batchSize);
    const activations = await activationsOf(model, arena, data);
    expect(measured.map(({ kind, name }) => [kind, name])).toEqual(
      activations.map(({ kind, name }) => [kind, name]),
    );
    for (const [index, { name, channels, values }] of activations.entries()) {
      const tap = measured[index]!;
      const space = values.length / (COUNT * channels);
      expect([tap.count, tap.mean.length]).toEqual([COUNT * space, channels]);
      const chunks = Math.ceil((Math.min(batchSize, COUNT) * space) / 256);
      for (let c = 0; c < channels; c++) {
        const expected = reference(channelValues(values, channels, c), chunks);
        for (const quantity of ['mean', 'variance', 'scale'] as const) {
          const difference = Math.abs(tap[quantity][c]! - expected[quantity]);
          expect(difference, `${quantity} of ${name}, channel ${c}`).toBeLessThanOrEqual(
            expected.error[quantity],
          );
        }
        expect(tap.zeroRatio[c]).toBeCloseTo(expected.zeroRatio, 14); // counts are exact
      }
    }
    // Half of what a ReLU of a fresh network gives is 0; what a layer gives never is.
    const zeros = (kind: TapStatistics['kind']) =>
      measured.filter((tap) => tap.kind === kind).map(({ zeroRatio }) => zeroRatio);
    expect(Math.max(...zeros('activation').flatMap((each) => [...each]))).toBeGreaterThan(0.3);
    expect(Math.max(...zeros('weighted').flatMap((each) => [...each]))).toBe(0);
    destroy();
  });

  it('depend on the batch size by no more than the rounding of both', async () => {
    const { arena, data, measure, destroy } = setUp(residual);
    const activations = await activationsOf(residual, arena, data);
    const [whole, parts] = [await measure(53), await measure(7)];
    for (const [index, { channels, values }] of activations.entries()) {
      for (let c = 0; c < channels; c++) {
        const x = channelValues(values, channels, c);
        const space = x.length / COUNT;
        const errors = [53, 7].map((size) => reference(x, Math.ceil((size * space) / 256)).error);
        for (const quantity of ['mean', 'variance', 'scale'] as const) {
          const difference = Math.abs(whole[index]![quantity][c]! - parts[index]![quantity][c]!);
          expect(difference).toBeLessThanOrEqual(errors[0]![quantity] + errors[1]![quantity]);
        }
      }
    }
    destroy();
  });

  it('of a channel that is constant: exactly its mean, variance 0', async () => {
    const { measure, destroy } = setUp(plain, (values) => {
      values.get('fc1.weight')!.fill(0, 0, 2 * 784);
      values.get('fc1.bias')!.set([0.1, -0.3]);
    });
    const [layer, activation] = await measure(20);
    expect([layer!.mean[0], layer!.mean[1]]).toEqual([Math.fround(0.1), Math.fround(-0.3)]);
    expect([layer!.variance[0], layer!.variance[1]]).toEqual([0, 0]);
    expect([activation!.zeroRatio[0], activation!.zeroRatio[1]]).toEqual([0, 1]);
    expect(activation!.scale[1]).toBe(0);
    destroy();
  });

  it('of the wanted taps alone, again as the arena changes, with progress; a signal stops it', async () => {
    const { arena, data, destroy } = setUp(plain);
    const statistics = new ActivationStatistics(context(), {
      ...{ model: plain, arenas: [arena], batchSize: 20 },
      wanted: ({ kind }) => kind === 'weighted',
    });
    const seen: number[] = [];
    const first = await statistics.measure(data, { onProgress: (done) => seen.push(done) });
    expect(first.map(({ name }) => name)).toEqual(['fc1', 'fc2', 'fc3']);
    expect(seen).toEqual([20, 40, 53]);
    const values = await arena.read();
    const doubled = [...values].map(([name, x]) => [name, x.map((v) => 2 * v)] as const);
    arena.write(new Map(doubled));
    const second = await statistics.measure(data);
    // Twice the weights and the bias are exactly twice the result.
    expect(second[0]!.mean).toEqual(first[0]!.mean.map((mean) => 2 * mean));
    expect(second[0]!.variance).toEqual(first[0]!.variance.map((variance) => 4 * variance));
    await expect(statistics.measure(data, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    statistics.destroy();
    destroy();
  });

  it('name the first layer that is not finite, and refuse to look at nothing', async () => {
    const { arena, measure, destroy } = setUp(plain, (values) => {
      values.get('fc2.weight')![3 * 20] = Number.NaN;
    });
    await expect(measure(20)).rejects.toThrow(DataError);
    await expect(measure(20)).rejects.toThrow(/channel 3 of weighted "fc2" is not finite/);
    const options = { model: plain, arenas: [arena], wanted: () => false };
    expect(() => new ActivationStatistics(context(), options)).toThrow(OptionError);
    destroy();
  });
});

describe('ActivationStatistics looking on', () => {
  it('while a network is trained: the trained bits stay, the last look is at the trained network', async () => {
    const model = mlp({ widths: [784, 8, 10], norm: 'batch' });
    const { arena, data, measure, destroy } = setUp(model);
    const options: FitOptions = {
      model,
      data,
      optimizer: { type: 'adam' },
      learningRate: 0.01,
      epochs: 3,
      batchSize: 20,
      seed: 1,
    };
    const unobserved = await fit(context(), options);
    let statistics: ActivationStatistics | undefined;
    const looks = new Map<number, TapStatistics[]>();
    const observed = await fit(context(), {
      ...options,
      observe: {
        everySteps: 3,
        look: async (arenas, step) => {
          statistics ??= new ActivationStatistics(context(), { model, arenas, batchSize: 20 });
          looks.set(step, await statistics.measure(data));
        },
      },
    });
    statistics!.destroy();
    expect(observed).toEqual(unobserved);
    expect([...looks.keys()]).toEqual([3, 6, 9]);
    arena.write(observed.state);
    expect(looks.get(9)).toEqual(await measure(20));
    expect(looks.get(6)).not.toEqual(looks.get(9));
    destroy();
  });

  it('along a sweep: at the ends they are those of the ends, and the curves stay', async () => {
    const { arena: a, data, measure, destroy } = setUp(plain);
    const b = new Arena(context(), new ArenaLayout(stateEntries(plain)));
    b.write(initialiseParameters(stateEntries(plain), 6, 'kaiming'));
    const options = { model: plain, a, b, lambda: [0, 0.5, 1], data: { test: data } };
    const unobserved = await sweep(context(), options);
    let statistics: ActivationStatistics | undefined;
    const looks: TapStatistics[][] = [];
    const observed = await sweep(context(), {
      ...options,
      observe: async (merged, point) => {
        statistics ??= new ActivationStatistics(context(), { model: plain, arenas: [merged], batchSize: 20 });
        looks[point] = await statistics.measure(data);
      },
    });
    statistics!.destroy();
    expect(observed).toEqual(unobserved);
    expect(looks[0]).toEqual(await measure(20));
    a.write(await b.read());
    expect(looks[2]).toEqual(await measure(20));
    // The variance half-way between unrelated networks is about half of theirs.
    const variance = (look: readonly TapStatistics[]) =>
      look[0]!.variance.reduce((sum, value) => sum + value, 0);
    expect(variance(looks[1]!)).toBeLessThan(0.8 * variance(looks[0]!));
    b.destroy();
    destroy();
  });
});
