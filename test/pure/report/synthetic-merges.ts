/** Merges and comparisons that look like real ones, made without a GPU. */

import type { ComparedRow, CompareResult, MergeResult, ScoreFields } from '../../../src/report/results.ts';
import { syntheticCurve, syntheticDemo, syntheticMatch } from './synthetic-result.ts';

const { version, adapter, seed, seconds, hash, naive } = syntheticDemo();
const common = { version, adapter, seed, seconds, hash };
const { lambda } = naive;
const [first, second] = Object.values(syntheticMatch.permutations);

const accurate = (accuracy: number, loss: number, temperature = 1): ScoreFields => ({
  loss,
  accuracy,
  calibrated: { loss: 0.94 * loss, temperature },
});

/** Three networks merged jointly; fewer right than before, and unsure. */
export function syntheticMerge(overrides: Partial<MergeResult> = {}): MergeResult {
  const third = 1 / 3;
  return {
    ...common,
    command: 'merge',
    model: 'mlp:784-256-256-10',
    assumptions: syntheticMatch.assumptions,
    strategy: 'cycle-consistent',
    align: 'weight',
    renormalise: 'repair',
    images: 2000,
    models: [
      { name: 'runs/a.safetensors', coefficient: third, test: accurate(0.9672, 0.1213, 1.1) },
      { name: 'runs/b.safetensors', coefficient: third, test: accurate(0.9661, 0.1254, 1.1) },
      { name: 'runs/c.safetensors', coefficient: third, test: accurate(0.9684, 0.1198, 1.2) },
    ],
    test: { ...accurate(0.951, 0.2412), calibrated: { loss: 0.1634, temperature: 0.48 } },
    ensemble: accurate(0.9743, 0.0991, 0.9),
    merging: {
      rounds: 4,
      converged: true,
      distances: [27.31, 24.4, 23.92, 23.88, 23.88],
      objective: { before: 12.3, after: 712.4 },
      cycleError: 0,
    },
    equivalence: syntheticMatch.equivalence,
    permutations: [0, 1, 2].map(() => ({ fc1: first!, fc2: second! })),
    collapse: {
      layers: [
        { layer: 'fc1', varianceRatio: 0.71, scaleRatio: 0.86, feature: 0.9, smoothFeature: 0.9 },
        { layer: 'fc2', varianceRatio: 0.48, scaleRatio: 0.63, feature: 0.66, smoothFeature: 0.66 },
      ],
      logits: { layer: 'fc3', varianceRatio: 0.31, scaleRatio: 0.41, feature: 0.52, smoothFeature: 0.52 },
      verdict: {
        kind: 'variance-collapse',
        text: 'Variance collapse: fc2 keeps 48%.',
        fix: '--renormalise repair',
      },
    },
    verdict: [
      'The mean of 3 networks gets 95.10% of 2,000 images right: 1.62 points fewer than they do on average.',
      'Variance collapse: fc2 keeps 48%.',
      'To try: --renormalise repair.',
    ],
    checkpoint: 'runs/merged.safetensors',
    ...overrides,
  };
}

/** Three matchings with three re-normalisations; the random one over three seeds. Repair after weight matching is best. */
export function syntheticCompare(overrides: Partial<CompareResult> = {}): CompareResult {
  const methods = ['none', 'random', 'weight'] as const;
  const heights = { none: 2.1, random: 2.3, weight: 0.24 } as const;
  const parts = { none: 1, repair: 0.32, bias: 0.97 } as const;
  const rows = methods.flatMap((align) =>
    (['none', 'repair', 'bias'] as const).map((renormalise): ComparedRow => {
      const runs = (align === 'random' ? [0, 1, 2] : [0]).map((seed) => {
        const height = heights[align] * parts[renormalise] * (1 + 0.06 * seed);
        const curve = syntheticCurve(
          { loss: [0.1213, 0.1254], accuracy: [0.9672, 0.9662] },
          height,
          0.27 * height,
        );
        return {
          seed,
          seconds: 1.5 + 0.1 * seed,
          test: { ...curve, calibrated: { loss: 0.8 * curve.midpoint.loss, temperature: 0.6 } },
        };
      });
      const spread = (of: (curve: (typeof runs)[number]['test']) => number) => {
        const values = runs.map(({ test }) => of(test));
        return {
          mean: values.reduce((sum, value) => sum + value, 0) / values.length,
          min: Math.min(...values),
          max: Math.max(...values),
        };
      };
      const scores = {
        midpoint: { loss: spread((c) => c.midpoint.loss), accuracy: spread((c) => c.midpoint.accuracy) },
        barrier: { loss: spread((c) => c.barrier.loss), accuracy: spread((c) => c.barrier.accuracy) },
        calibratedLoss: spread((c) => c.calibrated.loss),
      };
      return { align, renormalise, runs, test: scores };
    }),
  );
  const matching = (
    align: 'none' | 'random' | 'weight',
    seed: number,
    objective: number,
    distance: number,
  ) => ({
    align,
    seed,
    objective: { before: 6.486, after: objective },
    distance: { before: 42.94, after: distance },
    seconds: align === 'weight' ? 2.31 : 0.02,
  });
  return {
    ...common,
    command: 'compare',
    model: 'mlp:784-256-256-10',
    assumptions: syntheticMatch.assumptions,
    lambda,
    seeds: [0, 1, 2],
    ends: [
      { name: 'A', test: accurate(0.9672, 0.1213) },
      { name: 'B', test: accurate(0.9661, 0.1254) },
    ],
    ensemble: { test: accurate(0.9743, 0.0991, 0.9) },
    matchings: [
      matching('none', 0, 6.486, 42.94),
      ...[0, 1, 2].map((seed) => matching('random', seed, 6.1 + 0.2 * seed, 42.9)),
      matching('weight', 0, 256.1, 36.21),
    ],
    rows,
    refused: [{ renormalise: 'reset', reason: 'reset: mlp:784-256-256-10 has no batch norm' }],
    equivalence: syntheticMatch.equivalence,
    ...overrides,
  };
}
