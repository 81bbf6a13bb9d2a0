/**
 * VGG for CIFAR (Simonyan and Zisserman 2015; configurations A, B, D, E): plain, with batch norm, or with layer norm after each
 * convolution. Module names are torchvision's (`features.N`, `classifier.N`), counted over every layer of the Sequential.
 */
import { OptionError } from '../../base/errors.ts';
import type { Norm } from '../layers.ts';
import type { Model } from './model.ts';
import { type SequentialLayer, sequential } from './sequential.ts';

/** Convolutions before each of the five pools. Channels are 64, 128, 256, 512, 512. */
const CONFIGURATIONS: Readonly<Record<number, readonly number[]>> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
};

const CHANNELS = [64, 128, 256, 512, 512];

/** Of `vggOfDepth`. */
export interface VggVariant {
  /** Multiplies all channels. Default: 1. */
  readonly width?: number;
  /** Default: `none`. */
  readonly norm?: Norm;
  /** `linear`: one layer to the classes (REPAIR); `mlp`: two hidden layers of 512 before it (Git Re-Basin). Default: `linear`. */
  readonly classifier?: 'linear' | 'mlp';
  /** Default: 10. */
  readonly classes?: number;
}

/** VGG11, 13, 16 or 19 for images of 3x32x32. */
export function vggOfDepth(depth: number, variant: VggVariant = {}): Model {
  const { width = 1, norm = 'none', classifier = 'linear', classes = 10 } = variant;
  const configuration = CONFIGURATIONS[depth];
  if (!configuration) {
    throw new OptionError(
      `vgg: depth must be one of ${Object.keys(CONFIGURATIONS).join(', ')}, got ${depth}`,
    );
  }
  if (!Number.isInteger(64 * width)) {
    throw new OptionError(
      `vgg: width must be a multiple of 1/64, so that channels are whole numbers, got ${width}`,
    );
  }
  const layers: SequentialLayer[] = [];
  let index = 0;
  for (const [stage, convolutions] of configuration.entries()) {
    const channels = CHANNELS[stage]! * width;
    for (let i = 0; i < convolutions; i++) {
      layers.push({ type: 'conv', module: `features.${index++}`, channels, kernelSize: 3, bias: true });
      if (norm !== 'none') layers.push({ type: 'norm', module: `features.${index++}`, norm });
      layers.push({ type: 'relu' });
      index++;
    }
    layers.push({ type: 'maxpool' });
    index++;
  }
  layers.push({ type: 'flatten' });
  if (classifier === 'mlp') {
    for (const module of ['classifier.0', 'classifier.2']) {
      layers.push({ type: 'linear', module, features: 512 * width, bias: true }, { type: 'relu' });
    }
  }
  const head = classifier === 'mlp' ? 'classifier.4' : 'classifier';
  layers.push({ type: 'linear', module: head, features: classes, bias: true });
  const name = [
    `vgg${depth}`,
    ...(width === 1 ? [] : [`width=${width}`]),
    ...(norm === 'none' ? [] : [`norm=${norm}`]),
    ...(classifier === 'linear' ? [] : [`classifier=${classifier}`]),
    ...(classes === 10 ? [] : [`classes=${classes}`]),
  ].join(':');
  return sequential({ name, inputShape: [3, 32, 32], classes, layers });
}
