/** Barriers between two networks under each correction, and what became of the activations half-way. */
import { taylorBarrier } from '../../rebasin/analysis/taylor-barrier.ts';
import { equallySpaced } from '../../rebasin/interpolation/barrier.ts';
import { type SweepCurve, sweep } from '../../rebasin/interpolation/sweep.ts';
import { distanceReduction } from '../../rebasin/matching/objective.ts';
import { uploadEndpoints } from '../../rebasin/renormalise/endpoints.ts';
import type { Renormalisation } from '../../rebasin/renormalise/renormalisations.ts';
import { midpointStatistics } from '../../rebasin/statistics/midpoint-statistics.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { PairSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';
import { type AlignedPair, alignPair } from './align.ts';

/**
 * On test images: a curve for each correction under its name, L2 `distance` before and after matching with its `reduction` (a share of
 * the first), `collapse` of the last hidden layer, uncorrected, and, where asked for, `taylor`.
 */
export async function pair(bench: Workbench, spec: PairSpec): Promise<Record<string, Json>> {
  const aligned = await alignPair(bench, spec.networks, spec.match);
  const total = spec.renormalisations.length + 2;
  const found: Record<string, Json> = {};
  for (const [i, renormalise] of spec.renormalisations.entries()) {
    found[renormalise] = curveOf(await sweepPair(bench, spec, aligned, renormalise));
    bench.onProgress?.({ done: i + 1, total });
  }
  const { before, after } = aligned.match.distance;
  found.distance = { before, after, reduction: distanceReduction(before, after) };
  found.collapse = await collapseOf(bench, spec, aligned);
  bench.onProgress?.({ done: total - 1, total });
  if (spec.taylor) found.taylor = await taylorOf(bench, spec, aligned);
  return found;
}

/** @param part of the images of the study to evaluate on. */
async function sweepPair(
  bench: Workbench,
  spec: PairSpec,
  { model, networks }: AlignedPair,
  renormalise: Renormalisation,
  part: 'train' | 'test' = 'test',
): Promise<SweepCurve> {
  const { context, signal } = bench;
  const statistics = await bench.uploadTraining(spec.networks[0]);
  const images = part === 'train' ? statistics : await bench.uploadTest(spec.data);
  const endpoints = uploadEndpoints(context, { model, networks, renormalise, data: statistics });
  try {
    const curves = await sweep(context, {
      ...{ model: endpoints.model, a: endpoints.arenas[0]!, b: endpoints.arenas[1]! },
      ...{ lambda: equallySpaced(spec.points), renormalise: endpoints.renormalise, ends: 'raw' },
      data: { images },
      ...(spec.calibrate && part === 'test' ? { ensemble: true, calibrate: statistics } : {}),
      ...(signal ? { signal } : {}),
    });
    return curves.images!;
  } finally {
    endpoints.destroy();
  }
}

function curveOf({ ensemble, calibrated, ...curve }: SweepCurve): Json {
  const { loss, accuracy, barrier, midpoint } = curve;
  const bestEnd = Math.min(loss[0]!, loss[loss.length - 1]!);
  return {
    ...{ loss, accuracy, barrier: { ...barrier }, midpoint: { ...midpoint } },
    bestEnd,
    ...(ensemble ? { ensemble: { ...ensemble.midpoint } } : {}),
    ...(calibrated ? { calibrated: { ...calibrated.midpoint, barrier: calibrated.barrier.loss } } : {}),
  };
}

/** Of the last hidden layer, to which all layers before it have added. */
async function collapseOf(bench: Workbench, spec: PairSpec, { model, networks }: AlignedPair): Promise<Json> {
  const { context, signal } = bench;
  const endpoints = uploadEndpoints(context, { model, networks, renormalise: 'none' });
  try {
    const [a, b] = endpoints.arenas as readonly [Arena, Arena];
    const { collapse } = await midpointStatistics(context, {
      ...{ model, a, b, align: spec.match.method, renormalise: 'none' },
      data: await bench.uploadTest(spec.data),
      ...(signal ? { signal } : {}),
    });
    const { varianceRatio, scaleRatio, feature = null } = collapse.layers[collapse.layers.length - 1]!;
    return {
      ...{ varianceRatio, scaleRatio, feature, verdict: collapse.verdict.kind },
      layers: collapse.layers.map((layer) => layer.varianceRatio),
    };
  } finally {
    endpoints.destroy();
  }
}

/**
 * On the images that the first network was trained on, where gradients are small and the estimate has its best chance: the barrier that it
 * predicts, the one that is there, and how far apart they are, as a share of the larger.
 */
async function taylorOf(bench: Workbench, spec: PairSpec, aligned: AlignedPair): Promise<Json> {
  const { context, signal } = bench;
  const { model, networks } = aligned;
  const [a, b] = networks;
  const data = await bench.uploadTraining(spec.networks[0]);
  const { barrier: predicted, loss } = await taylorBarrier(context, {
    ...{ model, a, b, data, lambda: equallySpaced(spec.points), signal },
  });
  const measured = (await sweepPair(bench, spec, aligned, 'none', 'train')).barrier.loss;
  const larger = Math.max(predicted, measured);
  const error = larger === 0 ? 0 : Math.abs(predicted - measured) / larger;
  return { predicted, measured, error, loss };
}
