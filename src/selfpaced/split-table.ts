/** From a table to training and held-out samples, standardised, with labels as the problems want them. */
import { DataError, OptionError } from '../base/errors.ts';
import { RandomStream } from '../base/random.ts';
import type { Table } from '../io/table.ts';

export interface SplitOptions {
  /** Part of the samples that is held out, 0 to 0.95. */
  readonly holdOut: number;
  /** Two classes (targets become 1 and -1), or numbers. */
  readonly classes: boolean;
  /** Part of the training labels that is turned round, 0 to 0.5; of classes alone. Default 0. */
  readonly flip?: number;
  /** Adds a column of ones, after standardising. Default false. */
  readonly constant?: boolean;
  readonly seed: number;
}

export interface Part {
  readonly features: Float64Array;
  readonly targets: Float64Array;
}

/**
 * Splits at random; features (and targets that are numbers) are shifted and scaled by mean and deviation of the training samples.
 * @throws OptionError for parts out of range; DataError when targets are not of two classes, or a part would be empty.
 */
export function splitTable(
  table: Table,
  options: SplitOptions,
): { train: Part; test: Part; columns: number } {
  const { holdOut, classes, flip = 0, constant = false, seed } = options;
  const samples = table.targets.length;
  if (!(holdOut >= 0 && holdOut <= 0.95) || !(flip >= 0 && flip <= 0.5)) {
    throw new OptionError(
      `splitTable: expected to hold out 0 to 0.95 and to flip 0 to 0.5 of the samples, got ${holdOut} and ${flip}`,
    );
  }
  if (flip > 0 && !classes)
    throw new OptionError('splitTable: expected classes to flip labels of, got numbers');
  const targets = classes ? twoClasses(table.targets) : table.targets;
  const order = new RandomStream(seed, 'age path split').permutation(samples);
  const held = Math.floor(holdOut * samples);
  const [testRows, trainRows] = [order.subarray(0, held), order.subarray(held)];
  if (trainRows.length < 2)
    throw new DataError(`splitTable: expected at least 2 samples to train on, got ${samples}`);

  const columns = table.columns + (constant ? 1 : 0);
  const scales = Array.from({ length: table.columns }, (_, j) =>
    scaleOf(Float64Array.from(trainRows, (i) => table.features[i * table.columns + j]!)),
  );
  const targetScale = classes
    ? { mean: 0, deviation: 1 }
    : scaleOf(Float64Array.from(trainRows, (i) => targets[i]!));
  const part = (rows: Uint32Array): Part => {
    const features = new Float64Array(rows.length * columns);
    rows.forEach((from, i) => {
      for (const [j, { mean, deviation }] of scales.entries()) {
        features[i * columns + j] = (table.features[from * table.columns + j]! - mean) / deviation;
      }
      if (constant) features[i * columns + columns - 1] = 1;
    });
    return {
      features,
      targets: Float64Array.from(rows, (i) => (targets[i]! - targetScale.mean) / targetScale.deviation),
    };
  };
  const train = part(trainRows);
  const flipped = new RandomStream(seed, 'age path flips').permutation(trainRows.length);
  for (const i of flipped.subarray(0, Math.round(flip * trainRows.length))) train.targets[i]! *= -1;
  return { train, test: part(testRows), columns };
}

/** The smaller of two values becomes -1, the larger 1. */
function twoClasses(targets: Float64Array): Float64Array {
  const values = [...new Set(targets)].sort((a, b) => a - b);
  if (values.length !== 2) {
    const got = values.length > 5 ? `${values.length} values` : values.join(', ');
    throw new DataError(`splitTable: expected targets of two values for a classifier, got ${got}`);
  }
  return targets.map((each) => (each === values[0] ? -1 : 1));
}

/** Mean, and deviation with 1 for what is constant. */
function scaleOf(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - mean) * (each - mean), 0) / values.length;
  return { mean, deviation: variance > 1e-24 * (1 + mean * mean) ? Math.sqrt(variance) : 1 };
}
