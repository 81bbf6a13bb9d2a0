/** Specs derived for the convolutional models, against those that ALGORITHMS of the papers list by hand. */
import { describe, expect, it } from 'vitest';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { recogniseModel } from '../../../src/nn/models/recognise.ts';
import { resnet } from '../../../src/nn/models/resnet.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';

function groupsOf(model: Model) {
  const spec = derivePermutationSpec([forwardGraph(model).logits]);
  expect(spec.quadratic).toEqual([]);
  return spec.groups;
}

const sizes = (model: Model) => groupsOf(model).map(({ size }) => size);
const count = (list: readonly number[], size: number) => list.filter((x) => x === size).length;

describe('derivePermutationSpec', () => {
  it('gives VGG16 13 groups, and 15 with two hidden linear layers', () => {
    expect(sizes(parseModel('vgg16'))).toEqual([
      64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512,
    ]);
    expect(sizes(parseModel('vgg16:norm=layer:classifier=mlp'))).toHaveLength(15);
    expect(sizes(parseModel('vgg11:norm=batch'))).toHaveLength(8);
  });

  it.each(['conv3x3', 'conv1x1'])(
    'gives ResNet20 with %s shortcuts 12 groups: three streams and nine interiors',
    (shortcut) => {
      const groups = groupsOf(parseModel(`resnet20:shortcut=${shortcut}`));
      expect(groups).toHaveLength(12);
      const stream = groups[0]!;
      expect([stream.name, stream.size]).toEqual(['conv1', 16]);
      const tensors = stream.places.map(({ tensor }) => tensor);
      // Everything that writes into the first stream, and everything that reads it.
      for (const tensor of ['conv1.weight', 'bn1.running_var', 'layer1.2.conv2.weight', 'layer1.1.bn2.bias'])
        expect(tensors).toContain(tensor);
      for (const tensor of ['layer1.0.conv1.weight', 'layer2.0.conv1.weight', 'layer2.0.shortcut.0.weight'])
        expect(tensors).toContain(tensor);
      expect(tensors).not.toContain('layer2.0.conv2.weight');
    },
  );

  it('gives ResNet20 with option A 16 channels through all streams, 16 from the second, 32 from the third, and nine interiors', () => {
    const groups = groupsOf(parseModel('resnet20:shortcut=pad'));
    expect(groups).toHaveLength(12);
    const streams = groups.filter(({ places }) =>
      places.some(({ tensor }) => /layer\d\.\d\.bn2\.weight/.test(tensor)),
    );
    expect(streams.map(({ size }) => size)).toEqual([16, 16, 32]);
    const stages = streams.map(
      ({ places }) =>
        new Set(places.map(({ tensor }) => tensor.slice(0, 6)).filter((t) => t.startsWith('layer'))),
    );
    expect(stages.map((set) => [...set].sort().filter((s) => s !== 'layer1' || true))).toEqual([
      ['layer1', 'layer2', 'layer3'],
      ['layer2', 'layer3'],
      ['layer3'],
    ]);
  });

  it('gives ResNet50 37 groups', () => {
    const model = parseModel('resnet50');
    const list = sizes(model);
    expect(list).toHaveLength(37);
    expect([count(list, 64), count(list, 256 * 4 * 2)]).toEqual([1 + 6, 1]);
  });

  it('gives ResNet18 12 groups and leaves names to the checkpoint', () => {
    expect(sizes(parseModel('resnet18'))).toHaveLength(12);
    expect(sizes(parseModel('resnet20:norm=none'))).toHaveLength(12);
    expect(sizes(parseModel('resnet20:norm=layer'))).toHaveLength(12);
  });
});

describe('recogniseModel', () => {
  const names = [
    'vgg11',
    'vgg16:norm=batch',
    'vgg13:norm=layer:classifier=mlp',
    'vgg19:classes=100',
    'resnet20',
    'resnet20:shortcut=pad',
    'resnet32:shortcut=conv3x3:norm=layer',
    'resnet20:width=2:classes=100',
    'resnet18',
    'resnet50',
    'resnet8:width=0.5:input=1x28x28',
  ];
  it.each(names)('recognises %s from names and shapes', (name) => {
    const model = parseModel(name);
    const recognised = recogniseModel(stateEntries(model).map(({ name, shape }) => ({ name, shape })));
    expect(recognised.name).toBe(name);
    expect(recognised.assumptions.length).toBeGreaterThan(0);
    expect(stateEntries(recognised)).toEqual(stateEntries(model));
  });

  it('recognises torchvision names with a 7x7 stem', () => {
    const model = resnet({
      name: 'resnet18:classes=1000',
      inputShape: [3, 224, 224],
      channels: 64,
      blocks: [2, 2, 2, 2],
      stemKernelSize: 7,
      shortcut: 'conv1x1',
      norm: 'batch',
      classes: 1000,
      shortcutName: 'downsample',
      headName: 'fc',
    });
    const recognised = recogniseModel(stateEntries(model).map(({ name, shape }) => ({ name, shape })));
    expect(recognised).toMatchObject({ name: 'resnet18:classes=1000', inputShape: [3, 224, 224] });
  });

  it('infers pools from gaps and a flatten of more than one pixel from the classifier', () => {
    const recognised = recogniseModel([
      { name: 'features.0.weight', shape: [8, 3, 3, 3] },
      { name: 'features.0.bias', shape: [8] },
      { name: 'features.3.weight', shape: [16, 8, 3, 3] },
      { name: 'features.3.bias', shape: [16] },
      { name: 'classifier.1.weight', shape: [10, 16 * 8 * 8] },
      { name: 'classifier.1.bias', shape: [10] },
    ]);
    // 32 -> pool (gap) -> 16 -> a pool at the end, since 32x32 images then give 8x8.
    expect(recognised.inputShape).toEqual([3, 32, 32]);
    expect(groupsOf(recognised).map(({ size }) => size)).toEqual([8, 16]);
  });

  it('names the tensor that a residual network lacks, or has too many', () => {
    const entries = stateEntries(parseModel('resnet20')).map(({ name, shape }) => ({ name, shape }));
    const without = entries.filter(({ name }) => name !== 'layer2.1.bn1.bias');
    expect(() => recogniseModel(without)).toThrow(/"layer2\.1\.bn1\.bias" \[32\] is missing/);
    expect(() => recogniseModel([...entries, { name: 'extra.weight', shape: [3, 3] }])).toThrow(
      /no tensor "extra\.weight"/,
    );
    expect(() => recogniseModel(entries, 'mlp:tanh')).toThrow(/is a mlp.*looks like a resnet/);
  });
});
