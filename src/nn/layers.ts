/**
 * Layers: operations with parameters, named under a module as PyTorch names them. A model definition built of these reads like the
 * paper's figure.
 */
import { OptionError } from '../base/errors.ts';
import type { Node } from './graph.ts';
import type { Pass } from './models/model.ts';
import {
  batchNorm,
  batchNormTraining,
  buffer,
  conv2d,
  layerNorm,
  linear as linearOperation,
  parameter,
} from './ops/index.ts';

/** What follows a convolution. `layer` normalises over channels at each pixel, as Git Re-Basin does. */
export type Norm = 'batch' | 'layer' | 'none';

/** Their names, as options take them. */
export const NORMS: readonly Norm[] = ['batch', 'layer', 'none'];

/** `nn.Linear`: `<module>.weight` [out, in], `<module>.bias` [out]. x: [N, in]. */
export function linear(x: Node, module: string, outFeatures: number, { bias = true } = {}): Node {
  const weight = parameter(`${module}.weight`, [outFeatures, sizeOf(x, 1, module)]);
  return linearOperation(x, weight, bias ? parameter(`${module}.bias`, [outFeatures]) : undefined);
}

/** Of `conv`. */
export interface ConvOptions {
  /** Both sides of the kernel. Default: 3. */
  readonly kernelSize?: number;
  /** Default: 1. */
  readonly stride?: number;
  /** Zeros on each side. Default: half the kernel, which keeps the size at stride 1. */
  readonly padding?: number;
  /** Default: false, as in networks whose norm has a shift. */
  readonly bias?: boolean;
}

/** `nn.Conv2d` with a square kernel: `<module>.weight` [out, in, k, k]. x: [N, C, H, W]. */
export function conv(x: Node, module: string, outChannels: number, options: ConvOptions = {}): Node {
  const { kernelSize = 3, stride = 1, padding = Math.floor(kernelSize / 2), bias = false } = options;
  const weight = parameter(`${module}.weight`, [outChannels, sizeOf(x, 1, module), kernelSize, kernelSize]);
  const biasNode = bias ? parameter(`${module}.bias`, [outChannels]) : undefined;
  return conv2d(x, weight, biasNode, { stride, padding });
}

/** `nn.BatchNorm2d` or a layer norm over channels at each pixel: `<module>.weight`, `.bias` [C]; nothing for `none`. */
export function norm(x: Node, module: string, kind: Norm, pass: Pass): Node {
  if (kind === 'none') return x;
  const channels = sizeOf(x, 1, module);
  const weight = parameter(`${module}.weight`, [channels]);
  const bias = parameter(`${module}.bias`, [channels]);
  if (kind === 'layer') return layerNorm(x, weight, bias);
  const mean = buffer(`${module}.running_mean`, [channels]);
  const variance = buffer(`${module}.running_var`, [channels]);
  if (!pass.training) return batchNorm(x, { mean, variance }, weight, bias);
  const { momentum, batchesTracked } = pass;
  const { output, stores } = batchNormTraining(x, {
    weight,
    bias,
    runningMean: mean,
    runningVar: variance,
    ...(momentum === undefined ? {} : { momentum }),
    ...(batchesTracked ? { batchesTracked } : {}),
  });
  for (const [name, node] of Object.entries(stores)) pass.updates.set(name, node);
  return output;
}

/** Size of an axis that a layer's weights depend on, and so must not be the batch. */
function sizeOf(x: Node, axis: number, module: string): number {
  const size = x.shape[axis];
  if (typeof size !== 'number') {
    throw new OptionError(
      `layer "${module}": expected a fixed size on axis ${axis}, got [${x.shape}]; flatten or reshape the input first`,
    );
  }
  return size;
}
