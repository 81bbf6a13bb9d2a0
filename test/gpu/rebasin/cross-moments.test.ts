/** Streaming moments of a pair of activations: against float64, far from 0, over many batches, and what is refused. */
import { describe, expect, test } from 'vitest';
import {
  CrossMoments,
  type CrossMomentsOptions,
  type Moments,
  pearsonCorrelation,
  secondMoment,
} from '../../../src/rebasin/matching/cross-moments.ts';
import type { Tensor } from '../../../src/runtime/tensor.ts';
import { useContext } from '../../support/context.ts';
import { normals } from '../../support/numbers.ts';

const context = useContext();

/** One batch: a [samples, channelsA, ...space], b [samples, channelsB, ...space]. */
interface Batch {
  readonly samples: number;
  readonly space: readonly number[];
  readonly a: Float32Array;
  readonly b: Float32Array;
}

interface Source {
  readonly channelsA: number;
  readonly channelsB: number;
  readonly mean: number;
  readonly deviation: number;
  /** Standard deviation of the mean of a batch. */
  readonly drift?: number;
}

/** Channels of b are mixtures of those of a, and each batch has its own mean. */
function batchOf(source: Source, samples: number, space: readonly number[], index: number): Batch {
  const { channelsA, channelsB, mean, deviation, drift = 0 } = source;
  const positions = space.reduce((product, size) => product * size, 1);
  const purpose = `moments ${index} ${samples} ${space}`;
  const [z, noise] = [
    normals(samples * channelsA * positions, `${purpose} z`),
    normals(samples * channelsB * positions, `${purpose} noise`),
  ];
  const offset = drift * normals(1, `${purpose} drift`)[0]!;
  const a = z.map((value) => mean + offset + deviation * value);
  const b = noise.map((value, at) => {
    const [n, j, p] = [
      Math.floor(at / (channelsB * positions)),
      Math.floor(at / positions) % channelsB,
      at % positions,
    ];
    const beside = z[(n * channelsA + (j % channelsA)) * positions + p]!;
    const share = (j % 5) / 4;
    return 2 * mean - offset + deviation * (share * beside + Math.sqrt(1 - share * share) * value);
  });
  return { samples, space, a, b };
}

async function momentsOf(batches: readonly Batch[], options: CrossMomentsOptions): Promise<Moments> {
  const { channelsA, channelsB, symmetric } = options;
  const moments = new CrossMoments(context(), options);
  try {
    for (const { samples, space, a, b } of batches) {
      const tensors: Tensor[] = [context().tensorFrom(a, [samples, channelsA, ...space])];
      if (!symmetric) tensors.push(context().tensorFrom(b, [samples, channelsB, ...space]));
      moments.add(tensors[0]!, tensors[symmetric ? 0 : 1]!);
      for (const tensor of tensors) tensor.destroy(); // the pool hands it on: later batches must not matter to this one
    }
    return await moments.finish();
  } finally {
    moments.destroy();
  }
}

/** Two passes in float64. */
function reference(batches: readonly Batch[], channelsA: number, channelsB: number): Moments {
  const columns = (which: 'a' | 'b', channels: number) =>
    Array.from({ length: channels }, (_, c) => {
      const list: number[] = [];
      for (const batch of batches) {
        const positions = batch.space.reduce((product, size) => product * size, 1);
        for (let n = 0; n < batch.samples; n++)
          for (let p = 0; p < positions; p++) list.push(batch[which][(n * channels + c) * positions + p]!);
      }
      return Float64Array.from(list);
    });
  const [a, b] = [columns('a', channelsA), columns('b', channelsB)];
  const count = a[0]!.length;
  const add = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0);
  const centre = (x: Float64Array) => {
    const mean = add(x) / count;
    return { mean, centred: x.map((value) => value - mean) };
  };
  const [sideA, sideB] = [a.map(centre), b.map(centre)];
  const product = (x: Float64Array, y: Float64Array) => x.reduce((sum, v, k) => sum + v * y[k]!, 0) / count;
  return {
    count,
    meanA: Float64Array.from(sideA, ({ mean }) => mean),
    meanB: Float64Array.from(sideB, ({ mean }) => mean),
    varianceA: Float64Array.from(sideA, ({ centred }) => product(centred, centred)),
    varianceB: Float64Array.from(sideB, ({ centred }) => product(centred, centred)),
    covariance: Float64Array.from(sideA.flatMap((x) => sideB.map((y) => product(x.centred, y.centred)))),
  };
}

function worst(actual: Float64Array, expected: Float64Array): number {
  expect(actual.length).toBe(expected.length);
  // A NaN on either side is worse than everything.
  return actual.reduce((most, value, i) => {
    const error = Math.abs(value - expected[i]!);
    return error <= most ? most : error;
  }, 0);
}

/**
 * A third of the worst case (512 + 3) u that the kernel states for its sums of products; what is usual is a hundredth of that.
 * Everything is counted from the shifts, so that errors are relative to the standard deviations, however large the means are.
 */
const RELATIVE = 1e-5;

function expectMoments(actual: Moments, expected: Moments): void {
  expect(actual.count).toBe(expected.count);
  for (const side of ['A', 'B'] as const) {
    const [mean, variance] = [expected[`mean${side}`], expected[`variance${side}`]];
    expect(worst(actual[`mean${side}`], mean)).toBeLessThan(RELATIVE * Math.sqrt(Math.max(...variance)));
    expect(worst(actual[`variance${side}`], variance)).toBeLessThan(RELATIVE * Math.max(...variance));
  }
  const scale = Math.sqrt(Math.max(...expected.varianceA) * Math.max(...expected.varianceB));
  expect(worst(actual.covariance, expected.covariance)).toBeLessThan(RELATIVE * scale);
}

describe('CrossMoments', () => {
  const FAR: Source = { channelsA: 17, channelsB: 33, mean: 100, deviation: 0.1 };

  test.each([
    ['[N, C]', [], 0],
    ['[N, C, H, W]', [5, 5], 0],
    ['[N, C], means of batches a standard deviation apart', [], 0.1],
  ] as const)(
    'mean 100, deviation 0.1, five uneven batches of %s: Pearson within 1e-4',
    async (_, space, drift) => {
      const source = { ...FAR, drift };
      const batches = [100, 37, 250, 1, 64].map((samples, i) => batchOf(source, samples, space, i));
      const actual = await momentsOf(batches, source);
      const expected = reference(batches, source.channelsA, source.channelsB);
      // the goal is 1e-4; seen on SwiftShader: 1.8e-7, 2.2e-7 and 3.7e-7
      expect(worst(pearsonCorrelation(actual), pearsonCorrelation(expected))).toBeLessThan(RELATIVE);
      expectMoments(actual, expected);
      // the means are those of f32 numbers near 100 and 200: a few u of their product
      expect(worst(secondMoment(actual), secondMoment(expected))).toBeLessThan(8 * 2 ** -24 * 20000);
    },
  );

  test('sums of products in f32 that are not shifted would miss by far', () => {
    const batches = [batchOf(FAR, 400, [], 0)];
    const { covariance } = reference(batches, FAR.channelsA, FAR.channelsB);
    const [{ a, b }] = batches as [Batch];
    let [product, sumA, sumB] = [0, 0, 0];
    for (let n = 0; n < 400; n++) {
      const [x, y] = [a[n * FAR.channelsA]!, b[n * FAR.channelsB]!];
      product = Math.fround(product + Math.fround(x * y));
      sumA = Math.fround(sumA + x);
      sumB = Math.fround(sumB + y);
    }
    const error = product / 400 - (sumA / 400) * (sumB / 400) - covariance[0]!;
    expect(Math.abs(error) / 0.01).toBeGreaterThan(1e-2);
  });

  test('one batch and many of the same samples agree', async () => {
    const source: Source = { channelsA: 9, channelsB: 5, mean: 3, deviation: 1 };
    const whole = batchOf(source, 60, [4], 7);
    const cut = (sizes: readonly number[]) => {
      let start = 0;
      return sizes.map((samples): Batch => {
        const [from, to] = [start * 4, (start + samples) * 4];
        start += samples;
        return {
          samples,
          space: [4],
          a: whole.a.slice(from * 9, to * 9),
          b: whole.b.slice(from * 5, to * 5),
        };
      });
    };
    const expected = reference([whole], 9, 5);
    for (const sizes of [[60], [1, 59], [20, 20, 20], new Array(60).fill(1)])
      expectMoments(await momentsOf(cut(sizes), source), expected);
  });

  test('sums move to the host after 64 batches, and nothing is lost or counted twice', async () => {
    const source: Source = { channelsA: 3, channelsB: 70, mean: 10, deviation: 1, drift: 1 };
    const batches = Array.from({ length: 130 }, (_, i) => batchOf(source, 1 + (i % 3), [], i));
    for (const count of [63, 64, 65, 128, 130]) {
      const some = batches.slice(0, count);
      expectMoments(await momentsOf(some, source), reference(some, 3, 70));
    }
  });

  test('a result may be asked for in between', async () => {
    const source: Source = { channelsA: 4, channelsB: 4, mean: 1, deviation: 1 };
    const batches = [0, 1, 2].map((i) => batchOf(source, 20, [], i));
    const moments = new CrossMoments(context(), source);
    for (const [i, { a, b }] of batches.entries()) {
      const tensors = [context().tensorFrom(a, [20, 4]), context().tensorFrom(b, [20, 4])];
      moments.add(tensors[0]!, tensors[1]!);
      expectMoments(await moments.finish(), reference(batches.slice(0, i + 1), 4, 4));
      for (const tensor of tensors) tensor.destroy();
    }
    moments.destroy();
  });

  test('a steady state makes no buffers and no bind groups', async () => {
    const { a, b } = batchOf({ channelsA: 5, channelsB: 6, mean: 0, deviation: 1 }, 700, [], 0);
    const tensors = [context().tensorFrom(a, [700, 5]), context().tensorFrom(b, [700, 6])];
    const moments = new CrossMoments(context(), { channelsA: 5, channelsB: 6 });
    const rounds = async () => {
      for (let i = 0; i < 64; i++) moments.add(tensors[0]!, tensors[1]!);
      await context().throttle();
      const { buffersCreated, bindGroupsCreated, liveBuffers } = context().statistics;
      return { buffersCreated, bindGroupsCreated, liveBuffers };
    };
    await rounds();
    const before = await rounds();
    expect(await rounds()).toEqual(before);
    await moments.finish();
    for (const owned of [moments, ...tensors]) owned.destroy();
  });

  test('the symmetric case has the bits of the whole', async () => {
    const source: Source = { channelsA: 70, channelsB: 70, mean: 5, deviation: 1 };
    const batches = [0, 1].map((i) => {
      const batch = batchOf(source, 40, [3], i);
      return { ...batch, b: batch.a };
    });
    const whole = await momentsOf(batches, source);
    const half = await momentsOf(batches, { ...source, symmetric: true });
    expect(half).toEqual(whole);
    expectMoments(half, reference(batches, 70, 70));
    const correlation = pearsonCorrelation(half);
    for (let i = 0; i < 70; i++) expect(Math.abs(correlation[i * 71]! - 1)).toBeLessThan(RELATIVE);
  });

  test('units that never change have variance 0 and correlation 0', async () => {
    const source: Source = { channelsA: 4, channelsB: 3, mean: 0, deviation: 1 };
    const batches = [0, 1, 2].map((i) => {
      const batch = batchOf(source, 30, [2], i);
      for (let at = 0; at < batch.a.length; at++) if (Math.floor(at / 2) % 4 === 1) batch.a[at] = 0;
      for (let at = 0; at < batch.b.length; at++) if (Math.floor(at / 2) % 3 === 2) batch.b[at] = 0.1;
      return batch;
    });
    const actual = await momentsOf(batches, source);
    expect([actual.varianceA[1], actual.varianceB[2]]).toEqual([0, 0]);
    expect([actual.meanA[1], actual.meanB[2]]).toEqual([0, Math.fround(0.1)]);
    for (const epsilon of [0, 1e-4]) {
      const correlation = pearsonCorrelation(actual, { epsilon });
      for (const [at, value] of correlation.entries()) {
        const dead = Math.floor(at / 3) === 1 || at % 3 === 2;
        expect(value === 0, `${at}`).toBe(dead);
        expect(Math.abs(value)).toBeLessThan(1);
      }
    }
  });
});

describe('errors name what is wrong', () => {
  const twice = async (change: (a: Float32Array, b: Float32Array) => void) => {
    const source: Source = { channelsA: 3, channelsB: 2, mean: 0, deviation: 1 };
    const batches = [batchOf(source, 8, [], 0), batchOf(source, 8, [], 1)];
    change(batches[1]!.a, batches[1]!.b);
    return momentsOf(batches, source);
  };

  test('NaN, infinity and overflow', async () => {
    await expect(
      twice((a) => {
        a[7] = Number.NaN;
      }),
    ).rejects.toThrow(
      'CrossMoments: channel 1 of activation A holds NaN or infinity, or passes the range of f32, in batch 1',
    );
    await expect(
      twice((_, b) => {
        b[0] = Number.NEGATIVE_INFINITY;
      }),
    ).rejects.toThrow('channel 0 of activation B holds NaN or infinity');
    await expect(
      twice((a) => {
        a[2] = 1e25;
      }),
    ).rejects.toThrow('channel 2 of activation A');
  });

  test('products that pass the range of f32 while variances do not', async () => {
    // Each batch: variances of 2.5e37, products that add up to 2e38; the largest f32 is 3.4e38.
    const batches = [0, 1].map((i) => {
      const batch = batchOf({ channelsA: 3, channelsB: 2, mean: 0, deviation: 1 }, 8, [], i);
      for (let n = 0; n < 8; n++) batch.a[3 * n + 2] = batch.b[2 * n + 1] = n % 2 ? 5e18 : -5e18;
      return batch;
    });
    const sizes = { channelsA: 3, channelsB: 2 };
    expect((await momentsOf(batches.slice(0, 1), sizes)).covariance[5]! / 2.5e37).toBeCloseTo(1, 5);
    await expect(momentsOf(batches, sizes)).rejects.toThrow(
      'CrossMoments: the products of channel 2 of A and channel 1 of B pass the range of f32 in batches 0 to 1; scale',
    );
  });

  test('no samples', async () => {
    const moments = new CrossMoments(context(), { channelsA: 2, channelsB: 3 });
    await expect(moments.finish()).rejects.toThrow('CrossMoments: there are no samples');
    moments.destroy();
  });

  test('shapes', () => {
    expect(() => new CrossMoments(context(), { channelsA: 0, channelsB: 3 })).toThrow(
      'channelsA must be an integer of at least 1, got 0',
    );
    expect(() => new CrossMoments(context(), { channelsA: 2, channelsB: 3, symmetric: true })).toThrow(
      'symmetric moments need as many channels of A (2) as of B (3)',
    );
    const view = (shape: readonly number[]) => ({
      buffer: {} as GPUBuffer,
      offset: 0,
      shape,
      dtype: 'f32' as const,
    });
    const moments = new CrossMoments(context(), { channelsA: 2, channelsB: 3 });
    const add = (a: readonly number[], b: readonly number[]) => () => moments.add(view(a), view(b));
    expect(add([8, 3], [8, 3])).toThrow('CrossMoments.add: a must be f32 [8,2]');
    expect(add([8, 2], [7, 3])).toThrow('b must be f32 [8,3] beside a of shape [8,2], got f32 [7,3]');
    expect(add([8, 2, 2, 3], [8, 3, 3, 2])).toThrow('b must be f32 [8,3,2,3]');
    expect(add([8], [8])).toThrow('a must be f32 [8,2]');
    expect(add([0, 2], [0, 3])).toThrow('the number of samples must be an integer of at least 1, got 0');
    moments.destroy();
    const symmetric = new CrossMoments(context(), { channelsA: 2, channelsB: 2, symmetric: true });
    expect(() => symmetric.add(view([8, 2]), view([8, 2]))).toThrow('symmetric moments take one view twice');
    symmetric.destroy();
  });
});
