/** Larger regression and classification data with gross outliers, for the benchmark of age paths. */
import { RandomStream } from '../src/base/random.ts';
import type { Part } from '../src/selfpaced/split-table.ts';

/**
 * A sparse linear model of which every fifth coefficient counts. Of the training targets one in six is far off (classes: turned round);
 * those of validation (100 samples) and test (1,000) are only as noisy as the rest.
 */
export function outlierTable(
  samples: number,
  columns: number,
  seed: number,
  classes = false,
): { train: Part; validation: Part; test: Part } {
  const random = new RandomStream(seed, 'age path bench');
  const model = new Float64Array(columns);
  random.derive('model').fillNormal(model);
  const part = (name: string, count: number, spoiled: boolean): Part => {
    const stream = random.derive(name);
    const [features, noise, gross] = [count * columns, count, count].map((length, k) => {
      const values = new Float64Array(length);
      stream.derive(k).fillNormal(values);
      return values;
    });
    const targets = noise!.map((each, i) => {
      let sum = 0.5 * each;
      for (let j = 0; j < columns; j += 5) sum += 2 * model[j]! * features![i * columns + j]!;
      const off = spoiled && stream.uniform(i) < 1 / 6;
      if (classes) return (sum > 0 ? 1 : -1) * (off ? -1 : 1);
      // One-sided: outliers that cancel on average would do little harm.
      return off ? sum + 10 * Math.abs(gross![i]!) : sum;
    });
    return { features: features!, targets };
  };
  return {
    train: part('train', samples, true),
    validation: part('validation', 100, false),
    test: part('test', 1000, false),
  };
}
