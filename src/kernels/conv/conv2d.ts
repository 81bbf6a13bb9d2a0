/**
 * Two-dimensional convolutions in f32, NCHW, with any kernel size, stride, padding and number of groups, and their gradients.
 *
 * All variants give the same bits: the orders of summation stand in correlate_naive.wgsl (forward and input gradient) and
 * weight_gradient_naive.wgsl. Zeros around the input take part in sums as any other value: with weights that are not finite they make
 * NaN, as in every implementation by matrix products.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, elementCount, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';
import type { ChannelNorm } from '../norm/normalise.ts';
import { correlate, forwardCorrelation, inputGradientCorrelations } from './correlate.ts';
import { type ConvOptions, flattening, type Geometry, geometryOf } from './geometry.ts';
import { weightGradientDispatches } from './weight-gradient.ts';

export interface Conv2dCall extends ConvOptions {
  /** f32 [N, C, H, W]. */
  readonly input: TensorView;
  /** f32 [O, C / groups, KH, KW]. */
  readonly weight: TensorView;
  /** f32 [N, O, HO, WO], HO = floor((H + 2 padding - KH) / stride) + 1. In another buffer than the inputs. */
  readonly output: TensorView;
  /** f32 [O], added to every output of a channel. Default: none. */
  readonly bias?: TensorView;
  /** After the bias, x becomes `fma(x - mean, factor, shift)`: batch norm in evaluation, the bits of `normalise`. Default: none. */
  readonly norm?: ChannelNorm;
  /** f32 of the output's shape, in another buffer: added after the norm, such as a block's shortcut. Default: none. */
  readonly addend?: TensorView;
  /** Applied last. Default: none. */
  readonly activation?: 'relu';
}

export interface Conv2dInputGradientCall extends ConvOptions {
  /** f32 [N, O, HO, WO]. */
  readonly outputGradient: TensorView;
  /** f32 [O, C / groups, KH, KW]. */
  readonly weight: TensorView;
  /** f32 [N, C, H, W]: the shape of the convolution's input. In another buffer than the inputs. */
  readonly output: TensorView;
}

export interface Conv2dWeightGradientCall extends ConvOptions {
  /** f32 [N, C, H, W]. */
  readonly input: TensorView;
  /** f32 [N, O, HO, WO]. */
  readonly outputGradient: TensorView;
  /** f32 [O, C / groups, KH, KW]. In another buffer than the inputs. */
  readonly output: TensorView;
  /**
   * Gives an f32 view of a shape, in a buffer of its own, that this call may overwrite. Called at most once, when there are few
   * weights. The bits stay the same. Default: each weight is summed in one go.
   */
  readonly scratch?: (shape: readonly number[]) => TensorView;
}

/**
 * `output = activation((input * weight + bias - mean) factor + shift + addend)`, all in the same dispatch.
 * @returns one dispatch, none when the output is empty.
 * @throws ShapeError when shapes or element types do not fit; OptionError or UnsupportedError when `context.variants.conv` names no
 *   variant, or one that does not run on this adapter.
 */
export function conv2d(context: Context, call: Conv2dCall): Dispatch[] {
  const { input, weight, output, bias, norm, addend, activation } = call;
  const geometry = checkCall('conv2d', call, { input, weight }, { output }, { input, weight, output });
  const channels = { ...(bias ? { bias } : {}), ...norm };
  for (const [name, view] of Object.entries(channels))
    checkView('conv2d', name, view, 'f32', geometry.rows * geometry.groups);
  if (addend) checkView('conv2d', 'addend', addend, 'f32', elementCount(output.shape));
  checkSeparate('conv2d', { output }, { ...channels, ...(addend ? { addend } : {}) });
  if (elementCount(output.shape) === 0) return [];
  const views = { ...call, relu: activation === 'relu' };
  return [correlate(context, forwardCorrelation(flattening(geometry)), views)];
}

/**
 * The gradient with respect to a convolution's input: `output[n, c, h, w] = sum over o, i, j of weight[o, c, i, j] *
 * outputGradient[n, o, (h + padding - i) / stride, (w + padding - j) / stride]`, where these are whole numbers.
 * @returns one dispatch for each residue of h and w by the stride, none when the output is empty.
 * @throws ShapeError, OptionError, UnsupportedError as `conv2d`.
 */
export function conv2dInputGradient(context: Context, call: Conv2dInputGradientCall): Dispatch[] {
  const { outputGradient, weight, output } = call;
  const shapes = { input: output, weight, output: outputGradient };
  const geometry = checkCall('conv2dInputGradient', call, { outputGradient, weight }, { output }, shapes);
  if (elementCount(output.shape) === 0) return [];
  const views = { input: outputGradient, weight, output };
  return inputGradientCorrelations(flattening(geometry)).map((part) => correlate(context, part, views));
}

/**
 * The gradient with respect to a convolution's weight: `output[o, c, i, j] = sum over n, y, x of outputGradient[n, o, y, x] *
 * input[n, c, y stride + i - padding, x stride + j - padding]`.
 * @returns one dispatch, two when `scratch` is given and helps, none when the output is empty.
 * @throws ShapeError, OptionError, UnsupportedError as `conv2d`.
 */
export function conv2dWeightGradient(context: Context, call: Conv2dWeightGradientCall): Dispatch[] {
  const { input, outputGradient, output, scratch } = call;
  const shapes = { input, weight: output, output: outputGradient };
  const geometry = checkCall('conv2dWeightGradient', call, { input, outputGradient }, { output }, shapes);
  if (elementCount(output.shape) === 0) return [];
  return weightGradientDispatches(context, flattening(geometry), { input, outputGradient, output }, scratch);
}

/** Checks element types, buffers and shapes; `shapes` says which view has the role of which operand of the forward pass. */
function checkCall(
  caller: string,
  options: ConvOptions,
  read: Readonly<Record<string, TensorView>>,
  written: Readonly<Record<string, TensorView>>,
  shapes: { input: TensorView; weight: TensorView; output: TensorView },
): Geometry {
  for (const [name, view] of Object.entries({ ...read, ...written }))
    checkView(caller, name, view, 'f32', elementCount(view.shape));
  checkSeparate(caller, written, read);
  const { input, weight, output } = shapes;
  return geometryOf(caller, { input: input.shape, weight: weight.shape, output: output.shape }, options);
}
