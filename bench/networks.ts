/**
 * The networks of the suite for engines of all kinds: this library's own models, and the same forward passes in terms of what any engine
 * has, so that a peer says how it does a convolution and nothing about residual networks.
 */
import { colourImages } from '../src/io/colour-images.ts';
import { digits } from '../src/io/digits.ts';
import { initialiseParameters } from '../src/nn/initialise.ts';
import { mlp } from '../src/nn/models/mlp.ts';
import { type Model, type StateEntry, stateEntries } from '../src/nn/models/model.ts';
import { resnetOfDepth } from '../src/nn/models/resnet.ts';
import type { Images, Network, NetworkShapes, NetworkState } from './problem.ts';

/** Operations of an engine on its own tensors, activations [N, C, H, W] or [N, features] in whichever layout it likes. */
export interface NetworkOperations<T> {
  /** x weight^T + bias; the weight is [out, in]. */
  linear(x: T, weight: T, bias: T): T;
  /** No bias; zeros around the input. */
  conv(x: T, weight: T, options: { readonly stride: number; readonly padding: number }): T;
  /** By the batch's statistics in training, by the running ones in evaluation. */
  batchNorm(x: T, norm: { readonly weight: T; readonly bias: T; readonly mean: T; readonly variance: T }): T;
  relu(x: T): T;
  add(x: T, y: T): T;
  /** [N, C, H, W] to [N, C]. */
  globalAveragePool(x: T): T;
  /** The same tensor for a second use, of engines that count references. */
  share(x: T): T;
}

/** Logits of a network. @param value a parameter or buffer by name; asked for once each. */
export function forward<T>(
  network: Network,
  operations: NetworkOperations<T>,
  value: (name: string) => T,
  images: T,
): T {
  return network.kind === 'mlp'
    ? forwardMlp(network.widths.length - 1, operations, value, images)
    : forwardResNet20(operations, value, images);
}

function forwardMlp<T>(
  layers: number,
  { linear, relu }: NetworkOperations<T>,
  value: (name: string) => T,
  images: T,
): T {
  let x = images;
  for (let layer = 1; layer <= layers; layer++) {
    x = linear(x, value(`fc${layer}.weight`), value(`fc${layer}.bias`));
    if (layer < layers) x = relu(x);
  }
  return x;
}

/** He et al. 2016 for CIFAR, with 1 x 1 convolutions where a stage begins. */
function forwardResNet20<T>(operations: NetworkOperations<T>, value: (name: string) => T, images: T): T {
  const { conv, batchNorm, relu, add, globalAveragePool, linear, share } = operations;
  const norm = (x: T, module: string) =>
    batchNorm(x, {
      weight: value(`${module}.weight`),
      bias: value(`${module}.bias`),
      mean: value(`${module}.running_mean`),
      variance: value(`${module}.running_var`),
    });
  const conv3x3 = (x: T, module: string, stride: number) =>
    conv(x, value(`${module}.weight`), { stride, padding: 1 });
  let x = relu(norm(conv3x3(images, 'conv1', 1), 'bn1'));
  for (const stage of [1, 2, 3]) {
    for (const block of [0, 1, 2]) {
      const module = `layer${stage}.${block}`;
      const stride = stage > 1 && block === 0 ? 2 : 1;
      let y = relu(norm(conv3x3(share(x), `${module}.conv1`, stride), `${module}.bn1`));
      y = norm(conv3x3(y, `${module}.conv2`, 1), `${module}.bn2`);
      if (stride === 2) {
        const shortcut = conv(x, value(`${module}.shortcut.0.weight`), { stride, padding: 0 });
        x = norm(shortcut, `${module}.shortcut.1`);
      }
      x = relu(add(y, x));
    }
  }
  return linear(globalAveragePool(x), value('linear.weight'), value('linear.bias'));
}

export const MLP: Network = {
  ...{ kind: 'mlp', widths: [784, 512, 512, 10], inputShape: [784], classes: 10 },
};
export const RESNET20: Network = { kind: 'resnet20', widths: [], inputShape: [3, 32, 32], classes: 10 };

/** `mlp-784-512-512-10`, `resnet20`. */
export function networkName({ kind, widths }: Network): string {
  return [kind, ...widths].join('-');
}

/** Multiply-adds of one sample's forward pass, in convolutions and linear layers. */
export function forwardMultiplyAdds({ kind, widths }: Network): number {
  if (kind === 'resnet20') return 40_813_184;
  return widths.slice(1).reduce((sum, width, layer) => sum + width * widths[layer]!, 0);
}

/** Those of its first layer, of one sample. */
export function firstLayerMultiplyAdds({ kind, widths }: Network): number {
  return kind === 'resnet20' ? 32 * 32 * 16 * 3 * 3 * 3 : widths[0]! * widths[1]!;
}

/** This library's model of a network. */
export function modelOf({ kind, widths }: Network): Model {
  return kind === 'mlp' ? mlp({ widths }) : resnetOfDepth(20);
}

/** Parameters and buffers of a network that was not trained. */
export function stateOf(
  network: Network,
  seed: number,
): { entries: StateEntry[]; shapes: NetworkShapes; state: NetworkState } {
  const entries = stateEntries(modelOf(network));
  const shapes = new Map(entries.map(({ name, shape }) => [name, shape]));
  return { entries, shapes, state: initialiseParameters(entries, seed) };
}

/** The built-in digits or colour images, the first `count`. */
export function imagesOf({ inputShape }: Network, count: number): Images {
  const set = (inputShape.length === 1 ? digits : colourImages)({ count, seed: 0 });
  return { count, pixels: set.images, labels: set.labels };
}

/** The first `count` of them, or all. */
export function firstImages(images: Images, count: number): Images {
  const each = images.pixels.length / images.count;
  const { length } = images.labels.subarray(0, count);
  return {
    count: length,
    pixels: images.pixels.subarray(0, length * each),
    labels: images.labels.subarray(0, length),
  };
}

/** What networks are fed: byte / 255, as float32. */
export function inputsOf(images: Images): Float32Array<ArrayBuffer> {
  return Float32Array.from(images.pixels, (byte) => byte / 255);
}
