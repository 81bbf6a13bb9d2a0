/** Which networks have a first layer that mixtures can share, and where it is cut off. */
import { describe, expect, it } from 'vitest';
import { leavesOf, type Node } from '../../../src/nn/graph.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import type { Model } from '../../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../../src/nn/models/resnet.ts';
import {
  add,
  batchNorm,
  buffer,
  flatten,
  linear,
  parameter,
  relu,
  scale,
} from '../../../src/nn/ops/index.ts';
import { splitFirstLayer } from '../../../src/rebasin/interpolation/shared-first-layer.ts';

const CHOICE = { samples: 100, networks: 2, numerics: 'f32' } as const;

const split = (model: Model, choice: Partial<Parameters<typeof splitFirstLayer>[1]> = {}) =>
  splitFirstLayer(model, { ...CHOICE, ...choice });

const weight = parameter('fc1.weight', [5, 6]);
const head = (x: Node) => linear(x, parameter('fc2.weight', [3, 5]));

/** A network of images [2, 3], three classes. */
const network = (forward: (images: Node) => Node): Model => ({
  ...{ name: 'custom', inputShape: [2, 3], classes: 3, assumptions: [] },
  forward,
});

const names = (outputs: readonly Node[], kind: 'input' | 'parameter') =>
  leavesOf(outputs, kind).map(({ attributes }) => attributes.name);

describe('splitFirstLayer', () => {
  it('cuts an MLP behind its first layer, and behind the ReLU that follows it', () => {
    for (const [options, followedByRelu] of [
      [{}, true],
      [{ bias: false }, true],
      [{ activation: 'tanh' }, false],
      [{ norm: 'layer' }, false],
      [{ norm: 'batch' }, false],
    ] as const) {
      const { first, relu, logits } = split(mlp({ widths: [6, 5, 4, 3], ...options }))!;
      expect(first.operation.name).toBe('linear');
      expect(first.shape).toEqual(['N', 5]);
      expect(relu).toBe(followedByRelu);
      expect(names([first], 'input')).toEqual(['images']);
      expect(names([logits], 'input')).toEqual(['first layer']);
      expect(names([logits], 'parameter')).not.toContain('fc1.weight');
      expect(logits.shape).toEqual(['N', 3]);
    }
  });

  it('cuts off a network that is one layer, and one whose images are flattened first', () => {
    const alone = split(mlp({ widths: [6, 3] }))!;
    expect([alone.relu, alone.logits.operation.name]).toEqual([false, 'input']);
    const flat = split(network((images) => head(relu(linear(flatten(images), weight)))))!;
    expect(flat.first.inputs[1]).toBe(weight);
  });

  it('keeps a ReLU whose input is read by something else as well', () => {
    const both = split(
      network((images) => {
        const x = linear(flatten(images), weight);
        return head(add(x, relu(x)));
      }),
    );
    expect(both?.relu).toBe(false);
  });

  it('leaves a network whole where something else reads the images, or the layer reads more than images and its own weights', () => {
    const running = { mean: buffer('mean', [6]), variance: buffer('variance', [6]) };
    const wholes: Record<string, Model> = {
      'convolution first': resnetOfDepth(8, { width: 0.25 }),
      'a path around the layer': network((images) => {
        const x = flatten(images);
        return add(head(relu(linear(x, weight))), linear(x, parameter('around.weight', [3, 6])));
      }),
      'a weight that is computed': network((images) => head(relu(linear(flatten(images), scale(weight, 2))))),
      'a norm before the layer': network((images) =>
        head(linear(batchNorm(flatten(images), running), weight)),
      ),
    };
    for (const [what, model] of Object.entries(wholes)) expect(split(model), what).toBeUndefined();
  });

  it('leaves it whole in numerics class f16, and where what is kept takes more than 256 MiB', () => {
    const model = mlp({ widths: [6, 512, 3] });
    expect(split(model, { numerics: 'f16' })).toBeUndefined();
    expect(split(model, { samples: 2 ** 16 })).toBeDefined();
    expect(split(model, { samples: 2 ** 16 + 1 })).toBeUndefined();
    expect(split(model, { samples: 2 ** 16, networks: 3 })).toBeUndefined();
  });
});
