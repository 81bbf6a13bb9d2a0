/** Images small enough to follow a training by hand. */
import type { ImageDataset } from '../../src/io/dataset.ts';

/** 30 images of 3x2 pixels in 3 classes. */
export function tinyDataset(): ImageDataset {
  const [count, height, width, classes] = [30, 3, 2, 3];
  const images = new Uint8Array(count * height * width).map((_, i) => (i * 89 + (i >> 3) * 31) % 256);
  const labels = new Uint8Array(count).map((_, i) => (i * 7) % classes);
  return { name: 'tiny', count, channels: 1, height, width, classes, images, labels };
}

export const TINY_NORMALISATION = { mean: [0.4], std: [0.25] };
