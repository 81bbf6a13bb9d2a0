/** Two small data sets that need no file, made from a seed. */
import { cos, sin } from '../base/portable.ts';
import { RandomStream } from '../base/random.ts';
import type { Table } from '../io/table.ts';

export const EXAMPLE_DATA = ['moons', 'outliers'] as const;
export type ExampleDataName = (typeof EXAMPLE_DATA)[number];

/**
 * `moons`: two half-circles that reach into each other, with noise; targets 1 and -1. `outliers`: a linear model of which half the
 * coefficients are 0, with noise of deviation 0.5, and one target in six off by noise of deviation 8.
 */
export function exampleData(name: ExampleDataName, samples: number, seed: number): Table {
  return name === 'moons' ? moons(samples, seed) : outliers(samples, seed);
}

function moons(samples: number, seed: number): Table {
  const random = new RandomStream(seed, 'age path moons');
  const noise = new Float64Array(2 * samples);
  random.derive('noise').fillNormal(noise, 0, 0.2);
  const features = new Float64Array(2 * samples);
  const targets = new Float64Array(samples);
  for (let i = 0; i < samples; i++) {
    const angle = Math.PI * random.uniform(i);
    const upper = i % 2 === 0;
    features[2 * i] = (upper ? cos(angle) : 1 - cos(angle)) + noise[2 * i]!;
    features[2 * i + 1] = (upper ? sin(angle) : 0.5 - sin(angle)) + noise[2 * i + 1]!;
    targets[i] = upper ? 1 : -1;
  }
  return { features, targets, columns: 2, names: ['x1', 'x2'] };
}

function outliers(samples: number, seed: number): Table {
  const columns = 8;
  const random = new RandomStream(seed, 'age path outliers');
  const normals = (count: number, purpose: string) => {
    const values = new Float64Array(count);
    random.derive(purpose).fillNormal(values);
    return values;
  };
  const features = normals(samples * columns, 'features');
  const model = normals(columns, 'model').map((each, j) => (j < columns / 2 ? each + Math.sign(each) : 0));
  const [noise, gross] = [normals(samples, 'noise'), normals(samples, 'gross')];
  const targets = noise.map((each, i) => {
    let sum = 0.5 * each + (random.uniform(i) < 1 / 6 ? 8 * gross[i]! : 0);
    for (let j = 0; j < columns; j++) sum += model[j]! * features[i * columns + j]!;
    return sum;
  });
  return { features, targets, columns, names: Array.from({ length: columns }, (_, j) => `x${j + 1}`) };
}
