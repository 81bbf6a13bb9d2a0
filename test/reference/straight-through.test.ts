/**
 * Straight-through matching on real MNIST, where weight matching leaves a barrier: three pairs of MLPs 784-32-32-10, trained here.
 *
 * Training images 0 .. 49,999 train the networks and move the free vector, 50,000 .. 59,999 choose the candidate; what is reported and
 * asserted is on the test images, which neither saw.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageDataset } from '../../src/io/dataset.ts';
import { loadImageFiles } from '../../src/io/image-files.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { forwardGraph, stateEntries } from '../../src/nn/models/model.ts';
import { fit } from '../../src/nn/train/fit.ts';
import { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import { equallySpaced } from '../../src/rebasin/interpolation/barrier.ts';
import { sweep } from '../../src/rebasin/interpolation/sweep.ts';
import { straightThroughMatching } from '../../src/rebasin/matching/straight-through.ts';
import { weightMatching } from '../../src/rebasin/matching/weight-matching.ts';
import { permuteValues } from '../../src/rebasin/spec/apply-permutation.ts';
import { derivePermutationSpec } from '../../src/rebasin/spec/permutation-spec.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../src/runtime/arena.ts';
import { useContext } from '../support/context.ts';

const folder = resolve(import.meta.dirname, '../../../shared/data/mnist');
const present = existsSync(folder);
if (!present) console.log('skipped: straight-through matching on ../shared/data/mnist, which is not there');

const MNIST = { mean: [0.1307], std: [0.3081] };

function slice(dataset: ImageDataset, from: number, to: number): ImageDataset {
  const { channels, height, width, images, labels } = dataset;
  const size = channels * height * width;
  return {
    ...dataset,
    count: to - from,
    images: images.subarray(size * from, size * to),
    labels: labels.subarray(from, to),
  };
}

describe.skipIf(!present)('straight-through matching of narrow MNIST MLPs', { timeout: 1_800_000 }, () => {
  const context = useContext();
  const model = mlp({ widths: [784, 32, 32, 10] });
  const spec = derivePermutationSpec([forwardGraph(model).logits]);

  async function upload() {
    const read = async (name: string) => readFileSync(`${folder}/${name}`);
    const train = await loadImageFiles(read, ['train-images-idx3-ubyte.gz']);
    const test = await loadImageFiles(read, ['t10k-images-idx3-ubyte.gz']);
    const gpu = (dataset: ImageDataset) => new GpuDataset(context(), dataset, MNIST);
    return {
      data: gpu(slice(train, 0, 50_000)),
      evaluation: gpu(slice(train, 50_000, 60_000)),
      test: gpu(test),
    };
  }

  async function line(a: HostTensors, b: HostTensors, test: GpuDataset) {
    const arenas = [a, b].map((values) => {
      const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
      arena.write(values);
      return arena;
    });
    const ends = { a: arenas[0]!, b: arenas[1]! };
    const curves = await sweep(context(), { model, ...ends, lambda: equallySpaced(11), data: { test } });
    for (const arena of arenas) arena.destroy();
    return { barrier: curves.test!.barrier.loss, halfWay: curves.test!.loss[5]! };
  }

  it.each([6, 7, 8])('pair %i: at least a tenth less loss half-way than weight matching', async (pair) => {
    const { data, evaluation, test } = await upload();
    const train = async (seed: number) => {
      const recipe = { model, data, optimizer: { type: 'adam' }, learningRate: 0.001, epochs: 2 } as const;
      return (await fit(context(), { ...recipe, batchSize: 128, seed })).state;
    };
    const [a, b] = [await train(2 * pair), await train(2 * pair + 1)];
    const matched = await weightMatching(context(), { spec, a, b });
    const weight = await line(a, permuteValues(spec, matched.permutations, b), test);
    const result = await straightThroughMatching(context(), {
      model,
      spec,
      a,
      b,
      data,
      evaluation,
      steps: 1200,
      batchSize: 500,
      learningRate: 0.005,
      candidateEvery: 1,
      seed: pair,
    });
    const straight = await line(a, permuteValues(spec, result.permutations, b), test);
    console.info(
      `pair ${pair}, test images: barrier ${weight.barrier.toFixed(4)} -> ${straight.barrier.toFixed(4)}, half-way ` +
        `${weight.halfWay.toFixed(4)} -> ${straight.halfWay.toFixed(4)} (${(straight.halfWay / weight.halfWay).toFixed(3)}); ` +
        `best of ${result.candidates.length} candidates at step ${result.best.step}, objective ` +
        `${matched.objective.after.toFixed(2)} -> ${result.objective.after.toFixed(2)}`,
    );
    for (const dataset of [data, evaluation, test]) dataset.destroy();
    expect(weight.barrier).toBeGreaterThan(0.1);
    expect(result.best.loss).toBeLessThanOrEqual(result.candidates[0]!.loss);
    expect(straight.halfWay).toBeLessThan(0.9 * weight.halfWay);
  });
});
