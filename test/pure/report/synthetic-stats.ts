/** Activation statistics that look like real ones, made without a GPU: a network that collapses half-way, layer by layer. */
import { diagnoseCollapse } from '../../../src/rebasin/statistics/collapse.ts';
import type { LayerSummary, StatsResult } from '../../../src/report/results.ts';
import { syntheticMatch } from './synthetic-result.ts';

/** A network with batch norm whose norms have these variances. */
function layersOf(names: readonly string[], variance: (l: number) => number, seed: number): LayerSummary[] {
  const summary = (layer: string, kind: LayerSummary['kind'], size: number, l: number): LayerSummary => {
    const wobble = 1 + 0.05 * Math.cos(7 * l + seed);
    return {
      ...{ layer, kind, channels: 32, mean: 0.1, variance: size * wobble, deviation: 0.9 * Math.sqrt(size) },
      ...{ scale: 0.8 * Math.sqrt(size), featureDistance: Math.sqrt(size) * wobble },
      ...(kind === 'activation' ? { zeroRatio: 0.4 * wobble, dead: l } : { zeroRatio: 0, dead: 0 }),
    };
  };
  return [
    ...names.flatMap((name, l) => [
      summary(name.replace('bn', 'conv'), 'weighted', 3 * variance(l), l),
      summary(name, 'normalised', variance(l), l),
      summary(name, 'activation', 0.6 * variance(l), l),
    ]),
    summary('linear', 'weighted', variance(names.length), names.length),
  ];
}

const names = ['bn1', ...[1, 2, 3].flatMap((stage) => [`layer${stage}.0.bn1`, `layer${stage}.0.bn2`])];

const common = {
  ...{ command: 'stats', version: '0.1.0', adapter: 'test', seed: 0, seconds: 1, hash: 'a'.repeat(64) },
  ...{ model: 'resnet8', assumptions: ['images of 3x32x32'] },
  data: { name: 'colours', split: 'test', images: 2000 },
} as const;

/** Of one network. */
export function syntheticStats(): StatsResult {
  const layers = layersOf(names, () => 1, 0);
  return { ...common, networks: [{ name: 'A', loss: 0.31, accuracy: 0.912, layers }] };
}

/** Of two and the one half-way. */
export function syntheticCollapse(): StatsResult {
  const ends = [layersOf(names, () => 1, 0), layersOf(names, () => 1, 1)] as const;
  const merged = layersOf(names, (l) => 0.75 * 0.5 ** l, 2);
  const [align, renormalise] = ['weight', 'none'] as const;
  const collapse = diagnoseCollapse({ ends, merged, batchNorm: true, align, renormalise });
  return {
    ...common,
    networks: [
      { name: 'A', loss: 0.31, accuracy: 0.912, layers: ends[0] },
      { name: 'pi(B)', loss: 0.32, accuracy: 0.908, layers: ends[1] },
      { name: 'merged', loss: 2.4, accuracy: 0.131, layers: merged },
    ],
    ...{ align, renormalise, match: syntheticMatch, collapse },
  };
}
