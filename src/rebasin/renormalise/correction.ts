/**
 * What a re-normalisation does to one channel of a layer's result x: `(x - centre) * factor + shift`, from what the channel has
 * (mean m, variance v, measured in the merged network) and what it should have (goal mean and goal standard deviation s, interpolated
 * between the models; REPAIR, Jordan et al. 2023, section 4).
 *
 *   repair           (x - m) s / sqrt(v + eps) + goal mean
 *   rescale          x s / sqrt(v + eps)                     the mean is scaled too (Qu and Horvath 2024)
 *   rescale-mean     (x - m) s / sqrt(v + eps) + m           the mean is kept
 *   rescale-average  as rescale, with one s for the layer: the mean of s over its channels
 *   reshift          x - m + goal mean
 */
import type { Node } from '../../nn/graph.ts';
import { broadcast, fill, mean, multiply, relu } from '../../nn/ops/index.ts';
import { inverseDeviation } from '../../nn/ops/normalise.ts';

/** Name of a correction that REPAIR's machinery makes. */
export type Correction = 'repair' | 'rescale' | 'rescale-mean' | 'rescale-average' | 'reshift';

export const CORRECTIONS: readonly Correction[] = [
  'repair',
  'rescale',
  'rescale-mean',
  'rescale-average',
  'reshift',
];

/** Vectors of one value a channel, all [C]. */
export interface ChannelCorrection {
  readonly centre: Node;
  readonly factor: Node;
  readonly shift: Node;
}

export interface CorrectionInputs {
  readonly mean: Node;
  readonly variance: Node;
  readonly goalMean: Node;
  readonly goalDeviation: Node;
  readonly epsilon: number;
}

/** The correction of each channel, as nodes: the same formula corrects while measuring and folds into weights. */
export function channelCorrection(
  kind: Correction,
  { mean: m, variance, goalMean, goalDeviation, epsilon }: CorrectionInputs,
): ChannelCorrection {
  const [channels] = m.shape as readonly number[];
  const constant = (value: number) => fill([channels!], value);
  if (kind === 'reshift') return { centre: m, factor: constant(1), shift: goalMean };
  // Beyond the models (outside the triangle of a plane) a goal may fall below 0; it must not turn a channel's sign round.
  const wanted = relu(goalDeviation);
  const deviation = kind === 'rescale-average' ? broadcast(mean(wanted, 0), 0, channels!) : wanted;
  const factor = multiply(deviation, inverseDeviation(variance, epsilon));
  if (kind === 'repair') return { centre: m, factor, shift: goalMean };
  if (kind === 'rescale-mean') return { centre: m, factor, shift: m };
  return { centre: constant(0), factor, shift: constant(0) };
}

/** Whether a correction moves results by a constant, so that a layer needs a bias to take it. */
export function needsBias(kind: Correction): boolean {
  return kind !== 'rescale' && kind !== 'rescale-average';
}
