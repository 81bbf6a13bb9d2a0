/**
 * VGG-like networks from names and shapes: `features.N` (convolutions and norms) and `classifier.N` or `classifier` (linear layers).
 * Layers without weights leave gaps in the numbers: a gap of one is a ReLU, of two a ReLU and a pool.
 */
import { FormatError } from '../../base/errors.ts';
import type { Model } from './model.ts';
import { compareNaturally, type NamedShape, shapeOf } from './named-shapes.ts';
import { type SequentialLayer, sequential } from './sequential.ts';

const CONV = /^(.*?features)\.(\d+)\.weight$/;

export function isSequential(tensors: readonly NamedShape[]): boolean {
  return tensors.some(({ name, shape }) => shape.length === 4 && CONV.test(name));
}

/** @throws FormatError naming what does not fit. Whether every tensor is used is checked by the caller. */
export function recogniseSequential(tensors: readonly NamedShape[]): Model {
  const sorted = [...tensors].sort((a, b) => compareNaturally(a.name, b.name));
  const features = sorted.filter(({ name }) => CONV.test(name));
  const heads = sorted.filter(({ name, shape }) => shape.length === 2 && name.endsWith('.weight'));
  if (heads.length === 0)
    throw new FormatError('recogniseModel: it looks like a VGG, but has no linear layer');
  const layers: SequentialLayer[] = [];
  let [pools, channels, norm] = [0, 0, 'none'];
  let last = -1;
  for (const { name, shape } of features) {
    const module = name.slice(0, -'.weight'.length);
    const index = Number(name.match(CONV)![2]);
    pools += fillGap(layers, index - last - 1, name);
    last = index;
    if (shape.length === 4) {
      channels = shape[0]!;
      layers.push({
        type: 'conv',
        module,
        channels,
        kernelSize: shape[2]!,
        bias: shapeOf(tensors, `${module}.bias`) !== undefined,
      });
    } else {
      norm = shapeOf(tensors, `${module}.running_mean`) ? 'batch' : 'layer';
      layers.push({ type: 'norm', module, norm: norm === 'batch' ? 'batch' : 'layer' });
    }
  }
  layers.push({ type: 'relu' });
  const side = Math.sqrt(heads[0]!.shape[1]! / channels);
  if (!Number.isInteger(side)) {
    throw new FormatError(
      `recogniseModel: "${heads[0]!.name}" [${heads[0]!.shape}] takes ${heads[0]!.shape[1]} features, which is no square of pixels times ${channels} channels`,
    );
  }
  // Whether the last convolution has a pool after it cannot be seen: 32x32 images decide, where they can.
  const poolsFor32 = [pools, pools + 1].find((count) => 32 >> count === side);
  if (poolsFor32 === pools + 1) layers.push({ type: 'maxpool' });
  const total = poolsFor32 ?? pools;
  const inputSide = side << total;
  layers.push({ type: 'flatten' });
  for (const [i, head] of heads.entries()) {
    const module = head.name.slice(0, -'.weight'.length);
    layers.push({
      type: 'linear',
      module,
      features: head.shape[0]!,
      bias: shapeOf(tensors, `${module}.bias`) !== undefined,
    });
    if (i < heads.length - 1) layers.push({ type: 'relu' });
  }
  const convolutions = features.filter(({ shape }) => shape.length === 4);
  const classes = heads.at(-1)!.shape[0]!;
  return sequential({
    name: [
      `vgg${convolutions.length + 3}`,
      ...(norm === 'none' ? [] : [`norm=${norm}`]),
      ...(heads.length > 1 ? ['classifier=mlp'] : []),
      ...(classes === 10 ? [] : [`classes=${classes}`]),
    ].join(':'),
    inputShape: [convolutions[0]!.shape[1]!, inputSide, inputSide],
    classes,
    layers,
    assumptions: [
      `images of ${convolutions[0]!.shape[1]}x${inputSide}x${inputSide}`,
      `${total} max-pools of 2x2 (from gaps in the numbers of features.N), ReLU after each convolution`,
    ],
  });
}

/** Layers without weights between two numbered ones. @returns how many of them are pools. */
function fillGap(layers: SequentialLayer[], gap: number, before: string): number {
  if (layers.length === 0 || gap === 0) return 0;
  layers.push({ type: 'relu' });
  if (gap === 1) return 0;
  if (gap > 2) {
    throw new FormatError(
      `recogniseModel: ${gap} layers without weights before "${before}"; a ReLU, or a ReLU and a pool, are known`,
    );
  }
  layers.push({ type: 'maxpool' });
  return 1;
}
