/**
 * Augmentation while a batch is gathered from a data set that stays on the GPU as bytes (as `gather/gather-batch.ts` without it): flip,
 * crop with padding, translation and cutout, by integers and copies alone, so that every adapter makes the same bits.
 */
import { OptionError, ShapeError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  linearGrid,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import randomWgsl from '../random/random.wgsl';
import gatherWgsl from './gather-augmented.wgsl';

/**
 * What may happen to an image, in this order; everything is off by default. Places that flip, crop and translation leave empty hold byte
 * 0, as in PyTorch, which pads pixels before it normalises: black, not the mean colour.
 */
export interface Augmentation {
  /** Mirror left and right, half of the images. */
  readonly flip?: boolean;
  /** Pad by so many pixels on each side, then cut a piece of the image's size out anywhere: CIFAR's customary 4. */
  readonly crop?: number;
  /** Move by up to so many pixels along each axis. */
  readonly translate?: number;
  /**
   * Side of a square, its middle anywhere in the image, that is set to 0 after normalising: the mean colour, as DeVries and Taylor do
   * ("Improved Regularization of Convolutional Neural Networks with Cutout", 2017).
   */
  readonly cutout?: number;
}

export interface GatherAugmentedCall {
  /** u32, four bytes each (the first in the lowest bits): images [channels, height, width], one after another without gaps. */
  readonly images: TensorView;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** f32 [channels, 256]: the value of each byte in each channel. */
  readonly table: TensorView;
  /** u32: positions in the data set, in the order of an epoch. Each must be below the number of images; not checked. */
  readonly indices: TensorView;
  /** Position in `indices` of the batch's first image. */
  readonly start: number;
  readonly augmentation: Augmentation;
  /** What happens to each image of the data set: `augmentationStream`, another one each epoch. */
  readonly stream: { readonly key0: number; readonly key1: number };
  /** f32 [N, channels, height, width] or [N, channels * height * width]; the first dimension is the batch. */
  readonly output: TensorView;
}

const kernel: Kernel = {
  name: 'gather augmented images',
  file: 'src/kernels/augment/gather-augmented.wgsl',
  wgsl: /* @__PURE__ */ randomWgsl.concat(gatherWgsl),
  bindings: ['read', 'read', 'read', 'read_write'],
};

/** Half a word chooses a place, so there may be no more than that. */
const MAX_SIDE = 32767;

/**
 * The stream of one epoch. Image `i` of the data set takes words 4 i .. 4 i + 3: the crop (x from the low half, y from the high half), the
 * translation likewise, the middle of the cutout likewise, and the flip (the highest bit). A half chooses among `b` places as
 * (half * b) >> 16. So what happens to an image depends on seed, epoch and image, not on batch or order.
 */
export function augmentationStream(seed: number | bigint, epoch: number): RandomStream {
  return new RandomStream(seed, 'augmentation').derive(epoch);
}

/**
 * Gathers a batch as `gatherImages` does, each image changed by its own random numbers.
 * @returns one dispatch, or none when the output is empty. @throws ShapeError when views do not fit, OptionError for an augmentation that
 * makes no sense.
 */
export function gatherAugmented(_context: Context, call: GatherAugmentedCall): Dispatch[] {
  const { images, channels, height, width, table, indices, start, augmentation, stream, output } = call;
  const caller = 'gatherAugmented';
  const pixels = channels * height * width;
  const count = output.shape[0] ?? 0;
  checkSizes(caller, { channels, height, width }, 1);
  checkSizes(caller, { start });
  const { flip, crop, translate, cutout } = checkAugmentation(augmentation, height, width);
  checkView(caller, 'images', images, 'u32', elementCount(images.shape));
  checkView(caller, 'table', table, 'f32', channels * 256);
  checkView(caller, 'indices', indices, 'u32', elementCount(indices.shape));
  checkView(caller, 'output', output, 'f32', count * pixels);
  checkSeparate(caller, { output }, { images, table, indices });
  if (start + count > elementCount(indices.shape)) {
    throw new ShapeError(
      `${caller}: a batch of ${count} from position ${start} passes the ${elementCount(indices.shape)} indices; make the batch smaller`,
    );
  }
  if (count === 0) return [];
  const rows = count * channels * height;
  return [
    {
      kernel,
      views: [images, table, indices, output],
      params: packParams(
        'uuuuuuuuuuu',
        ...[rows, channels, height, width, start, stream.key0, stream.key1],
        ...[flip ? 1 : 0, crop, translate, cutout],
      ),
      workgroups: linearGrid(Math.ceil(rows / 64)),
      work: 8 * count * pixels,
    },
  ];
}

function checkAugmentation(
  augmentation: Augmentation,
  height: number,
  width: number,
): Required<Augmentation> {
  const { flip = false, crop = 0, translate = 0, cutout = 0, ...unknown } = augmentation;
  const [other] = Object.keys(unknown);
  if (other !== undefined) {
    throw new OptionError(
      `gatherAugmented: expected flip, crop, translate or cutout, got ${JSON.stringify(other)}. Remove it.`,
    );
  }
  for (const [name, value] of Object.entries({ crop, translate, cutout })) {
    const most = Math.min(MAX_SIDE, Math.max(height, width));
    if (!Number.isSafeInteger(value) || value < 0 || value > most) {
      throw new OptionError(
        `gatherAugmented: expected ${name} as an integer 0 .. ${most} for images of ${height} x ${width}, got ${value}. Give pixels.`,
      );
    }
  }
  return { flip, crop, translate, cutout };
}
