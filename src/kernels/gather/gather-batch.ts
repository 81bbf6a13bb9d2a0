/**
 * Makes batches from a data set that stays on the GPU as bytes: pixels are looked up in a table on the way, so that a data set takes a
 * quarter of the memory and normalising it costs nothing.
 */
import { ShapeError } from '../../base/errors.ts';
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
import { fittingKernels } from '../fitting.ts';
import { runOf } from '../run.ts';
import imagesWgsl from './gather-images.wgsl';
import labelsWgsl from './gather-labels.wgsl';

interface BatchCall {
  /** u32: positions in the data set, in the order of an epoch. Each must be below the number of images; not checked. */
  readonly indices: TensorView;
  /** Position in `indices` of the batch's first image. */
  readonly start: number;
}

export interface GatherImagesCall extends BatchCall {
  /** u32, four bytes each (the first in the lowest bits): images [channels, H, W], one after another without gaps. */
  readonly images: TensorView;
  readonly channels: number;
  /** f32 [channels, 256]: the value of each byte in each channel. */
  readonly table: TensorView;
  /** f32 [N, C, H, W] or [N, C * H * W]; the first dimension is the batch. */
  readonly output: TensorView;
}

export interface GatherLabelsCall extends BatchCall {
  /** u32, four labels of 8 bits each (the first in the lowest bits), or one label each. */
  readonly labels: TensorView;
  /** Bits of a label. Default: 8. */
  readonly bits?: 8 | 32;
  /** u32 [N]. */
  readonly output: TensorView;
}

const imagesKernel = /* @__PURE__ */ fittingKernels({
  name: 'gather images',
  file: 'src/kernels/gather/gather-images.wgsl',
  wgsl: imagesWgsl,
  bindings: ['read', 'read', 'read', 'read_write'],
});
const labelsKernel: Kernel = {
  name: 'gather labels',
  file: 'src/kernels/gather/gather-labels.wgsl',
  wgsl: labelsWgsl,
  bindings: ['read', 'read', 'read_write'],
};

/**
 * `output[n, p] = table[channel of p][byte p of image indices[start + n]]`.
 * @returns one dispatch, or none when the output is empty. @throws ShapeError when views do not fit.
 */
export function gatherImages(context: Context, call: GatherImagesCall): Dispatch[] {
  const { images, channels, table, indices, start, output } = call;
  const caller = 'gatherImages';
  const outputs = elementCount(output.shape);
  const count = output.shape[0] ?? 0;
  checkSizes(caller, { channels }, 1);
  checkView(caller, 'images', images, 'u32', elementCount(images.shape));
  checkView(caller, 'table', table, 'f32', channels * 256);
  checkView(caller, 'output', output, 'f32', outputs);
  checkSeparate(caller, { output }, { images, table, indices });
  checkBatch(caller, indices, start, count);
  if (outputs === 0) return [];
  const pixels = outputs / count;
  if (pixels % channels !== 0) {
    throw new ShapeError(
      `${caller}: an image of ${pixels} pixels (output [${output.shape}]) does not divide into ${channels} channels; check channels and the output's shape`,
    );
  }
  const run = runOf(context, 1);
  return [
    {
      kernel: imagesKernel(pixels / channels),
      views: [images, table, indices, output],
      params: packParams('uuuuu', outputs, pixels, pixels / channels, start, run),
      workgroups: linearGrid(Math.ceil(outputs / (256 * run))),
      work: 4 * outputs,
    },
  ];
}

/**
 * `output[n] = labels[indices[start + n]]`.
 * @returns one dispatch, or none when the output is empty. @throws ShapeError when views do not fit.
 */
export function gatherLabels(_context: Context, call: GatherLabelsCall): Dispatch[] {
  const { labels, bits = 8, indices, start, output } = call;
  const caller = 'gatherLabels';
  const count = elementCount(output.shape);
  checkView(caller, 'labels', labels, 'u32', elementCount(labels.shape));
  checkView(caller, 'output', output, 'u32', count);
  checkSeparate(caller, { output }, { labels, indices });
  checkBatch(caller, indices, start, count);
  if (count === 0) return [];
  return [
    {
      kernel: labelsKernel,
      views: [labels, indices, output],
      params: packParams('uuu', count, start, bits),
      workgroups: linearGrid(Math.ceil(count / 64)),
      work: count,
    },
  ];
}

function checkBatch(caller: string, indices: TensorView, start: number, count: number): void {
  checkView(caller, 'indices', indices, 'u32', elementCount(indices.shape));
  checkSizes(caller, { start });
  if (start + count > elementCount(indices.shape)) {
    throw new ShapeError(
      `${caller}: a batch of ${count} from position ${start} passes the ${elementCount(indices.shape)} indices; make the batch smaller`,
    );
  }
}
