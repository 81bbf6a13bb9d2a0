/** Pruning on the GPU: scores against float64, and what holds of every pruned and corrected network. */
import { describe, expect, it } from 'vitest';
import { DataError, FormatError, OptionError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { parameterGradients } from '../../../src/nn/gradient.ts';
import type { Node } from '../../../src/nn/graph.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { resnet } from '../../../src/nn/models/resnet.ts';
import { crossEntropy, input, sum } from '../../../src/nn/ops/index.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { fisherDiagonal } from '../../../src/rebasin/pruning/fisher.ts';
import { squaredInputNorms } from '../../../src/rebasin/pruning/input-norms.ts';
import { prunableWeights } from '../../../src/rebasin/pruning/prunable-weights.ts';
import { pruneNetwork, pruningCurve } from '../../../src/rebasin/pruning/prune.ts';
import type { PruningMethod } from '../../../src/rebasin/pruning/pruning-method.ts';
import type { PruningOptions } from '../../../src/rebasin/pruning/pruning-options.ts';
import { zeroCount } from '../../../src/rebasin/pruning/ranking.ts';
import { SampleGradients } from '../../../src/rebasin/pruning/sample-gradients.ts';
import { inverseFisherDiagonal } from '../../../src/rebasin/pruning/woodfisher.ts';
import { uploadEndpoints } from '../../../src/rebasin/renormalise/endpoints.ts';
import { renormaliserFactory } from '../../../src/rebasin/renormalise/renormalisations.ts';
import { ActivationStatistics } from '../../../src/rebasin/statistics/activation-statistics.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { elementCount } from '../../../src/runtime/kernel.ts';
import { Scope } from '../../../src/runtime/scope.ts';
import { evaluateReference } from '../../reference/graph.ts';
import { digitsOn, plausibleValues, trainBarely } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

type Values = ReadonlyMap<string, Float32Array>;

// ---- scores against float64 --------------------------------------------------------------------------------------------------

const COUNT = 5;
const small = { inputShape: [3, 8, 8], classes: 5, channels: 4, blocks: [1, 1] } as const;
const RESIDUAL = resnet({ ...small, name: 'a small ResNet-BN', shortcut: 'conv1x1', norm: 'batch' });

/** Random images of 3x8x8, their pixels / 255 as a graph's input, and their labels. */
function smallImages() {
  const images = new Uint8Array(COUNT * 3 * 64);
  new RandomStream(7, 'images')
    .derive(0)
    .permutation(images.length)
    .forEach((x, i) => {
      images[i] = x % 256;
    });
  const labels = Uint8Array.from({ length: COUNT }, (_, i) => (2 * i) % 5);
  const dataset = {
    name: 'noise',
    count: COUNT,
    channels: 3,
    height: 8,
    width: 8,
    classes: 5,
    images,
    labels,
  };
  const pixels = (n: number) => Float32Array.from(images.subarray(n * 192, (n + 1) * 192), (x) => x / 255);
  return { dataset, pixels, labels };
}

/** The small residual network and images on the GPU; `of(nodes, n)` gives values for sample n in float64. */
function setUpSmall(scope: Scope) {
  const values = plausibleValues(RESIDUAL, 3);
  const { dataset, pixels, labels } = smallImages();
  const data = scope.own(new GpuDataset(context(), dataset));
  const state = scope.own(new Arena(context(), new ArenaLayout(stateEntries(RESIDUAL))));
  state.write(values);
  const weights = prunableWeights(RESIDUAL, 'all');
  const of = (nodes: readonly Node[], n: number) =>
    evaluateReference(
      nodes,
      new Map<string, ArrayLike<number>>([...values, ['images', pixels(n)], ['labels', [labels[n]!]]]),
      1,
    );
  const loss = sum(crossEntropy(forwardGraph(RESIDUAL).logits, input('labels', ['N'], 'u32')), 0);
  const gradients = parameterGradients(loss);
  const sampleGradients = (n: number) => {
    const found = of(
      weights.map(({ name }) => gradients.get(name)!),
      n,
    );
    return new Map(weights.map(({ name }, i) => [name, found[i]!]));
  };
  return { values, data, state, weights, of, sampleGradients };
}

/** Largest difference as a part of the largest value. */
function difference(found: Float64Array, wanted: Float64Array): number {
  expect(found.length).toBe(wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  return Math.max(...found.map((x, i) => Math.abs(x - wanted[i]!))) / largest;
}

describe('scores of a residual network with batch norm', () => {
  it('the Fisher information is the mean of squared gradients of single samples', async () => {
    const scope = new Scope();
    const { data, state, weights, sampleGradients } = setUpSmall(scope);
    const gradients = scope.own(new SampleGradients(context(), { model: RESIDUAL, state, weights, data }));
    const steps: number[] = [];
    const found = await fisherDiagonal(gradients, { samples: COUNT, onProgress: (done) => steps.push(done) });
    const all = Array.from({ length: COUNT }, (_, n) => sampleGradients(n));
    for (const { name } of weights) {
      const wanted = new Float64Array(found.get(name)!.length);
      for (const each of all) {
        for (const [i, g] of each.get(name)!.entries()) wanted[i]! += (g * g) / COUNT;
      }
      expect(difference(found.get(name)!, wanted), name).toBeLessThan(1e-4);
    }
    expect(steps).toEqual([1, 2, 3, 4, 5]);
    scope.destroy();
  });

  it('WoodFisher in blocks of one is the inverse of damping + F, in larger ones at most that', async () => {
    const scope = new Scope();
    const { data, state, weights } = setUpSmall(scope);
    const gradients = scope.own(new SampleGradients(context(), { model: RESIDUAL, state, weights, data }));
    const fisher = await fisherDiagonal(gradients, { samples: COUNT });
    const damping = 1e-3;
    const single = await inverseFisherDiagonal(gradients, { samples: COUNT, blockSize: 1, damping });
    const blocks = await inverseFisherDiagonal(gradients, { samples: COUNT, blockSize: 7, damping });
    for (const { name } of weights) {
      const inverse = fisher.get(name)!.map((f) => 1 / (f + damping));
      // The diagonal sums squares in float32 on the GPU.
      expect(difference(single.get(name)!, inverse), name).toBeLessThan(1e-5);
      // [F^-1]_ii >= 1 / F_ii of every positive definite F: a weight may cost less than alone, never more.
      expect(
        blocks.get(name)!.every((x, i) => x >= single.get(name)![i]! * (1 - 1e-9) && x <= 1 / damping),
      ).toBe(true);
      expect(blocks.get(name)!.some((x, i) => x > single.get(name)![i]! * 1.01)).toBe(true);
    }
    scope.destroy();
  });

  it('WANDA sees the patches of each convolution, strides and padding included', async () => {
    const scope = new Scope();
    const { data, state, weights, of } = setUpSmall(scope);
    const found = await squaredInputNorms(context(), {
      state,
      weights,
      data,
      samples: COUNT,
    });
    for (const { name, shape, layer } of weights) {
      const wanted = new Float64Array(found.get(name)!.length);
      const { node } = layer;
      for (let n = 0; n < COUNT; n++) {
        const [x] = of([node.inputs[0]!], n) as [Float64Array];
        if (shape.length === 2) {
          for (const [i, value] of x.entries()) wanted[i]! += value * value;
          continue;
        }
        const [, channels, kernelHeight, kernelWidth] = shape as [number, number, number, number];
        const side = Math.sqrt(x.length / channels);
        const [, , height, width] = node.shape as [unknown, number, number, number];
        const { stride, padding } = node.attributes;
        for (let i = 0; i < wanted.length; i++) {
          const [c, ky, kx] = [
            Math.floor(i / (kernelHeight * kernelWidth)),
            Math.floor(i / kernelWidth) % kernelHeight,
            i % kernelWidth,
          ];
          for (let oy = 0; oy < height; oy++) {
            for (let ox = 0; ox < width; ox++) {
              const [y, z] = [oy * stride[0] + ky - padding[0], ox * stride[1] + kx - padding[1]];
              const value = y >= 0 && y < side && z >= 0 && z < side ? x[(c * side + y) * side + z]! : 0;
              wanted[i]! += value * value;
            }
          }
        }
      }
      expect(difference(found.get(name)!, wanted), name).toBeLessThan(1e-5);
    }
    scope.destroy();
  });
});

// ---- what holds of pruned networks -----------------------------------------------------------------------------------------------

const MLP = parseModel('mlp:784-24-20-10');
const BATCH_NORM = parseModel('resnet8:width=0.25:input=1x28x28');
const LAYER_NORM = parseModel('resnet8:width=0.25:norm=layer:input=1x28x28');

async function prune(model: Model, values: Values, options: Partial<PruningOptions> & { sparsity?: number }) {
  const statistics = digitsOn(context(), 40);
  try {
    return await pruneNetwork(context(), { model, values, statistics, renormalise: 'none', ...options });
  } finally {
    statistics.destroy();
  }
}

const removed = (values: Values, model: Model) =>
  prunableWeights(model, 'without-shortcuts').flatMap(({ name }) =>
    [...values.get(name)!].map((x) => x === 0),
  );

describe('every method', () => {
  it.each(['magnitude', 'magnitude-per-layer', 'random', 'fisher', 'woodfisher', 'wanda'] as const)(
    '%s: exact counts, nested, what stays is untouched, the same twice',
    async (method) => {
      const values = plausibleValues(MLP, 1);
      const options = { method, samples: 20 };
      const low = await prune(MLP, values, { ...options, sparsity: 0.3 });
      const high = await prune(MLP, values, { ...options, sparsity: 0.77 });
      const groups = {
        'magnitude-per-layer': [784 * 24, 24 * 20, 200],
        wanda: [...Array(24).fill(784), ...Array(20).fill(24), ...Array(10).fill(20)],
      };
      const counted: number[] =
        method in groups ? groups[method as keyof typeof groups] : [784 * 24 + 24 * 20 + 200];
      for (const { network, sparsity } of [
        { network: low, sparsity: 0.3 },
        { network: high, sparsity: 0.77 },
      ]) {
        expect(network.zeros).toBe(counted.reduce((sum, size) => sum + zeroCount(sparsity, size), 0));
        expect(network.achieved).toBe(network.zeros / (784 * 24 + 24 * 20 + 200));
        for (const [name, found] of network.values) {
          expect(
            found.every((x, i) => x === values.get(name)![i] || (x === 0 && name.endsWith('.weight'))),
          ).toBe(true);
        }
      }
      const [few, many] = [removed(low.values, MLP), removed(high.values, MLP)];
      expect(few.every((gone, i) => !gone || many[i])).toBe(true);
      expect((await prune(MLP, values, { ...options, sparsity: 0.3 })).values).toEqual(low.values);
    },
  );

  it('judges differently', async () => {
    const values = plausibleValues(MLP, 1);
    const found = new Set<string>();
    const methods = [
      'magnitude',
      'magnitude-per-layer',
      'random',
      'fisher',
      'woodfisher',
      'wanda',
      'channel',
    ] as const;
    for (const method of methods) {
      const network = await prune(MLP, values, { method, samples: 20, sparsity: 0.5 });
      found.add(removed(network.values, MLP).map(Number).join(''));
    }
    expect(found.size).toBe(methods.length);
    const seeds = await Promise.all(
      [1, 2].map((seed) => prune(MLP, values, { method: 'random', seed, sparsity: 0.5 })),
    );
    expect(seeds[0]!.values).not.toEqual(seeds[1]!.values);
  });

  it('2:4 leaves half of every four neighbours', async () => {
    const { sparsity, zeros, values } = await prune(BATCH_NORM, plausibleValues(BATCH_NORM, 1), {
      method: '2:4',
    });
    expect(sparsity).toBe(0.5);
    let judged = 0;
    for (const { name, shape } of prunableWeights(BATCH_NORM, 'without-shortcuts')) {
      const weight = values.get(name)!;
      const inner = elementCount(shape.slice(2));
      const [outputs, inputs] = shape as [number, number];
      for (let output = 0; output < outputs; output++) {
        for (let first = 0; first + 4 <= inputs; first += 4) {
          for (let k = 0; k < inner; k++) {
            const four = [0, 1, 2, 3].map((i) => weight[(output * inputs + first + i) * inner + k]!);
            expect(four.filter((x) => x === 0)).toHaveLength(2);
            judged += 2;
          }
        }
      }
    }
    expect(zeros).toBe(judged);
  });

  it('takes what is 0 already first, and counts it', async () => {
    const values = plausibleValues(MLP, 1);
    values.get('fc1.weight')!.fill(0, 0, 784 * 18);
    const total = 784 * 24 + 24 * 20 + 200;
    for (const method of ['random', 'wanda'] as const) {
      const some = await prune(MLP, values, { method, sparsity: 0.5 });
      expect(some.zeros, method).toBeGreaterThanOrEqual(784 * 18);
    }
    const more = await prune(MLP, values, { method: 'random', sparsity: 0.9 });
    expect(more.zeros).toBe(zeroCount(0.9, total));
    // More zeros than asked for: nothing else goes.
    const fewer = await prune(MLP, values, { method: 'magnitude', sparsity: 0.1 });
    expect(fewer.zeros).toBe(784 * 18);
    expect(fewer.values).toEqual(values);
  });
});

describe('channels', () => {
  it.each([
    ['an MLP', 'mlp:784-24-20-10', 'mlp:784-12-10-10', 'none'],
    ['a residual network', 'resnet8:width=0.5:input=1x28x28', 'resnet8:width=0.25:input=1x28x28', 'reset'],
    ['units that give log 2 for nothing', 'mlp:784-24-20-10:softplus', 'mlp:784-12-10-10:softplus', 'none'],
  ] as const)('of %s: what is left is the smaller network', async (_, name, smallName, renormalise) => {
    const values = plausibleValues(parseModel(name), 2);
    const pruned = await prune(parseModel(name), values, { method: 'channel', sparsity: 0.5, renormalise });
    const smaller = withoutDeadUnits(pruned.model, pruned.values);
    const images = digitsOn(context(), 12, 'test');
    const whole = await logitsOf(pruned.model, pruned.values, images);
    const part = await logitsOf(parseModel(smallName), smaller, images);
    images.destroy();
    const largest = Math.max(...whole.map(Math.abs));
    expect(largest).toBeGreaterThan(0.01);
    expect(Math.max(...whole.map((x, i) => Math.abs(x - part[i]!)))).toBeLessThan(1e-5 * largest);
  });

  it('are silent wherever they are, with padded shortcuts and after a correction', async () => {
    for (const [name, renormalise] of [
      ['resnet8:width=0.25:shortcut=pad:input=1x28x28', 'reset'],
      ['resnet8:width=0.25:norm=layer:input=1x28x28', 'repair'],
    ] as const) {
      const model = parseModel(name);
      const pruned = await prune(model, plausibleValues(model, 2), {
        ...{ method: 'channel' as const, sparsity: 0.5, renormalise },
      });
      const taps = await measure(pruned.model, pruned.values, 'normalised');
      for (const { name: module, scale } of taps) {
        const dead = [...pruned.values.get(`${module}.weight`)!].map((x) => x === 0);
        expect(dead.filter(Boolean).length, module).toBe(dead.length / 2);
        expect(
          [...scale].map((x) => x === 0),
          module,
        ).toEqual(dead);
      }
    }
  });
});

/** Every tensor without the rows of units that nothing goes into, and the columns of those that nothing reads. */
function withoutDeadUnits(model: Model, values: Values): Map<string, Float32Array> {
  const shapes = new Map(stateEntries(model).map(({ name, shape }) => [name, shape]));
  const lives = (name: string, axis: number, index: number) => {
    const shape = shapes.get(name)!;
    const inner = elementCount(shape.slice(axis + 1));
    return values.get(name)!.some((x, i) => Math.floor(i / inner) % shape[axis]! === index && x !== 0);
  };
  return new Map(
    [...values].map(([name, value]) => {
      const weight = name.replace(/\.[^.]*$/, '.weight');
      const shape = shapes.get(name)!;
      const kept = shape.map((size, axis) =>
        Array.from(
          { length: size },
          (_, index) => axis > 1 || lives(axis === 0 ? weight : name, axis, index),
        ),
      );
      const isKept = (i: number) =>
        shape.every((size, axis) => kept[axis]![Math.floor(i / elementCount(shape.slice(axis + 1))) % size]);
      return [name, value.filter((_, i) => isKept(i))];
    }),
  );
}

async function logitsOf(model: Model, values: Values, images: GpuDataset): Promise<Float32Array> {
  const scope = new Scope();
  try {
    const arena = scope.own(new Arena(context(), new ArenaLayout(stateEntries(model))));
    arena.write(values);
    return await scope.own(new Evaluator(context(), model, [arena], images)).logits();
  } finally {
    scope.destroy();
  }
}

/** Statistics over the images that corrections measure on. */
async function measure(model: Model, values: Values, kind: 'weighted' | 'normalised') {
  const scope = new Scope();
  try {
    const arena = scope.own(new Arena(context(), new ArenaLayout(stateEntries(model))));
    arena.write(values);
    const statistics = new ActivationStatistics(context(), {
      ...{ model, arenas: [arena], wanted: (tap: { kind: string }) => tap.kind === kind },
    });
    return await scope.own(statistics).measure(scope.own(digitsOn(context(), 40)));
  } finally {
    scope.destroy();
  }
}

describe('corrections', () => {
  it.each([
    ['an MLP', MLP, 'repair'],
    ['an MLP', MLP, 'rescale'],
    ['layer norm', LAYER_NORM, 'repair'],
  ] as const)(
    'of %s: the statistics are those of the dense network, within 1 %%',
    async (_, model, renormalise) => {
      const values = plausibleValues(model, 3);
      const options = { sparsity: 0.8, renormalisation: { batchSize: 'all' } } as const;
      const raw = await prune(model, values, options);
      const corrected = await prune(model, values, { ...options, renormalise });
      const dense = await measure(model, values, 'weighted');
      const before = await measure(raw.model, raw.values, 'weighted');
      const after = await measure(corrected.model, corrected.values, 'weighted');
      let moved = 0;
      for (const [layer, { name, mean, variance }] of dense.slice(0, -1).entries()) {
        const deviation = (tap: typeof dense, c: number) => Math.sqrt(tap[layer]!.variance[c]!);
        for (const [c, v] of variance.entries()) {
          const wanted = Math.sqrt(v);
          expect(Math.abs(deviation(after, c) - wanted), `${name} ${c}`).toBeLessThan(0.01 * wanted);
          if (Math.abs(deviation(before, c) - wanted) > 0.1 * wanted) moved++;
          if (renormalise === 'rescale') continue;
          expect(Math.abs(after[layer]!.mean[c]! - mean[c]!), `${name} ${c}`).toBeLessThan(
            0.01 * (wanted + Math.abs(mean[c]!)),
          );
        }
      }
      expect(moved).toBeGreaterThan(20);
    },
  );

  it('of batch norm: running statistics are those of the pruned network', async () => {
    const values = plausibleValues(BATCH_NORM, 3);
    const { values: found, model } = await prune(BATCH_NORM, values, {
      ...{ sparsity: 0.8, renormalise: 'reset', renormalisation: { batchSize: 'all' as const } },
    });
    const [stem] = await measure(model, found, 'weighted');
    found.get('bn1.running_mean')!.forEach((mean, c) => {
      expect(Math.abs(mean - stem!.mean[c]!)).toBeLessThan(1e-5 * (1 + Math.abs(mean)));
    });
    expect(found.get('linear.bias')).toEqual(values.get('linear.bias'));
  });

  it.each([
    ['repair', 'an MLP', MLP],
    ['repair', 'layer norm', LAYER_NORM],
    ['rescale', 'an MLP', MLP],
    ['rescale-mean', 'an MLP', MLP],
    ['rescale-average', 'an MLP', MLP],
    ['reshift', 'an MLP', MLP],
  ] as const)(
    'folding %s into %s keeps zeros zero by itself, and makes no others',
    async (renormalise, _, model) => {
      const values = plausibleValues(model, 4);
      const { values: masked } = await prune(model, values, { sparsity: 0.9 });
      const scope = new Scope();
      const data = scope.own(digitsOn(context(), 40));
      const both = scope.own(
        uploadEndpoints(context(), { model, networks: [values, masked], renormalise, data }),
      );
      const [dense, pruned] = both.arenas as [Arena, Arena];
      // The dense network alone is the goal.
      const factory = renormaliserFactory(context(), renormalise, {
        model: both.model,
        endpoints: [dense],
        data,
      });
      const before = await pruned.read();
      await scope.own(factory!(pruned)).correct([1]);
      const corrected = await pruned.read();
      scope.destroy();
      for (const { name } of prunableWeights(model, 'all')) {
        const zeros = (weight: Float32Array) => [...weight].map((x) => x === 0);
        expect(zeros(corrected.get(name)!), name).toEqual(zeros(masked.get(name)!));
      }
      expect(corrected).not.toEqual(before);
    },
  );

  it('at sparsity 0 a pruned network is the dense one, at 1 it says nothing of its images', async () => {
    const values = plausibleValues(MLP, 4);
    const nothing = await prune(MLP, values, { sparsity: 0, renormalise: 'none' });
    expect([nothing.zeros, nothing.achieved]).toEqual([0, 0]);
    expect(nothing.values).toEqual(values);
    const all = await prune(MLP, values, { sparsity: 1, renormalise: 'repair' });
    expect(all.achieved).toBe(1);
    const images = digitsOn(context(), 3);
    const logits = await logitsOf(all.model, all.values, images);
    images.destroy();
    expect(logits.every(Number.isFinite)).toBe(true);
    expect(logits.slice(0, 10)).toEqual(logits.slice(10, 20));
  });
});

describe('a curve', () => {
  it('has the scores of each network by itself, and hands every network over', async () => {
    const values = await trainBarely(context(), MLP, 1);
    const statistics = digitsOn(context(), 60);
    const images = digitsOn(context(), 50, 'test');
    const sparsities = [0.9, 0.5, 1];
    const networks: { sparsity: number; values: Values; model: Model }[] = [];
    const steps: string[] = [];
    const common = { model: MLP, values, statistics, method: 'fisher', samples: 10 } as const;
    const found = await pruningCurve(context(), {
      ...{ ...common, sparsities, images },
      onNetwork: (network) => void networks.push(network),
      onProgress: ({ stage, done, total }) => steps.push(`${stage} ${done}/${total}`),
    });
    expect(found).toMatchObject({
      method: 'fisher',
      scope: 'without-shortcuts',
      renormalise: 'rescale',
      weights: 784 * 24 + 480 + 200,
    });
    expect(found.curve.map(({ sparsity }) => sparsity)).toEqual(sparsities);
    const score = async (model: Model, network: Values) => {
      const scope = new Scope();
      const arena = scope.own(new Arena(context(), new ArenaLayout(stateEntries(model))));
      arena.write(network);
      const evaluation = await scope.own(new Evaluator(context(), model, [arena], images)).evaluate();
      scope.destroy();
      return evaluation;
    };
    expect(found.dense).toEqual(await score(MLP, values));
    for (const [index, point] of found.curve.entries()) {
      const alone = await pruneNetwork(context(), {
        ...common,
        sparsity: point.sparsity,
        renormalise: 'none',
      });
      expect(point.pruned).toEqual(await score(MLP, alone.values));
      const network = networks[index]!;
      expect(point.renormalised).toEqual(await score(network.model, network.values));
      const corrected = await pruneNetwork(context(), { ...common, sparsity: point.sparsity });
      expect(network.values).toEqual(corrected.values);
      expect(point.zeros).toBe(corrected.zeros);
    }
    expect(steps).toContain('judge 10/10');
    expect(steps.at(-1)).toBe('prune 7/7');
    const raw = await pruningCurve(context(), { ...common, sparsities: [0.5], images, renormalise: 'none' });
    expect(raw.curve[0]).toEqual({
      sparsity: 0.5,
      achieved: 0.5,
      zeros: found.curve[1]!.zeros,
      pruned: found.curve[1]!.pruned,
    });
    statistics.destroy();
    images.destroy();
  });

  it.each(['fisher', 'woodfisher', 'wanda', 'magnitude'] as const)('stops when asked: %s', async (method) => {
    const images = digitsOn(context(), 20);
    const controller = new AbortController();
    const run = pruningCurve(context(), {
      ...{
        model: MLP,
        values: plausibleValues(MLP, 1),
        statistics: images,
        images,
        method,
        sparsities: [0.5, 0.6],
      },
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toThrow(/abort/i);
    images.destroy();
  });
});

describe('what is refused', () => {
  const values = () => plausibleValues(MLP, 1);

  it.each([
    [
      'values that are not finite, by name',
      () => values().set('fc2.weight', new Float32Array(480).fill(Number.NaN)),
      DataError,
      /fc2\.weight.*got NaN at index 0/,
    ],
    [
      'values that are missing, by name',
      () => new Map([...values()].slice(1)),
      FormatError,
      /"fc1\.weight" of shape \[24,784\] needs 18816 values, got none/,
    ],
  ] as const)('%s', async (_, made, type, message) => {
    const run = prune(MLP, made(), { sparsity: 0.5 });
    await expect(run).rejects.toThrow(type);
    await expect(prune(MLP, made(), { sparsity: 0.5 })).rejects.toThrow(message);
  });

  it('more samples than there are images', async () => {
    const method: PruningMethod = 'fisher';
    const run = prune(MLP, values(), { method, samples: 41, sparsity: 0.5 });
    await expect(run).rejects.toThrow(OptionError);
    await expect(prune(MLP, values(), { method, samples: 41, sparsity: 0.5 })).rejects.toThrow(
      /41 samples were asked for, there are 40 images/,
    );
  });
});
