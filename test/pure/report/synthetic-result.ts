/** Results that look like real ones, made without a GPU: a naive line with a high barrier and an aligned one with a low. */

import { type Curve, summariseCurve } from '../../../src/rebasin/interpolation/barrier.ts';
import type {
  CurveResult,
  DemoResult,
  MatchFields,
  PlaneResult,
  PlaneValues,
  SweepCurves,
  SweepResult,
} from '../../../src/report/results.ts';

const points = 25;
const lambda = Array.from({ length: points }, (_, i) => i / (points - 1));

/** A bump of `height` in the loss and `depth` in the accuracy, on ends at the given values. */
export function syntheticCurve(
  ends: { loss: [number, number]; accuracy: [number, number] },
  height: number,
  depth: number,
): CurveResult {
  const mix = ([a, b]: [number, number], l: number) => (1 - l) * a + l * b;
  const bump = (l: number) => (4 * l * (1 - l)) ** 3 * (1 + 0.15 * (l - 0.5));
  const curve: Curve = {
    loss: lambda.map((l) => mix(ends.loss, l) + height * bump(l)),
    accuracy: lambda.map((l) => mix(ends.accuracy, l) - depth * bump(l)),
  };
  return { ...curve, ...summariseCurve(lambda, curve) };
}

/** A permutation of n units, shuffled by a small linear congruential generator. */
function scattered(n: number, seed: number): number[] {
  const p = Array.from({ length: n }, (_, i) => i);
  let state = seed;
  for (let i = n - 1; i > 0; i--) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const j = Math.floor((state / 2147483648) * (i + 1));
    [p[i], p[j]] = [p[j]!, p[i]!];
  }
  return p;
}

const test = { loss: [0.1213, 0.1254], accuracy: [0.9672, 0.9661] } as const;
const train = { loss: [0.0311, 0.0307], accuracy: [0.9961, 0.9964] } as const;

function curves(height: number, depth: number): SweepCurves {
  const mutable = (ends: typeof test | typeof train) => ({
    loss: [...ends.loss] as [number, number],
    accuracy: [...ends.accuracy] as [number, number],
  });
  return {
    lambda,
    test: syntheticCurve(mutable(test), height, depth),
    train: syntheticCurve(mutable(train), height * 1.03, depth * 0.98),
  };
}

export const syntheticMatch: MatchFields = {
  method: 'weight',
  model: 'mlp:784-256-256-10, relu',
  assumptions: ['activation relu (the default; set it with --model)', 'no normalisation layers'],
  objective: { before: 6.48617107, after: 256.097493 },
  distance: { before: 42.944576, after: 36.2118 },
  sweeps: 13,
  converged: true,
  objectivePerSweep: [
    6.48617107, 232.230494, 249.762256, 253.654535, 254.880827, 255.424254, 255.536018, 255.649118,
    255.800507, 255.890125, 255.992309, 256.086968, 256.097493, 256.097493,
  ],
  equivalence: { maxDifference: 9.5e-7, passed: true },
  permutations: { 'layers.0': scattered(256, 1), 'layers.1': scattered(256, 2) },
};

const common = {
  version: '0.1.0',
  adapter: 'google swiftshader (CPU)',
  seed: 1,
  seconds: 84.31,
  hash: '9f2c1b6a77d04e5f8a3c0d9e1b2f4a6c8e0d1f3a5b7c9e2d4f6a8b0c1d3e5f70',
};

export function syntheticDemo(overrides: Partial<DemoResult> = {}): DemoResult {
  return {
    ...common,
    command: 'demo',
    model: 'mlp:784-256-256-10, relu',
    data: { name: 'digits', train: 8000, test: 2000 },
    networks: [
      {
        model: 'mlp:784-256-256-10, relu',
        seed: 1,
        epochLoss: [0.8123, 0.2431, 0.1502, 0.1011, 0.0713, 0.0498],
        test: { loss: 0.1213, accuracy: 0.9672 },
        train: { loss: 0.0311, accuracy: 0.9961 },
        checkpoint: 'report/model-a.safetensors',
      },
      {
        model: 'mlp:784-256-256-10, relu',
        seed: 2,
        epochLoss: [0.8344, 0.2502, 0.1487, 0.1029, 0.0699, 0.0489],
        test: { loss: 0.1254, accuracy: 0.9661 },
        train: { loss: 0.0307, accuracy: 0.9964 },
        checkpoint: 'report/model-b.safetensors',
      },
    ],
    match: syntheticMatch,
    naive: curves(2.11, 0.52),
    aligned: curves(0.0214, 0.0061),
    ...overrides,
  };
}

export function syntheticSweep(overrides: Partial<SweepResult> = {}): SweepResult {
  return {
    ...common,
    ...curves(1.3476, 0.0567),
    command: 'sweep',
    model: 'mlp:784-512-512-512-10, relu',
    align: 'none',
    renormalise: 'none',
    ...overrides,
  };
}

/** A sweep with everything beside its line: calibrated, its barrier a tenth of the line's, and the ensemble, which has none. */
export function syntheticCalibratedSweep(overrides: Partial<SweepResult> = {}): SweepResult {
  const { test: onTest, train: onTrain, ...sweep } = syntheticSweep();
  const [calibrated, ensemble] = [curves(0.13476, 0.0567), curves(-0.02005, -0.005)];
  const temperature = lambda.map((l) => 1 - 1.2 * l * (1 - l));
  const beside = (split: 'test' | 'train') => ({
    calibrated: { ...calibrated[split]!, temperature },
    ensemble: ensemble[split]!,
  });
  return {
    ...sweep,
    test: { ...onTest!, ...beside('test') },
    train: { ...onTrain!, ...beside('train') },
    ...overrides,
  };
}

/** A plane where A and the permuted B share a valley, and B lies behind a ridge. */
export function syntheticPlane(overrides: Partial<PlaneResult> = {}): PlaneResult {
  const [a, b, c] = [
    { name: 'A', x: 0, y: 0 },
    { name: 'B', x: 42.94, y: 0 },
    { name: 'pi(B)', x: 16.2, y: 32.4 },
  ] as const;
  const models = [a, b, c];
  const range = (low: number, high: number) =>
    Array.from({ length: 21 }, (_, i) => low + (i / 20) * (high - low));
  const grid = { x: range(-10.7, 53.7), y: range(-10.7, 43.1) };
  const bump = (distance: number, width: number) => Math.exp(-((distance / width) ** 2));
  const share = (p: Place) => {
    const along = (p.x * c.x + p.y * c.y) / Math.hypot(c.x, c.y);
    const aside = Math.abs(p.x * c.y - p.y * c.x) / Math.hypot(c.x, c.y);
    const over = Math.max(0, -along, along - Math.hypot(c.x, c.y));
    return Math.min(1, bump(Math.hypot(aside, over), 13) + bump(Math.hypot(p.x - b.x, p.y - b.y), 13));
  };
  const at = (p: Place) => {
    const bad = 1 - share(p);
    return { loss: 0.06 + 4.2 * bad ** 1.6, accuracy: 0.981 - 0.87 * bad ** 1.8 };
  };
  const middle = (p: Place, q: Place) => at({ x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 });
  const rows = grid.y.map((y) => grid.x.map((x) => at({ x, y })));
  const values: PlaneValues = {
    loss: rows.map((row) => row.map(({ loss }) => loss)),
    accuracy: rows.map((row) => row.map(({ accuracy }) => accuracy)),
    models: models.map(at),
    midpoints: [middle(a, b), middle(a, c), middle(b, c)],
  };
  return {
    ...common,
    command: 'plane',
    model: 'mlp:784-256-256-10, relu',
    align: 'weight',
    renormalise: 'none',
    models,
    grid,
    test: values,
    matches: { B: syntheticMatch },
    ...overrides,
  };
}

interface Place {
  readonly x: number;
  readonly y: number;
}
