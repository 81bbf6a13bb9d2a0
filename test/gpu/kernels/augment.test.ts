/** Augmentation copies bytes: everything is compared bit for bit with plain loops. */
import { describe, expect, it } from 'vitest';
import {
  type Augmentation,
  augmentationStream,
  gatherAugmented,
} from '../../../src/kernels/augment/gather-augmented.ts';
import { gatherImages } from '../../../src/kernels/gather/gather-batch.ts';
import * as reference from '../../reference/kernels/augment.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { bitsOf, integers, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);

/** Bytes packed as the kernels want them. */
function packed(bytes: Uint8Array): Uint32Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return new Uint32Array(padded.buffer);
}

interface ImageSet {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly count: number;
}

/** A data set, what the GPU makes of a batch, and what the loops make of it. */
async function both(set: ImageSet, batch: number, start: number, augmentation: Augmentation, epoch = 3) {
  const { channels, height, width, count } = set;
  const pixels = channels * height * width;
  const bytes = Uint8Array.from(integers(count * pixels, 256, 'bytes'));
  const table = normals(256 * channels, 'table');
  const indices = integers(start + batch + 3, count, 'indices');
  const stream = augmentationStream(7, epoch);
  const [views, output] = [
    { images: memory.input(packed(bytes)), table: memory.input(table), indices: memory.input(indices) },
    memory.output([batch, pixels]),
  ];
  context().record(...gatherAugmented(context(), { ...set, ...views, start, augmentation, stream, output }));
  const chosen = indices.slice(start, start + batch);
  return {
    views,
    actual: await memory.readBits(output),
    expected: bitsOf(reference.gatherAugmented(bytes, set, table, chosen, augmentation, stream)),
  };
}

const all: Augmentation = { flip: true, crop: 4, translate: 3, cutout: 8 };
const cifar: ImageSet = { channels: 3, height: 32, width: 32, count: 20 };

describe('gatherAugmented', () => {
  it.each([
    ['flip', { flip: true }],
    ['crop', { crop: 4 }],
    ['translate', { translate: 3 }],
    ['cutout', { cutout: 8 }],
    ['an odd cutout', { cutout: 5 }],
    ['all at once', all],
    ['the largest of each', { flip: true, crop: 32, translate: 32, cutout: 32 }],
  ] as const)("%s equals the host's loops, and changes something", async (_, augmentation) => {
    const { actual, expected } = await both(cifar, 12, 2, augmentation);
    expect(actual).toEqual(expected);
    const plain = await both(cifar, 12, 2, {});
    expect(actual).not.toEqual(plain.actual);
  });

  it.each([
    [{ channels: 1, height: 1, width: 1, count: 5 }, 9, 0],
    [{ channels: 1, height: 28, width: 28, count: 9 }, 7, 1],
    [{ channels: 3, height: 5, width: 7, count: 11 }, 13, 3],
    [{ channels: 2, height: 3, width: 2, count: 300 }, 257, 5],
  ] as const)(
    'images of any size, also where four outputs lie in several images: %j',
    async (set, batch, start) => {
      const most = Math.max(set.height, set.width);
      const augmentation = { flip: true, crop: Math.min(2, most), translate: 1, cutout: Math.min(3, most) };
      const { actual, expected } = await both(set, batch, start, augmentation);
      expect(actual).toEqual(expected);
    },
  );

  it('without augmentation equals gatherImages', async () => {
    const { actual, views } = await both(cifar, 6, 1, {});
    const output = memory.output([6, 3072]);
    context().record(...gatherImages(context(), { ...views, channels: 3, start: 1, output }));
    expect(actual).toEqual(await memory.readBits(output));
  });

  it('an epoch is repeated bit for bit, another one differs', async () => {
    const [first, again, other] = [
      await both(cifar, 8, 0, all),
      await both(cifar, 8, 0, all),
      await both(cifar, 8, 0, all, 4),
    ];
    expect(again.actual).toEqual(first.actual);
    expect(other.actual).not.toEqual(first.actual);
    expect(other.actual).toEqual(other.expected);
  });

  it('what happens to an image does not depend on its batch', async () => {
    const [whole, tail] = [await both(cifar, 8, 0, all), await both(cifar, 3, 5, all)];
    expect(tail.actual).toEqual(whole.actual.slice(5 * 3072));
  });

  it('padding is byte 0 of the table, cut squares are 0', async () => {
    const set = { channels: 1, height: 8, width: 8, count: 50 };
    const [images, table] = [new Uint8Array(50 * 64).fill(255), new Float32Array(256).fill(1)];
    table[0] = -2;
    const indices = Uint32Array.from({ length: 50 }, (_, i) => i);
    const output = memory.output([50, 64]);
    const call = {
      ...set,
      images: memory.input(packed(images)),
      table: memory.input(table),
      indices: memory.input(indices),
    };
    const stream = augmentationStream(1, 0);
    context().record(
      ...gatherAugmented(context(), {
        ...call,
        start: 0,
        augmentation: { crop: 2, cutout: 4 },
        stream,
        output,
      }),
    );
    const values = await memory.read(output);
    expect(new Set(values)).toEqual(new Set([1, -2, 0]));
    // The first image: whole rows and columns of padding at the edges, one square of at most 4 x 4.
    expect([...values.subarray(0, 64)].filter((value) => value === 0).length).toBeLessThanOrEqual(16);
  });

  it('wraps grids of more than 65,535 workgroups', async () => {
    const count = 65536 * 64 + 3;
    const [images, table] = [
      memory.input(packed(Uint8Array.of(9, 8, 7, 6))),
      memory.input(normals(256, 'table')),
    ];
    const indices = context().tensorFrom(Uint32Array.from({ length: count }, (_, i) => i % 4));
    const output = context().tensor([count, 1]);
    const call = { images, channels: 1, height: 1, width: 1, table, indices, start: 0, output };
    const stream = augmentationStream(1, 0);
    context().record(...gatherAugmented(context(), { ...call, augmentation: { flip: true }, stream }));
    const values = await context().read(output);
    const expected = normals(256, 'table');
    expect(values.findIndex((value, i) => value !== expected[9 - (i % 4)])).toBe(-1);
    for (const tensor of [indices, output]) tensor.destroy();
  });

  it('refuses what makes no sense', () => {
    const views = {
      images: memory.output([64], 'u32'),
      table: memory.output([256]),
      indices: memory.output([4], 'u32'),
      output: memory.output([4, 64]),
    };
    const call = { ...views, channels: 1, height: 8, width: 8, start: 0, stream: { key0: 1, key1: 2 } };
    const of =
      (augmentation: Augmentation, changes = {}) =>
      () =>
        gatherAugmented(context(), { ...call, ...changes, augmentation });
    expect(of({})).not.toThrow();
    expect(of({ crop: -1 })).toThrow(/crop as an integer 0 \.\. 8 for images of 8 x 8, got -1/);
    expect(of({ translate: 1.5 })).toThrow(/translate .* got 1\.5/);
    expect(of({ cutout: 9 })).toThrow(/cutout .* got 9/);
    expect(of({ rotate: 3 } as Augmentation)).toThrow(/got "rotate"/);
    expect(of({}, { start: 1 })).toThrow(/4 from position 1 passes the 4 indices/);
    expect(of({}, { channels: 2 })).toThrow(/table must have 512/);
    expect(of({}, { height: 9 })).toThrow(/output must have 288/);
    expect(of({}, { output: { ...views.images, dtype: 'f32', shape: [4, 64] } })).toThrow(/same GPUBuffer/);
  });
});
