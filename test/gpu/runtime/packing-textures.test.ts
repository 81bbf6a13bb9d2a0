/** Textures for packed matrices: as large as asked for, shared, and gone with their context. */
import { expect, test } from 'vitest';
import { matmul } from '../../../src/kernels/matmul/matmul.ts';
import { packedMatmul } from '../../../src/kernels/matmul/packed.ts';
import { hasQuads } from '../../../src/kernels/variant.ts';
import { PackingTextures } from '../../../src/runtime/packing-textures.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

test('sizes are powers of two, and one texture never has the width of one matrix and the height of another', () => {
  const { device, guard } = context();
  const textures = new PackingTextures(device, guard);
  const wide = textures.get('a', 100, 3);
  const high = textures.get('a', 3, 100);
  expect([wide.texture.width, wide.texture.height]).toEqual([128, 4]);
  expect([high.texture.width, high.texture.height]).toEqual([4, 128]);
  expect(textures.get('a', 64, 4)).toBe(wide);
  expect(textures.get('a', 4, 128)).toBe(high);
  expect(textures.get('b', 64, 4)).not.toBe(wide);
  textures.destroy();
});

test('what no texture holds, or only one that fills the memory, is refused', () => {
  const { device, guard } = context();
  const textures = new PackingTextures(device, guard);
  const limit = device.limits.maxTextureDimension2D;
  expect(textures.holds(limit, 1)).toBe(true);
  expect(textures.holds(limit + 1, 1)).toBe(false);
  expect(textures.holds(1, limit + 1)).toBe(false);
  expect(textures.holds(4096, 4096)).toBe(true);
  expect(textures.holds(4096, 4097)).toBe(false);
});

test('large products are packed where subgroups are quads, smaller and narrow ones are not; matmul packs none', () => {
  const on = context();
  const count = (m: number, n: number, k: number, multiply: typeof matmul) => {
    const [a, b, output] = [on.tensor([m, k]), on.tensor([k, n]), on.tensor([m, n])];
    const dispatches = multiply(on, { a, b, output });
    for (const tensor of [a, b, output]) tensor.destroy();
    return dispatches.length;
  };
  const packed = hasQuads(on) && on.software ? 3 : 1;
  expect(count(256, 256, 256, packedMatmul)).toBe(packed);
  expect(count(128, 512, 784, packedMatmul)).toBe(packed);
  expect(count(64, 64, 64, packedMatmul)).toBe(1);
  expect(count(4096, 10, 512, packedMatmul)).toBe(1);
  expect(count(256, 256, 256, matmul)).toBe(1);
});
