/** The sizes of a two-dimensional convolution, checked: what the forward pass and both gradients have in common. */
import { ShapeError } from '../../base/errors.ts';
import { checkSizes } from '../checks.ts';

/** How a convolution slides over its input; the same for the forward pass and its gradients. */
export interface ConvOptions {
  /** Steps between outputs, vertically and horizontally. Default: [1, 1]. */
  readonly stride?: readonly [number, number];
  /** Zeros on each side, above and below, left and right. Default: [0, 0]. */
  readonly padding?: readonly [number, number];
  /** Channels are cut into as many groups; each output channel sees the input channels of its own. Default: 1. */
  readonly groups?: number;
}

export interface Geometry {
  readonly batch: number;
  readonly groups: number;
  /** Output channels of a group: O / groups. */
  readonly rows: number;
  /** Input channels of a group: C / groups. */
  readonly depth: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padH: number;
  readonly padW: number;
}

/** Terms of a sum before its sum is added to the total: as many whole channels, or whole lines, as fit, but at least one. */
export const CHUNK = 512;

/**
 * Checks that three shapes are those of a convolution.
 * @param input [N, C, H, W]
 * @param weight [O, C / groups, KH, KW]
 * @param output [N, O, HO, WO], HO = floor((H + 2 padding - KH) / stride) + 1 and WO likewise
 * @throws ShapeError that names `caller`, what it expected and what it got.
 */
export function geometryOf(
  caller: string,
  shapes: { input: readonly number[]; weight: readonly number[]; output: readonly number[] },
  options: ConvOptions,
): Geometry {
  for (const [name, shape] of Object.entries(shapes)) {
    if (shape.length !== 4)
      throw new ShapeError(
        `${caller}: the convolution's ${name} must have 4 axes, got shape [${shape}]; reshape it`,
      );
  }
  const { input, weight, output } = shapes;
  const { stride: [strideH, strideW] = [1, 1], padding: [padH, padW] = [0, 0], groups = 1 } = options;
  const [batch, channels, inH, inW] = input as [number, number, number, number];
  const [outChannels, depth, kernelH, kernelW] = weight as [number, number, number, number];
  checkSizes(caller, { 'stride[0]': strideH, 'stride[1]': strideW, groups, kernelH, kernelW }, 1);
  checkSizes(caller, { 'padding[0]': padH, 'padding[1]': padW });
  if (depth * groups !== channels || outChannels % groups !== 0) {
    throw new ShapeError(
      `${caller}: weight [${weight}] with groups ${groups} takes ${depth * groups} channels and gives a multiple of ${groups}, ` +
        `but input [${input}] has ${channels} and the weight gives ${outChannels}; use weights [O, C / groups, KH, KW]`,
    );
  }
  const outH = convolvedSize(caller, 'height', inH, kernelH, strideH, padH);
  const outW = convolvedSize(caller, 'width', inW, kernelW, strideW, padW);
  const expected = [batch, outChannels, outH, outW];
  if (output.join() !== expected.join()) {
    throw new ShapeError(
      `${caller}: the convolution of input [${input}] and weight [${weight}] with stride ${strideH},${strideW} and padding ` +
        `${padH},${padW} has an output [${expected}], got [${output}]; pass views that fit`,
    );
  }
  const rows = outChannels / groups;
  return {
    ...{ batch, groups, rows, depth, inH, inW, outH, outW },
    ...{ kernelH, kernelW, strideH, strideW, padH, padW },
  };
}

/** Outputs along one axis. @throws ShapeError where the kernel is larger than the padded input. */
export function convolvedSize(
  caller: string,
  axis: 'height' | 'width',
  size: number,
  kernel: number,
  stride: number,
  padding: number,
): number {
  if (size + 2 * padding < kernel) {
    throw new ShapeError(
      `${caller}: the kernel's ${axis} ${kernel} is larger than the input's ${size} with padding ${padding} on both sides; pad more`,
    );
  }
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/**
 * A 1 x 1 convolution with stride 1 and no padding sees no neighbours, so an image of H x W is as good as any other of as many pixels.
 * Takes one whose width, the length of a line, is the largest divisor of H W up to 512: few short tiles, chunks of one size.
 */
export function flattening(geometry: Geometry): Geometry {
  const { kernelH, kernelW, strideH, strideW, padH, padW, inH, inW } = geometry;
  if (kernelH * kernelW * strideH * strideW !== 1 || padH + padW !== 0) return geometry;
  const pixels = inH * inW;
  let width = Math.min(CHUNK, pixels);
  while (width > inW && pixels % width !== 0) width--;
  if (width <= inW) return geometry;
  return { ...geometry, inH: pixels / width, inW: width, outH: pixels / width, outW: width };
}
