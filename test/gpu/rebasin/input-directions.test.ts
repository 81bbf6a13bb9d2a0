/** Where inputs point: against float64 over unfolded patches of inputs that were read back. */
import { describe, expect, it } from 'vitest';
import { DataError, ShapeError } from '../../../src/base/errors.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import type { Model } from '../../../src/nn/models/model.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { averagePool, conv2d, flatten, linear, parameter, relu } from '../../../src/nn/ops/index.ts';
import { compile } from '../../../src/nn/program.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { type InputDirections, inputDirections } from '../../../src/rebasin/analysis/input-directions.ts';
import { type LayerMatrix, layerMatrices } from '../../../src/rebasin/analysis/layer-matrices.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { plausibleValues } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';
import { normals } from '../../support/numbers.ts';

const context = useContext();

/** Strides, padding, an even kernel that is not square, groups, and a layer behind a flatten. */
const convolutional: Model = {
  name: 'test',
  inputShape: [2, 7, 9],
  classes: 3,
  assumptions: [],
  forward(images) {
    const weight = (name: string, ...shape: number[]) => parameter(`${name}.weight`, shape);
    let x = relu(conv2d(images, weight('c1', 6, 2, 3, 3), undefined, { padding: 1 }));
    x = relu(conv2d(x, weight('g', 6, 3, 1, 1), undefined, { groups: 2 }));
    x = relu(conv2d(x, weight('c2', 5, 6, 2, 3), undefined, { stride: [2, 1], padding: [0, 1] }));
    x = averagePool(x, 3);
    return linear(flatten(x), weight('head', 3, 15));
  },
};

const COUNT = 23;

function imagesOf([channels = 1, height = 1, width = 1]: readonly number[], blank: readonly number[] = []) {
  const features = channels * height * width;
  const images = Uint8Array.from(normals(COUNT * features, 'images'), (z) => Math.max(0, 90 * z));
  for (const image of blank) images.fill(0, image * features, (image + 1) * features);
  const labels = new Uint8Array(COUNT);
  return new GpuDataset(context(), {
    name: 'noise',
    count: COUNT,
    classes: 3,
    channels,
    height,
    width,
    images,
    labels,
  });
}

const directionsFor = (model: Model) =>
  new Map(
    layerMatrices(model).map(({ layer, rows, columns }) => [
      layer,
      normals(columns * Math.min(rows, columns), `directions ${layer}`),
    ]),
  );

/** Every input vector of a layer: rows of a linear layer's input, patches of a convolution's. */
async function inputsOf(model: Model, values: HostTensors, data: GpuDataset, { node }: LayerMatrix) {
  const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
  arena.write(values);
  const z = node.inputs[0]!;
  // a leaf is no output: the data set writes it, and it is read back from where it was written
  const program = compile(context(), { outputs: { y: node, z }, arenas: [arena], batchSize: COUNT });
  data.fillImages(program, data.inOrder, 0, COUNT);
  program.run();
  const read = await context().read(program.output('z'));
  program.destroy();
  arena.destroy();
  const [channels = 1, height = 1, width = 1] = z.shape.slice(1) as number[];
  if (node.operation.name === 'linear')
    return Array.from({ length: COUNT }, (_, n) => [...read.subarray(n * channels, (n + 1) * channels)]);
  const [, perGroup = 1, kernelH = 1, kernelW = 1] = node.inputs[1]!.shape as number[];
  const { stride, padding } = node.attributes as { stride: [number, number]; padding: [number, number] };
  const [, , outH = 1, outW = 1] = node.shape as number[];
  const patches: number[][] = [];
  for (let n = 0; n < COUNT; n++) {
    for (let y = 0; y < outH; y++) {
      for (let x = 0; x < outW; x++) {
        const patch: number[] = [];
        for (let c = 0; c < perGroup; c++) {
          for (let i = 0; i < kernelH; i++) {
            for (let j = 0; j < kernelW; j++) {
              const [row, column] = [y * stride[0] + i - padding[0], x * stride[1] + j - padding[1]];
              const inside = row >= 0 && row < height && column >= 0 && column < width;
              patch.push(inside ? read[((n * channels + c) * height + row) * width + column]! : 0);
            }
          }
        }
        patches.push(patch);
      }
    }
  }
  return patches;
}

function reference(inputs: readonly number[][], directions: Float32Array): Omit<InputDirections, 'layer'> {
  const counting = inputs.filter((z) => z.some((value) => value !== 0));
  const size = directions.length / inputs[0]!.length;
  const projections = Array.from({ length: size }, (_, i) => {
    let total = 0;
    for (const z of counting) {
      const norm = Math.sqrt(z.reduce((sum, value) => sum + value * value, 0));
      total += Math.abs(z.reduce((sum, value, k) => sum + value * directions[k * size + i]!, 0)) / norm;
    }
    return counting.length === 0 ? 0 : total / counting.length;
  });
  return { projections, count: counting.length };
}

describe('inputDirections', () => {
  it.each([
    ['an MLP', mlp({ widths: [63, 12, 9, 3] }), [1, 7, 9]],
    ['convolutions', convolutional, [2, 7, 9]],
  ] as const)('of %s are what float64 says of every input', async (_, model, shape) => {
    const values = plausibleValues(model, 2);
    const data = imagesOf(shape, [4, 11]);
    const directions = directionsFor(model);
    const done: number[] = [];
    const found = await inputDirections(context(), {
      ...{ model, values, directions, data, batchSize: 9 },
      onProgress: (count) => done.push(count),
    });
    expect(done).toEqual([9, 18, 23]);
    const matrices = layerMatrices(model).filter(({ layer }) => layer !== 'g'); // groups are left out
    expect(found.map(({ layer }) => layer)).toEqual(matrices.map(({ layer }) => layer));
    for (const [at, matrix] of matrices.entries()) {
      const inputs = await inputsOf(model, values, data, matrix);
      const expected = reference(inputs, directions.get(matrix.layer)!);
      expect(found[at]!.count).toBe(expected.count);
      for (const [i, projection] of found[at]!.projections.entries()) {
        // sums of at most 63 products of normal directions, in f32; the mean itself is near 1
        expect(Math.abs(projection - expected.projections[i]!)).toBeLessThan(
          1e-5 * (1 + expected.projections[i]!),
        );
      }
    }
    expect(found[0]!.count).toBeLessThan(COUNT * 63); // blank images have inputs without direction
    data.destroy();
  });

  it("along a layer's only input direction is 1, across it 0", async () => {
    const model = mlp({ widths: [4, 2, 3] });
    const images = Uint8Array.from({ length: 4 * COUNT }, (_, at) => (at % 4 === 2 ? 1 + (at % 200) : 0));
    const data = new GpuDataset(context(), {
      ...{ name: 'one pixel', count: COUNT, classes: 3, channels: 1, height: 2, width: 2, images },
      labels: new Uint8Array(COUNT),
    });
    const directions = new Map([['fc1', Float32Array.of(0, 0, 0, 1, 1, 0, 0, 0)]]); // e_3 and e_2
    const values = plausibleValues(model, 1);
    const [found] = await inputDirections(context(), { model, values, directions, data });
    expect(found).toEqual({ layer: 'fc1', count: COUNT, projections: [expect.closeTo(1, 6), 0] });
    expect(await inputDirections(context(), { model, values, directions: new Map(), data })).toEqual([]);
    data.destroy();
  });

  it('refuses vectors of another shape and networks that have diverged, and can be stopped', async () => {
    const model = mlp({ widths: [63, 12, 3] });
    const data = imagesOf([1, 7, 9]);
    const values = plausibleValues(model, 2);
    const call = { model, values, data, directions: directionsFor(model) };
    const wrong = new Map([['fc2', new Float32Array(35)]]);
    await expect(inputDirections(context(), { ...call, directions: wrong })).rejects.toThrow(ShapeError);
    const infinite = new Map(values).set('fc1.bias', new Float32Array(12).fill(Number.POSITIVE_INFINITY));
    await expect(inputDirections(context(), { ...call, values: infinite })).rejects.toThrow(DataError);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(inputDirections(context(), { ...call, signal })).rejects.toThrow('enough');
    data.destroy();
  });
});
