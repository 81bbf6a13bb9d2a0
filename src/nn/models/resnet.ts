/**
 * Residual networks (He et al. 2016): the CIFAR family (ResNet20, 32, 44, 56, 110 with three stages) and the ImageNet family (18, 34, 50
 * with four). One description covers both; what published codes differ in (shortcut, norm, names) are its options.
 */
import { OptionError } from '../../base/errors.ts';
import type { Node } from '../graph.ts';
import { conv, linear, type Norm, norm } from '../layers.ts';
import { add, globalAveragePool, maxPool, pad, relu, subsample } from '../ops/index.ts';
import type { Model, Pass } from './model.ts';

/** How a block's input reaches its output where the size changes. `pad` is He's option A: every second pixel, zeros on both sides. */
export type Shortcut = 'conv3x3' | 'conv1x1' | 'pad';

/** Their names, as options take them. */
export const SHORTCUTS: readonly Shortcut[] = ['conv3x3', 'conv1x1', 'pad'];

/** Of `resnet`. */
export interface ResNetOptions {
  /** Shown as the model's name. */
  readonly name: string;
  /** Channels of the input and its sides, such as [3, 32, 32]. */
  readonly inputShape: readonly [channels: number, height: number, width: number];
  /** Channels of the first convolution; each stage has twice those of the one before. */
  readonly channels: number;
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
  /** Blocks of 1x1, 3x3, 1x1 whose output has four times the channels (ResNet50). Default: false. */
  readonly bottleneck?: boolean;
  /** Default: 3 (CIFAR); 7 has stride 2 and a max-pool after it (ImageNet). */
  readonly stemKernelSize?: 3 | 7;
  /** What leads past a block whose output has another shape than its input. */
  readonly shortcut: Shortcut;
  /** What follows each convolution. */
  readonly norm: Norm;
  /** Logits of a sample. */
  readonly classes: number;
  /** Module names. Default: `shortcut` and `linear`; torchvision says `downsample` and `fc`. */
  readonly shortcutName?: string;
  /** Of the last layer. */
  readonly headName?: string;
  /** What was assumed, one line each. Default: none. */
  readonly assumptions?: readonly string[];
}

/** A residual network. */
export function resnet(options: ResNetOptions): Model {
  const { name, inputShape, channels, blocks, classes, assumptions = [] } = options;
  const kernelSize = options.stemKernelSize ?? 3;
  const bias = options.norm === 'none';
  return {
    name,
    inputShape,
    classes,
    assumptions,
    forward(images, pass) {
      const stem = conv(images, 'conv1', channels, { kernelSize, stride: kernelSize === 7 ? 2 : 1, bias });
      let x = relu(norm(stem, 'bn1', options.norm, pass));
      if (kernelSize === 7) x = maxPool(x, 3, { stride: 2, padding: 1 });
      let width = channels;
      for (const [stage, count] of blocks.entries()) {
        for (let index = 0; index < count; index++) {
          const module = `layer${stage + 1}.${index}`;
          const stride = stage > 0 && index === 0 ? 2 : 1;
          x = block(x, module, width, stride, options, pass);
        }
        width *= 2;
      }
      return linear(globalAveragePool(x), options.headName ?? 'linear', classes);
    },
  };
}

/** `relu(F(x) + shortcut(x))`. */
function block(
  x: Node,
  module: string,
  channels: number,
  stride: number,
  options: ResNetOptions,
  pass: Pass,
): Node {
  const bias = options.norm === 'none';
  const convNorm = (input: Node, index: number, out: number, kernelSize: number, convStride: number) =>
    norm(
      conv(input, `${module}.conv${index}`, out, { kernelSize, stride: convStride, bias }),
      `${module}.bn${index}`,
      options.norm,
      pass,
    );
  const outChannels = options.bottleneck ? 4 * channels : channels;
  let y: Node;
  if (options.bottleneck) {
    y = relu(convNorm(x, 1, channels, 1, 1));
    y = relu(convNorm(y, 2, channels, 3, stride));
    y = convNorm(y, 3, outChannels, 1, 1);
  } else {
    y = relu(convNorm(x, 1, channels, 3, stride));
    y = convNorm(y, 2, outChannels, 3, 1);
  }
  const unchanged = stride === 1 && x.shape[1] === outChannels;
  return relu(add(y, unchanged ? x : shortcut(x, module, outChannels, stride, options, pass)));
}

function shortcut(
  x: Node,
  module: string,
  channels: number,
  stride: number,
  options: ResNetOptions,
  pass: Pass,
): Node {
  if (options.shortcut === 'pad') {
    const missing = channels - (x.shape[1] as number);
    const before = Math.floor(missing / 2);
    return pad(subsample(x, stride), 1, [before, missing - before]);
  }
  const name = `${module}.${options.shortcutName ?? 'shortcut'}`;
  const kernelSize = options.shortcut === 'conv3x3' ? 3 : 1;
  return norm(conv(x, `${name}.0`, channels, { kernelSize, stride }), `${name}.1`, options.norm, pass);
}

/** Of `resnetOfDepth`. */
export interface ResNetVariant {
  /** Multiplies all channels; may be a fraction such as 0.5. Default: 1. */
  readonly width?: number;
  /** Default: `conv1x1`. */
  readonly shortcut?: Shortcut;
  /** Default: `batch`. */
  readonly norm?: Norm;
  /** Default: 10. */
  readonly classes?: number;
  /** Shape of an image. Default: 3, 32, 32. */
  readonly input?: readonly [channels: number, height: number, width: number];
}

/** ResNets by depth: 20, 32, 44, 56, 110 as He et al. use on CIFAR-10 (3x32x32), 8 and 14 of the same kind, 18, 34 and 50 with torchvision's names (3x32x32, 3x3 stem). */
export function resnetOfDepth(depth: number, variant: ResNetVariant = {}): Model {
  const { width = 1, shortcut = 'conv1x1', norm = 'batch', classes = 10, input = [3, 32, 32] } = variant;
  if (!Number.isInteger(16 * width)) {
    throw new OptionError(
      `resnet: width must be a multiple of 1/16, so that channels are whole numbers, got ${width}`,
    );
  }
  const name = [
    `resnet${depth}`,
    ...(width === 1 ? [] : [`width=${width}`]),
    ...(shortcut === 'conv1x1' ? [] : [`shortcut=${shortcut}`]),
    ...(norm === 'batch' ? [] : [`norm=${norm}`]),
    ...(classes === 10 ? [] : [`classes=${classes}`]),
    ...(input.join('x') === '3x32x32' ? [] : [`input=${input.join('x')}`]),
  ].join(':');
  const common = { name, inputShape: input, shortcut, norm, classes };
  if ([8, 14, 20, 32, 44, 56, 110].includes(depth)) {
    const perStage = (depth - 2) / 6;
    return resnet({ ...common, channels: 16 * width, blocks: [perStage, perStage, perStage] });
  }
  const torchvision = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] }[depth];
  if (!torchvision) {
    throw new OptionError(
      `resnet: depth must be one of 8, 14, 18, 20, 32, 34, 44, 50, 56, 110, got ${depth}`,
    );
  }
  return resnet({
    ...common,
    channels: 64 * width,
    blocks: torchvision,
    bottleneck: depth === 50,
    shortcutName: 'downsample',
    headName: 'fc',
  });
}
