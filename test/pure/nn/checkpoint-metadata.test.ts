import { expect, test } from 'vitest';
import { checkpointMetadata } from '../../../src/nn/checkpoint-metadata.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';

test('a checkpoint tells its model and normalisation, and its numerics class where that is not f32', () => {
  const model = mlp({ widths: [4, 3, 2] });
  const plain = checkpointMetadata(model, { mean: [0.25], std: [0.5] });
  expect([...plain]).toEqual([
    ['rebasin.model', model.name],
    ['rebasin.mean', '0.25'],
    ['rebasin.std', '0.5'],
  ]);
  const f16 = checkpointMetadata(model, { mean: [0.25], std: [0.5] }, 'f16');
  expect([...f16]).toEqual([...plain, ['rebasin.numerics', 'f16']]);
});
