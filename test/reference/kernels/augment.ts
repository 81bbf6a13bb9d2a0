/** Augmentation as plain loops, one step after another as the documentation of `Augmentation` tells it. */
import type { RandomStream } from '../../../src/base/random.ts';
import type { Augmentation } from '../../../src/kernels/augment/gather-augmented.ts';

type Picture = (number | 'cut')[][];

/** The bytes of one channel of `image` after all steps; `cut` where the square lies. */
function augment(
  bytes: Uint8Array,
  height: number,
  width: number,
  image: number,
  { flip = false, crop = 0, translate = 0, cutout = 0 }: Augmentation,
  stream: RandomStream,
): Picture {
  const word = (index: number) => stream.uint32(4 * image + index);
  const [low, high] = [(index: number) => word(index) & 0xffff, (index: number) => word(index) >>> 16];
  const below = (half: number, bound: number) => Math.floor((half * bound) / 65536);
  let picture: Picture = Array.from({ length: height }, (_, y) =>
    Array.from(bytes.subarray(y * width, (y + 1) * width)),
  );
  if (flip && word(3) >= 2 ** 31) picture = picture.map((row) => row.toReversed());
  // Crop: a larger picture with a frame of zeros, of which a window is taken.
  const [left, top] = [below(low(0), 2 * crop + 1), below(high(0), 2 * crop + 1)];
  const side = Array<number>(crop).fill(0);
  const empty = () => Array<Picture[number]>(crop).fill(Array<number>(width + 2 * crop).fill(0));
  const padded = [...empty(), ...picture.map((row) => [...side, ...row, ...side]), ...empty()];
  picture = padded.slice(top, top + height).map((row) => row.slice(left, left + width));
  // Translation: zeros move in from one side.
  const [right, down] = [
    below(low(1), 2 * translate + 1) - translate,
    below(high(1), 2 * translate + 1) - translate,
  ];
  picture = picture.map((row, y) => row.map((_, x) => picture[y - down]?.[x - right] ?? 0));
  // Cutout: a square around a middle, clipped by the edges.
  const [cutX, cutY] = [
    below(low(2), width) - Math.floor(cutout / 2),
    below(high(2), height) - Math.floor(cutout / 2),
  ];
  const isCut = (x: number, y: number) => x >= cutX && x < cutX + cutout && y >= cutY && y < cutY + cutout;
  return picture.map((row, y) => row.map((value, x) => (isCut(x, y) ? 'cut' : value)));
}

/** A batch, looked up in the table: what `gatherAugmented` writes. */
export function gatherAugmented(
  images: Uint8Array,
  sizes: { readonly channels: number; readonly height: number; readonly width: number },
  table: Float32Array,
  chosen: Uint32Array,
  augmentation: Augmentation,
  stream: RandomStream,
): Float32Array {
  const { channels, height, width } = sizes;
  const plane = height * width;
  const output: number[] = [];
  for (const image of chosen) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (image * channels + channel) * plane;
      const picture = augment(
        images.subarray(from, from + plane),
        height,
        width,
        image,
        augmentation,
        stream,
      );
      for (const value of picture.flat()) output.push(value === 'cut' ? 0 : table[256 * channel + value]!);
    }
  }
  return Float32Array.from(output);
}
