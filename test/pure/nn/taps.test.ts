/** Taps and rewrites on real networks: names, order, and which groups lie on which taps. */
import { describe, expect, it } from 'vitest';
import { topologicalOrder } from '../../../src/nn/graph.ts';
import { forwardGraph } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { relu, tanh } from '../../../src/nn/ops/index.ts';
import { rewrite } from '../../../src/nn/rewrite.ts';
import { findTaps } from '../../../src/nn/taps.ts';
import { deriveActivationPlaces } from '../../../src/rebasin/spec/permutation-spec.ts';

const graphOf = (name: string) => forwardGraph(parseModel(name)).logits;
const tapsOf = (name: string) => findTaps([graphOf(name)]).map(({ kind, name: tap }) => `${kind} ${tap}`);

describe('findTaps', () => {
  it('finds layers and activations of an MLP', () => {
    expect(tapsOf('mlp:6-5-4-3')).toEqual([
      'weighted fc1',
      'activation fc1',
      'weighted fc2',
      'activation fc2',
      'weighted fc3',
    ]);
  });

  it.each(['batch', 'layer'])('names the parts of a residual block with %s norm', (norm) => {
    const taps = tapsOf(`resnet8:norm=${norm}`);
    expect(taps.slice(0, 9)).toEqual([
      'weighted conv1',
      'normalised bn1',
      'activation bn1',
      'weighted layer1.0.conv1',
      'normalised layer1.0.bn1',
      'activation layer1.0.bn1',
      'weighted layer1.0.conv2',
      'normalised layer1.0.bn2',
      'activation layer1.0.bn2',
    ]);
    expect(taps).toContain('weighted layer2.0.shortcut.0');
    expect(new Set(taps).size).toBe(taps.length);
  });

  it('names norms alike in training, where their statistics come from the layer before', () => {
    const { logits } = forwardGraph(parseModel('mlp:6-5-4-3:norm=batch'), { training: true });
    const norms = findTaps([logits]).filter(({ kind }) => kind === 'normalised');
    expect(norms.map(({ name }) => name)).toEqual(['bn1', 'bn2']);
  });

  it('needs no norm to name a block', () => {
    expect(tapsOf('resnet8:norm=none')).toContain('activation layer1.0.conv2');
  });
});

describe('deriveActivationPlaces', () => {
  const activations = (name: string) => {
    const logits = graphOf(name);
    const taps = findTaps([logits]).filter(({ kind }) => kind === 'activation');
    return new Map(
      [...deriveActivationPlaces([logits], taps)].map(([group, places]) => [
        group,
        places.map(({ tap, place }) => `${tap.name}@${place.blocks.map(({ start }) => start).join()}`),
      ]),
    );
  };

  it('gives a residual stream all of its tensors, the stem too', () => {
    const places = activations('resnet20');
    expect(places.get('conv1')).toEqual(['bn1@0', 'layer1.0.bn2@0', 'layer1.1.bn2@0', 'layer1.2.bn2@0']);
    expect(places.get('layer1.0.conv1')).toEqual(['layer1.0.bn1@0']);
    expect(places.get('layer2.0.conv2')).toEqual(['layer2.0.bn2@0', 'layer2.1.bn2@0', 'layer2.2.bn2@0']);
  });

  it('knows that with option A the first 16 channels lie in the middle of the later streams', () => {
    const first = activations('resnet20:shortcut=pad').get('conv1')!;
    expect(first).toHaveLength(4 + 3 + 3);
    expect(first.filter((place) => place.endsWith('@8'))).toHaveLength(3);
    expect(first.filter((place) => place.endsWith('@24'))).toHaveLength(3);
  });

  it('leaves flattened values out, the image before has them', () => {
    const places = activations('vgg11');
    expect([...places.values()].every((taps) => taps.length === 1)).toBe(true);
    expect(places.size).toBe(8);
  });
});

describe('rewrite', () => {
  it('replaces nodes and keeps what does not depend on them', () => {
    const logits = graphOf('mlp:6-5-4-3');
    const outputs = rewrite([logits], (node, original) =>
      original.operation.name === 'relu' ? tanh(node.inputs[0]!) : node,
    );
    const names = topologicalOrder(outputs).map(({ operation }) => operation.name);
    expect(names).not.toContain('relu');
    expect(names.filter((name) => name === 'tanh')).toHaveLength(2);
    expect(rewrite([logits], (node) => node)[0]).toBe(logits);
  });

  it('hands over rewritten inputs, so that insertions stack', () => {
    const logits = graphOf('mlp:6-5-4-3');
    const outputs = rewrite([logits], (node, original) =>
      original.operation.name === 'linear' ? relu(node) : node,
    );
    const count = topologicalOrder(outputs).filter(({ operation }) => operation.name === 'relu').length;
    expect(count).toBe(5);
  });
});
