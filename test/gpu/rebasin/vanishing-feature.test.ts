/** The vanishing-feature measure, against float64 over activations that were read back. */
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../../../src/base/errors.ts';
import { digits } from '../../../src/io/digits.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../../src/nn/models/resnet.ts';
import { compile } from '../../../src/nn/program.ts';
import { findTaps } from '../../../src/nn/taps.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { FeatureDistances } from '../../../src/rebasin/statistics/vanishing-feature.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { elementCount } from '../../../src/runtime/kernel.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const COUNT = 23;

function setUp(model: Model, images = digits({ count: COUNT, seed: 2, split: 'test' })) {
  const values = initialiseParameters(stateEntries(model), 5, 'kaiming');
  const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
  arena.write(values);
  const data = new GpuDataset(context(), images); // black is 0
  const measure = async (batchSize: number) => {
    const distances = new FeatureDistances(context(), { model, arenas: [arena], batchSize });
    try {
      return await distances.measure(data);
    } finally {
      distances.destroy();
    }
  };
  const destroy = () => {
    arena.destroy();
    data.destroy();
  };
  return { values, arena, data, measure, destroy };
}

/** m_l of each tap in float64, from the taps' float32 values for the images and for zeros. */
async function reference(model: Model, arena: Arena, data: GpuDataset): Promise<number[]> {
  const taps = findTaps([forwardGraph(model).logits]);
  const outputs = Object.fromEntries(taps.map(({ node }, index) => [`${index}`, node]));
  const program = compile(context(), { outputs, arenas: [arena], batchSize: COUNT });
  const read = async () => {
    program.run();
    const all: Float32Array[] = [];
    for (const index of taps.keys()) all.push(await context().read(program.output(`${index}`)));
    return all;
  };
  data.fillImages(program, data.inOrder, 0, COUNT);
  const moved = await read();
  context().write(program.input('images'), new Float32Array(COUNT * elementCount(model.inputShape)));
  const still = await read();
  program.destroy();
  return taps.map((_, index) => {
    const size = moved[index]!.length / COUNT;
    let total = 0;
    for (let n = 0; n < COUNT; n++) {
      let squares = 0;
      for (let i = n * size; i < (n + 1) * size; i++) squares += (moved[index]![i]! - still[index]![i]!) ** 2;
      total += Math.sqrt(squares / size);
    }
    return total / COUNT;
  });
}

describe('FeatureDistances', () => {
  it.each([
    ['an MLP', mlp({ widths: [784, 20, 13, 10] })],
    ['a residual network', resnetOfDepth(8, { width: 0.5, input: [1, 28, 28] })],
  ])('of %s are those in float64, and the same bits for every batch size', async (_, model) => {
    const { arena, data, measure, destroy } = setUp(model);
    const [parts, whole] = [await measure(9), await measure(64)];
    expect(parts).toEqual(whole);
    const expected = await reference(model, arena, data);
    const taps = findTaps([forwardGraph(model).logits]);
    expect(whole.map(({ kind, name }) => [kind, name])).toEqual(taps.map(({ kind, name }) => [kind, name]));
    for (const [index, { distance }] of whole.entries()) {
      const size = elementCount(taps[index]!.node.shape.slice(1) as number[]);
      // A sum of rounded squares of rounded differences, (3 + 256 + size / 256) u at most; its root half of that.
      const relative = ((259 + size / 256) / 2) * 2 ** -24;
      expect(Math.abs(distance / expected[index]! - 1)).toBeLessThanOrEqual(relative);
    }
    destroy();
  });

  it('are exactly 0 for an input of zeros, and where a layer hears nothing of its input', async () => {
    const model = mlp({ widths: [784, 20, 10] });
    const black = { ...digits({ count: 3, seed: 2, split: 'test' }), images: new Uint8Array(3 * 784) };
    const dark = setUp(model, black);
    expect((await dark.measure(2)).map(({ distance }) => distance)).toEqual([0, 0, 0]);
    dark.destroy();

    const { values, arena, measure, destroy } = setUp(model);
    values.get('fc2.weight')!.fill(0);
    arena.write(values);
    const [layer, activation, logits] = await measure(64);
    expect(logits!.distance).toBe(0);
    expect(Math.min(layer!.distance, activation!.distance)).toBeGreaterThan(0.01);
    destroy();
  });

  it('do not see the bias of the first layer, and name a layer that is not finite', async () => {
    const { values, arena, measure, destroy } = setUp(mlp({ widths: [784, 20, 10] }));
    const [before] = await measure(64);
    values.get('fc1.bias')!.fill(3);
    arena.write(values);
    // Adding 3 rounds values below 8 by up to 2^-22, so differences by 2^-21; beside that, both are sums as above.
    const difference = Math.abs((await measure(64))[0]!.distance - before!.distance);
    expect(difference).toBeLessThanOrEqual(2 ** -21 + 263 * 2 ** -24 * before!.distance);
    values.get('fc2.bias')![4] = Number.POSITIVE_INFINITY;
    arena.write(values);
    await expect(measure(64)).rejects.toThrow(DataError);
    await expect(measure(64)).rejects.toThrow(/weighted "fc2" is not finite/);
    const nothing = { model: mlp({ widths: [784, 20, 10] }), arenas: [arena], wanted: () => false };
    expect(() => new FeatureDistances(context(), nothing)).toThrow(OptionError);
    destroy();
  });
});
