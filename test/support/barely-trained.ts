/** Networks as training leaves them at its very beginning, and a few built-in digits: enough for what merges and comparisons promise. */

import { RandomStream } from '../../src/base/random.ts';
import { DIGITS_NORMALISATION, digits } from '../../src/io/digits.ts';
import { type Model, stateEntries } from '../../src/nn/models/model.ts';
import { fit } from '../../src/nn/train/fit.ts';
import { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import type { Context } from '../../src/runtime/context.ts';
import { elementCount } from '../../src/runtime/kernel.ts';

/** Built-in digits on the GPU; the caller destroys them. */
export function digitsOn(context: Context, count: number, split: 'train' | 'test' = 'train'): GpuDataset {
  return new GpuDataset(context, digits({ count, seed: 3, split }), DIGITS_NORMALISATION);
}

/** A network after a few steps. */
export async function trainBarely(
  context: Context,
  model: Model,
  seed: number,
  count = 200,
): Promise<Map<string, Float32Array>> {
  const data = digitsOn(context, count);
  try {
    const { state } = await fit(context, {
      model,
      data,
      optimizer: { type: 'sgd', momentum: 0.9 },
      learningRate: 0.05,
      epochs: 3,
      batchSize: 50,
      seed,
    });
    return state;
  } finally {
    data.destroy();
  }
}

/** Values of the size that training leaves; norms near one, variances positive. */
export function plausibleValues(model: Model, seed: number): Map<string, Float32Array> {
  const random = new RandomStream(seed, 'values of a test');
  return new Map(
    stateEntries(model).map(({ name, shape, kind }) => {
      const values = new Float32Array(elementCount(shape));
      random.derive(name).fillNormal(values);
      if (shape.length > 1) {
        const fanIn = elementCount(shape.slice(1));
        return [name, values.map((x) => x * Math.sqrt(2 / fanIn))];
      }
      const isScale = kind === 'buffer' ? name.endsWith('running_var') : name.endsWith('.weight');
      return [name, values.map((x) => (isScale ? 1 + 0.2 * Math.min(2, Math.abs(x)) : 0.1 * x))];
    }),
  );
}
