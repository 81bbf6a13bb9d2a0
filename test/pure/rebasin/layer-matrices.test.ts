/** Which matrices a network has, and that names and shapes are those of its checkpoint. */
import { expect, it } from 'vitest';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../../src/nn/models/resnet.ts';
import { add, conv2d, flatten, input, linear, parameter, relu } from '../../../src/nn/ops/index.ts';
import { layerMatrices, layerMatricesOf } from '../../../src/rebasin/analysis/layer-matrices.ts';

const describe = (matrices: ReturnType<typeof layerMatrices>) =>
  matrices.map(({ layer, weight, rows, columns }) => `${layer} ${weight} ${rows}x${columns}`);

it('an MLP has one for each linear layer', () => {
  expect(describe(layerMatrices(mlp({ widths: [784, 20, 13, 10] })))).toEqual([
    'fc1 fc1.weight 20x784',
    'fc2 fc2.weight 13x20',
    'fc3 fc3.weight 10x13',
  ]);
});

it('a ResNet has one for each convolution, shortcuts too, and one for its head; norms have none', () => {
  const model = resnetOfDepth(8, { width: 0.25 });
  const matrices = layerMatrices(model);
  const weights = stateEntries(model).filter(({ shape }) => shape.length > 1);
  expect(matrices.map(({ weight }) => weight).sort()).toEqual(weights.map(({ name }) => name).sort());
  expect(describe(matrices).slice(0, 2)).toEqual([
    'conv1 conv1.weight 4x27',
    'layer1.0.conv1 layer1.0.conv1.weight 4x36',
  ]);
  for (const { weight, rows, columns } of matrices) {
    const { shape } = weights.find(({ name }) => name === weight)!;
    expect([rows, rows * columns]).toEqual([shape[0], shape.reduce((product, size) => product * size)]);
  }
});

it('a shared weight counts once; groups stay as they lie', () => {
  const images = input('images', ['N', 4, 5, 5]);
  const grouped = conv2d(images, parameter('g.weight', [6, 2, 3, 3]), undefined, { groups: 2 });
  const x = linear(flatten(grouped), parameter('w.weight', [7, 54]));
  const shared = parameter('s.weight', [7, 7]);
  const twice = linear(relu(linear(relu(x), shared)), shared);
  expect(describe(layerMatricesOf([add(x, twice)]))).toEqual([
    'g g.weight 6x18',
    'w w.weight 7x54',
    's s.weight 7x7',
  ]);
});
