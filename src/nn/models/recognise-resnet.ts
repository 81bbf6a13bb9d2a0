/** Residual networks from names and shapes: `conv1`, `layerS.B.convI`, a shortcut by any of its usual names, one linear head. */
import { FormatError } from '../../base/errors.ts';
import type { Norm } from '../layers.ts';
import type { Model } from './model.ts';
import { type NamedShape, shapeOf } from './named-shapes.ts';
import { resnet, type Shortcut } from './resnet.ts';

export function isResNet(tensors: readonly NamedShape[]): boolean {
  return (
    shapeOf(tensors, 'conv1.weight')?.length === 4 && shapeOf(tensors, 'layer1.0.conv1.weight')?.length === 4
  );
}

/** @throws FormatError naming what does not fit. Whether every tensor is used is checked by the caller. */
export function recogniseResNet(tensors: readonly NamedShape[]): Model {
  const [channels, inputChannels, kernelSize] = shapeOf(tensors, 'conv1.weight')! as [number, number, number];
  if (kernelSize !== 3 && kernelSize !== 7) {
    throw new FormatError(
      `recogniseModel: "conv1.weight" has a ${kernelSize}x${kernelSize} kernel; residual networks with 3x3 or 7x7 are known`,
    );
  }
  const head = tensors.find(({ name, shape }) => shape.length === 2 && name.endsWith('.weight'));
  if (!head)
    throw new FormatError(
      'recogniseModel: it looks like a residual network, but has no linear head (a 2-D weight)',
    );
  const bottleneck = shapeOf(tensors, 'layer1.0.conv3.weight') !== undefined;
  const blocks = countBlocks(tensors);
  const shortcutWeight = tensors.find(({ name }) =>
    /^layer\d+\.0\.(shortcut|downsample)\.0\.weight$/.test(name),
  );
  const shortcut: Shortcut = !shortcutWeight ? 'pad' : shortcutWeight.shape[2] === 3 ? 'conv3x3' : 'conv1x1';
  const norm: Norm = shapeOf(tensors, 'bn1.running_mean')
    ? 'batch'
    : shapeOf(tensors, 'bn1.weight')
      ? 'layer'
      : 'none';
  const side = kernelSize === 7 ? 224 : inputChannels === 1 ? 28 : 32; // ImageNet, MNIST and its relatives, CIFAR
  const depth = 2 + (bottleneck ? 3 : 2) * blocks.reduce((sum, count) => sum + count, 0);
  const width = channels / (blocks.length === 3 ? 16 : 64);
  return resnet({
    name: [
      `resnet${depth}`,
      ...(width === 1 ? [] : [`width=${width}`]),
      ...(shortcut === 'conv1x1' ? [] : [`shortcut=${shortcut}`]),
      ...(norm === 'batch' ? [] : [`norm=${norm}`]),
      ...(head.shape[0] === 10 ? [] : [`classes=${head.shape[0]}`]),
      ...(side === 28 ? ['input=1x28x28'] : []),
    ].join(':'),
    inputShape: [inputChannels, side, side],
    channels,
    blocks,
    bottleneck,
    stemKernelSize: kernelSize,
    shortcut,
    norm,
    classes: head.shape[0]!,
    ...(shortcutWeight ? { shortcutName: shortcutWeight.name.split('.')[2]! } : {}),
    headName: head.name.slice(0, -'.weight'.length),
    assumptions: [
      `images of ${inputChannels}x${side}x${side}`,
      'each stage but the first halves height and width in its first block',
      ...(shortcut === 'pad'
        ? ['shortcuts without weights: every second pixel, zero channels on both sides (option A)']
        : []),
      ...(norm === 'batch'
        ? ['batch norm with eps 1e-5']
        : norm === 'layer'
          ? ['layer norm over channels at each pixel, eps 1e-5']
          : []),
    ],
  });
}

/** Blocks of layer1, layer2, ... */
function countBlocks(tensors: readonly NamedShape[]): number[] {
  const blocks: number[] = [];
  for (const { name } of tensors) {
    const [, stage, block] = name.match(/^layer(\d+)\.(\d+)\.conv1\.weight$/) ?? [];
    if (stage && block)
      blocks[Number(stage) - 1] = Math.max(blocks[Number(stage) - 1] ?? 0, Number(block) + 1);
  }
  const gap = Array.from(blocks, (count) => count ?? 0).indexOf(0);
  if (gap >= 0) throw new FormatError(`recogniseModel: layer${gap + 1} is missing between its neighbours`);
  return blocks;
}
