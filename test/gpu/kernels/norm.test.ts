/** Reductions to one value a channel: against float64 loops, far from 0, and with the same bits whatever the layout. */
import { describe, expect, it } from 'vitest';
import {
  type ChannelSizes,
  centredChannelSums,
  channelStatistics,
  channelSums,
} from '../../../src/kernels/norm/channels.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { bitsOf, expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const UNIT = 2 ** -24;
const scratch = (shape: readonly number[]) => memory.output(shape);

type Sizes = readonly [outer: number, channels: number, inner: number];
const named = ([outer, channels, inner]: Sizes): ChannelSizes => ({ outer, channels, inner });

const SIZES: readonly Sizes[] = [
  // vec4f: inner a multiple of 4
  [5, 3, 64],
  [1, 1, 4],
  [5, 17, 16],
  [2, 5, 1024],
  // single loads
  [5, 3, 1],
  [1, 5, 1],
  [300, 16, 1],
  [5, 17, 49],
  [3, 1, 257],
];

/** The elements of each channel, in the order j = o * inner + i. */
function channelsOf(values: ArrayLike<number>, [outer, channels, inner]: Sizes): Float64Array[] {
  return Array.from({ length: channels }, (_, c) =>
    Float64Array.from({ length: outer * inner }, (_, j) => {
      const o = Math.floor(j / inner);
      return values[(o * channels + c) * inner + (j % inner)]!;
    }),
  );
}

const meanOf = (x: Float64Array): number => x.reduce((sum, v) => sum + v / x.length, 0);
const varianceOf = (x: Float64Array): number => {
  const mean = meanOf(x);
  return x.reduce((sum, v) => sum + (v - mean) ** 2 / x.length, 0);
};

async function statistics(values: Float32Array, sizes: Sizes): Promise<Float32Array> {
  const output = memory.output([2, sizes[1]]);
  const input = memory.input(values);
  context().record(...channelStatistics(context(), { ...named(sizes), input, output, scratch }));
  return memory.read(output);
}

/**
 * The mean is rounded once, and comes from sums of at most 64 + 256 distances from the channel's first element. A lane's squares are
 * sums of at most 64 terms (m - s)^2 off, s its first value: about 70 u times 1 + (m - s)^2 / variance, up to 12 for normal numbers.
 */
async function expectStatistics(values: Float32Array, sizes: Sizes): Promise<void> {
  const channels = channelsOf(values, sizes);
  const actual = await statistics(values, sizes);
  const means = channels.map(meanOf);
  const variances = channels.map(varianceOf);
  const spread = channels.map((x) => meanOf(x.map((v) => Math.abs(v - x[0]!))));
  expectClose(
    actual.subarray(0, sizes[1]),
    means,
    means.map((mean, c) => 2 * UNIT * Math.abs(mean) + 100 * UNIT * spread[c]!),
  );
  expectClose(
    actual.subarray(sizes[1]),
    variances,
    variances.map((variance) => 70 * 12 * UNIT * variance),
  );
}

describe('channelStatistics', () => {
  it.each(SIZES)('[%i, %i, %i] equals float64', async (...sizes) => {
    await expectStatistics(normals(sizes[0] * sizes[1] * sizes[2], 'statistics'), sizes);
  });

  it.each([
    ['4096 +- 1', 4096, 1],
    ['10,000 with standard deviation 0.1', 1e4, 0.1],
    ['-0.001 with standard deviation 1e-6', -0.001, 1e-6],
  ])('is as good far from 0: %s', async (_name, offset, deviation) => {
    for (const sizes of [
      [5, 3, 64],
      [40, 5, 49],
    ] as const) {
      const values = normals(sizes[0] * sizes[1] * sizes[2], 'offset').map((z) => offset + deviation * z);
      await expectStatistics(values, sizes);
    }
  });

  it('gives 4096 +- 1, alternating, variance 1, and E[x^2] - E[x]^2 would not', async () => {
    const values = Float32Array.from({ length: 32 * 2 * 64 }, (_, i) => 4096 + (i % 2 === 0 ? 1 : -1));
    expect([...(await statistics(values, [32, 2, 64]))]).toEqual([4096, 4096, 1, 1]);
    const n = values.length;
    const square = values.reduce((sum, v) => Math.fround(sum + Math.fround(v * v)), 0) / n;
    const mean = values.reduce((sum, v) => Math.fround(sum + v), 0) / n;
    expect(Math.abs(square - mean * mean - 1)).toBeGreaterThan(1e-3);
  });

  it('counts means from an origin: their error is that of the distance', async () => {
    for (const sizes of [
      [5, 3, 64],
      [300, 5, 49],
      [1, 1, 1],
    ] as const) {
      const values = normals(sizes[0] * sizes[1] * sizes[2], 'origin').map((z) => 1e4 + 0.1 * z);
      const origin = normals(sizes[1], 'origins').map((z) => 1e4 + 0.1 * z);
      const output = memory.output([2, sizes[1]]);
      const views = { input: memory.input(values), origin: memory.input(origin), output };
      context().record(...channelStatistics(context(), { ...named(sizes), ...views, scratch }));
      const actual = await memory.read(output);
      const channels = channelsOf(values, sizes);
      const distances = channels.map((x, c) => meanOf(x) - origin[c]!);
      const spread = channels.map((x) => meanOf(x.map((v) => Math.abs(v - x[0]!))));
      // Differences of numbers this close are exact. As for the mean itself, but nothing is rounded to the size of 10,000.
      const reach = channels.map((x, c) => Math.abs(x[0]! - origin[c]!) + 100 * spread[c]!);
      expectClose(
        actual.subarray(0, sizes[1]),
        distances,
        reach.map((distance) => 2 * UNIT * distance),
      );
      const plain = await statistics(values, sizes);
      expect(bitsOf(actual.subarray(sizes[1]))).toEqual(bitsOf(plain.subarray(sizes[1])));
    }
  });

  it('gives constant channels variance 0', async () => {
    const values = Float32Array.from({ length: 5 * 3 * 49 }, (_, i) => 0.1 + (Math.floor(i / 49) % 3));
    expect([...(await statistics(values, [5, 3, 49]))]).toEqual(
      [...values.filter((_, i) => i % 49 === 0)].slice(0, 3).concat([0, 0, 0]),
    );
  });

  it('is not misled by a first element unlike all others', async () => {
    const values = normals(8 * 64, 'unlike').map((z) => 4096 + z);
    values[0] = 0;
    const [expected] = channelsOf(values, [8, 1, 64]);
    const [mean, variance] = await statistics(values, [8, 1, 64]);
    expect(Math.abs(mean! - meanOf(expected!))).toBeLessThan(4096 * 8 * UNIT);
    // The bound of the host function: 3 * 64 * 65 u.
    expect(Math.abs(variance! / varianceOf(expected!) - 1)).toBeLessThan(7.5e-4);
  });

  it('puts more than 256 chunks together in two steps', async () => {
    const sizes = [5, 1, 16384] as const;
    await expectStatistics(
      normals(5 * 16384, 'large').map((z) => 100 + z),
      sizes,
    );
  });

  it('has the same bits for single loads and vec4f', async () => {
    const channels = 3;
    const values = normals(90 * channels * 4, 'layout');
    const rearranged = new Float32Array(values.length);
    for (let o = 0; o < 90; o++)
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < 4; i++)
          rearranged[(o * 4 + i) * channels + c] = values[(o * channels + c) * 4 + i]!;
    const vectors = await statistics(values, [90, channels, 4]);
    expect(bitsOf(await statistics(rearranged, [360, channels, 1]))).toEqual(bitsOf(vectors));
  });

  it('refuses empty channels and views that do not fit', () => {
    const call = { input: memory.output([0]), output: memory.output([2, 3]), scratch };
    expect(() => channelStatistics(context(), { ...call, outer: 0, channels: 3, inner: 4 })).toThrow(
      /number of elements of a channel must be an integer of at least 1/,
    );
    expect(() => channelStatistics(context(), { ...call, outer: 1, channels: 3, inner: 4 })).toThrow(
      /input must have 12 elements/,
    );
  });
});

describe('channelSums and centredChannelSums', () => {
  // Sums: 64 terms a lane, 3 additions of lanes, the chunks after that; products are rounded with their centring twice more.
  const STEPS = 70 + 4;

  it.each(SIZES)('[%i, %i, %i] equal float64', async (...sizes) => {
    const count = sizes[0] * sizes[1] * sizes[2];
    const [a, b] = [normals(count, 'a'), normals(count, 'b').map((z) => 3 + z)];
    const centre = normals(sizes[1], 'centre').map((z) => 3 + z / 8);
    const [sums, both] = [memory.output([sizes[1]]), memory.output([2, sizes[1]])];
    const [viewA, viewB] = [memory.input(a), memory.input(b)];
    context().record(
      ...channelSums(context(), { ...named(sizes), input: viewA, output: sums, scratch }),
      ...centredChannelSums(context(), {
        ...named(sizes),
        a: viewA,
        b: viewB,
        centre: memory.input(centre),
        output: both,
        scratch,
      }),
    );
    const products = channelsOf(b, sizes).map((x, c) =>
      channelsOf(a, sizes)[c]!.map((value, j) => value * (x[j]! - centre[c]!)),
    );
    const add = (x: Float64Array) => x.reduce((sum, v) => sum + v, 0);
    const tolerance = (x: Float64Array) => STEPS * UNIT * add(x.map(Math.abs));
    const channels = channelsOf(a, sizes);
    const [expectedSums, tolerances] = [channels.map(add), channels.map(tolerance)];
    expectClose(await memory.read(sums), expectedSums, tolerances);
    expectClose(
      await memory.read(both),
      [...expectedSums, ...products.map(add)],
      [...tolerances, ...products.map(tolerance)],
    );
  });

  it('gives zeros when there are no elements', async () => {
    const output = memory.output([3]);
    const input = memory.output([0]);
    context().record(...channelSums(context(), { outer: 0, channels: 3, inner: 4, input, output, scratch }));
    expect([...(await memory.read(output))]).toEqual([0, 0, 0]);
  });
});
