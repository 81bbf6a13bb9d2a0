/** Analyses that look like real ones, made without a GPU: networks that matching brings together, and their singular vectors. */
import type {
  AlignedNetworks,
  AnalysedMatching,
  AnalyseResult,
  SingularLayer,
} from '../../../src/report/analyse-result.ts';
import type { MatchingMethod } from '../../../src/report/results.ts';
import { syntheticCurve, syntheticMatch } from './synthetic-result.ts';

const lambda = Array.from({ length: 25 }, (_, i) => i / 24);
const gammas = Array.from({ length: 10 }, (_, tenths) => tenths / 10);
const kept = gammas.map((gamma) => Math.round(600 * (1 - gamma) ** 3) + 4);

const ends = {
  loss: [0.0479, 0.0486] as [number, number],
  accuracy: [0.9854, 0.9848] as [number, number],
};

function matching(
  align: MatchingMethod,
  [distance, barrier, estimate, alignment]: readonly [number, number, number, number],
): AnalysedMatching {
  const curve = syntheticCurve(ends, barrier, barrier / 4);
  const excess = lambda.map((at) => 4 * estimate * at * (1 - at));
  return {
    ...{ align, distance, reduction: (42.9446 - distance) / 42.9446, curve },
    taylor: {
      barrier: estimate,
      loss: excess.map((over, i) => over + (1 - lambda[i]!) * ends.loss[0] + lambda[i]! * ends.loss[1]),
      ends: [
        { loss: ends.loss[0], slope: -0.02, curvature: 0.24 },
        { loss: ends.loss[1], slope: 0.03, curvature: 0.28 },
      ],
    },
    alignment: { score: gammas.map((gamma) => alignment * (1 + gamma)), kept },
    matches: align === 'none' ? {} : { B: syntheticMatch },
  };
}

function aligned(scale: number): AlignedNetworks[] {
  const pairs = [
    ['A', 'B', 0.01],
    ['A', 'pi(B)', 0.25],
    ['(A + B) / 2', 'A', 0.5],
    ['(A + B) / 2', 'B', 0.48],
    ['(A + pi(B)) / 2', 'A', 0.6],
    ['(A + pi(B)) / 2', 'pi(B)', 0.62],
  ] as const;
  return pairs.map(([first, second, score]) => ({
    networks: [first, second],
    score: gammas.map((gamma) => scale * score * (1 + gamma / 2)),
    kept,
  }));
}

function layer(name: string, rows: number, columns: number): SingularLayer {
  const count = Math.min(rows, columns);
  const values = (size: number) => Array.from({ length: count }, (_, i) => size * Math.exp((-4 * i) / count));
  return {
    ...{ layer: name, weight: `${name}.weight`, shape: [rows, columns] },
    singularValues: { a: values(4.1), b: values(4.3), aligned: values(4.3) },
    ...{ invariance: 2.4e-7, alignment: aligned(1) },
    inputDirections: {
      a: values(0.3).map((y) => 0.02 + y),
      b: values(0.31).map((y) => 0.02 + y),
      random: Math.sqrt(2 / (Math.PI * columns)),
    },
    decomposition: { residual: 8e-7, orthogonality: 3e-6, sweeps: 9, converged: true },
  };
}

/** Weight matching of two networks. */
export function syntheticAnalysis(): AnalyseResult {
  return {
    ...{ command: 'analyse', version: '0.1.0', adapter: 'test', seed: 0, seconds: 61, hash: 'b'.repeat(64) },
    ...{ model: 'mlp:784-512-512-512-10', assumptions: ['activation relu'], renormalise: 'none', lambda },
    data: { name: 'MNIST', split: 'test', images: 10_000 },
    matchings: [
      matching('none', [42.9446, 1.38, 0.147, 0.01]),
      matching('weight', [36.674, 0.0048, 0.0197, 0.25]),
    ],
    singular: {
      ...{ gammas, invariance: 2.4e-7, alignment: aligned(1) },
      layers: [layer('fc1', 512, 784), layer('fc2', 512, 512), layer('fc3', 512, 512), layer('fc4', 10, 512)],
    },
  };
}

/** Three networks, another method beside weight matching, more layers than are drawn. */
export function syntheticTrio(): AnalyseResult {
  const two = syntheticAnalysis();
  const more = matching('straight-through', [37.3, 0.003, 0.021, 0.05]);
  const pair = (first: string, second: string, loss: number) => ({
    ...{ networks: [first, second] as const, distance: 40, barrier: { loss, accuracy: loss / 4 } },
    midpoint: { loss: 0.1, accuracy: 0.98 - loss / 4 },
  });
  const pairs = (among: number): readonly [string, string, number][] => [
    ['A', 'pi(B)', 0.005],
    ['A', 'pi(C)', 0.006],
    ['pi(B)', 'pi(C)', among],
  ];
  const among = [1.4, 0.05, 0.19];
  return {
    ...two,
    matchings: [...two.matchings, more].map((each, i) => ({
      ...each,
      matches: i === 0 ? {} : { B: syntheticMatch, C: syntheticMatch },
      pairs: pairs(among[i]!).map(([first, second, loss]) =>
        i === 0
          ? pair(first.replace(/pi\((.)\)/, '$1'), second.replace(/pi\((.)\)/, '$1'), 1.4)
          : pair(first, second, loss),
      ),
    })),
    singular: {
      ...two.singular!,
      layers: Array.from({ length: 9 }, (_, i) => layer(`layer${i + 1}`, 64, 576)),
    },
  };
}
