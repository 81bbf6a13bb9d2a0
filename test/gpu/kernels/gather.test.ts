/** Gathers move bits: everything is compared bit for bit. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { gatherAxis } from '../../../src/kernels/gather/gather-axis.ts';
import { gatherImages, gatherLabels } from '../../../src/kernels/gather/gather-batch.ts';
import * as reference from '../../reference/kernels/gather.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { bitsOf, integers, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);

/** Any bits at all: NaNs, denormals and infinities among them. */
function anyBits(count: number): Uint32Array {
  const bits = integers(count, 2 ** 32, 'bits');
  [0x7fc0beef, 0x7f800001, 0xffc00000, 1, 0x80000000, 0x7f800000].forEach((word, i) => {
    if (i < count) bits[i] = word;
  });
  return bits;
}

/** Bytes packed as the kernels want them. */
function packed(bytes: Uint8Array): Uint32Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return new Uint32Array(padded.buffer);
}

describe('gatherAxis', () => {
  it.each([
    [1, 1, 1],
    [1, 5, 1],
    [3, 5, 1],
    [2, 4, 3],
    [1, 257, 4],
    [7, 13, 9],
    [64, 10, 12],
    [1, 31, 256],
    [0, 3, 4],
    [5, 255, 5],
  ] as const)(
    'permutes [%i, %i, %i] bit for bit, and the inverse brings it back',
    async (outer, size, inner) => {
      const bits = anyBits(outer * size * inner);
      const order = new RandomStream(1, 'order').permutation(size);
      const inverse = new Uint32Array(size);
      order.forEach((source, i) => {
        inverse[source] = i;
      });
      const input = memory.input(new Float32Array(bits.buffer));
      const [there, back] = [memory.output([outer, size, inner]), memory.output([outer, size, inner])];
      const call = { outer, size, inner };
      context().record(
        ...gatherAxis(context(), { ...call, input, index: memory.input(order), output: there }),
        ...gatherAxis(context(), { ...call, input: there, index: memory.input(inverse), output: back }),
      );
      expect(await memory.readBits(there)).toEqual(reference.gatherAxis(bits, outer, size, inner, order));
      expect(await memory.readBits(back)).toEqual(bits);
    },
  );

  it.each([3, 8])('selects some, repeats some, and gives zeros past the end (inner %i)', async (inner) => {
    const bits = anyBits(2 * 5 * inner);
    const index = Uint32Array.of(4, 4, 5, 0, 0xffffffff, 2, 1);
    const output = memory.output([2, 7, inner], 'u32');
    const call = { input: memory.input(bits), outer: 2, size: 5, inner, index: memory.input(index), output };
    context().record(...gatherAxis(context(), call));
    const expected = reference.gatherAxis(bits, 2, 5, inner, index);
    expect(await memory.readBits(output)).toEqual(expected);

    // Control: another index gives other bits.
    expect(reference.gatherAxis(bits, 2, 5, inner, index.toReversed())).not.toEqual(expected);
  });

  it('wraps grids of more than 65,535 workgroups', async () => {
    const count = 65536 * 256 + 1;
    const input = context().tensorFrom(Uint32Array.of(7));
    const output = context().tensor([count], 'u32', { zero: true });
    const index = context().tensor([count], 'u32', { zero: true });
    context().record(...gatherAxis(context(), { input, outer: 1, size: 1, inner: 1, index, output }));
    expect((await context().read({ ...output, dtype: 'u32' })).findIndex((word) => word !== 7)).toBe(-1);
    for (const tensor of [input, output, index]) tensor.destroy();
  });

  it('refuses what does not fit', () => {
    const input = memory.output([2, 3, 4]);
    const index = memory.output([3], 'u32');
    const call = { input, outer: 2, size: 3, inner: 4, index, output: memory.output([24]) };
    expect(() => gatherAxis(context(), { ...call, size: 4 })).toThrow(/input must have 32 elements/);
    expect(() => gatherAxis(context(), { ...call, index: memory.output([3]) })).toThrow(
      /index must hold u32/,
    );
    expect(() => gatherAxis(context(), { ...call, output: memory.output([24], 'u32') })).toThrow(
      /one element type/,
    );
    expect(() => gatherAxis(context(), { ...call, output: input })).toThrow(/same GPUBuffer/);
  });
});

describe('gatherImages', () => {
  it.each([
    // [channels, plane, images in the set, batch, start]
    [1, 1, 5, 3, 0],
    [1, 3, 9, 7, 2],
    [1, 784, 11, 6, 4],
    [3, 5, 20, 9, 1],
    [3, 16, 20, 20, 0],
    [3, 1024, 6, 5, 3],
    [2, 1, 300, 257, 5],
    [3, 27, 80, 60, 1], // 4,860 outputs: a second workgroup on software adapters too
    [1, 28, 300, 200, 3],
  ] as const)(
    '%i channels of %i pixels, %i images, batch of %i from %i',
    async (channels, plane, count, batch, start) => {
      const pixels = channels * plane;
      const bytes = Uint8Array.from(integers(count * pixels, 256, 'bytes'));
      const table = normals(256 * channels, 'table');
      const indices = integers(start + batch + 3, count, 'indices');
      const output = memory.output([batch, channels, plane]);
      const call = {
        images: memory.input(packed(bytes)),
        channels,
        table: memory.input(table),
        start,
        output,
      };
      context().record(...gatherImages(context(), { ...call, indices: memory.input(indices) }));
      const chosen = indices.slice(start, start + batch);
      const expected = reference.gatherImages(bytes, pixels, channels, table, chosen);
      expect(await memory.readBits(output)).toEqual(bitsOf(expected));
    },
  );

  it('refuses what does not fit', () => {
    const images = memory.output([9], 'u32');
    const [table, indices] = [memory.output([1, 256]), memory.output([4], 'u32')];
    const call = { images, channels: 1, table, indices, start: 0, output: memory.output([4, 9]) };
    expect(() => gatherImages(context(), { ...call, start: 1 })).toThrow(
      /4 from position 1 passes the 4 indices/,
    );
    expect(() => gatherImages(context(), { ...call, channels: 2 })).toThrow(/table must have 512/);
    expect(() => gatherImages(context(), { ...call, channels: 2, table: memory.output([512]) })).toThrow(
      /9 pixels .* 2 channels/,
    );
  });
});

describe('gatherLabels', () => {
  it.each([1, 3, 4, 5, 255, 256, 257])('%i labels of 8 and of 32 bits', async (count) => {
    const labels = integers(count, 256, 'labels');
    const indices = integers(count + 2, count, 'indices');
    const [fromBytes, fromWords] = [memory.output([count], 'u32'), memory.output([count], 'u32')];
    const call = { indices: memory.input(indices), start: 1 };
    context().record(
      ...gatherLabels(context(), {
        ...call,
        labels: memory.input(packed(Uint8Array.from(labels))),
        output: fromBytes,
      }),
      ...gatherLabels(context(), { ...call, labels: memory.input(labels), bits: 32, output: fromWords }),
    );
    const expected = indices.slice(1, 1 + count).map((index) => labels[index]!);
    expect(await memory.readBits(fromBytes)).toEqual(expected);
    expect(await memory.readBits(fromWords)).toEqual(expected);
  });
});
