/**
 * Loss and accuracy barriers of an interpolation curve (Frankle et al. 2020; Git Re-Basin section 2), with both chord conventions.
 *
 * `barrier` measures against the straight line between the ends, `(1 - lambda) L(0) + lambda L(1)`; `barrierFromMean` against the mean of
 * the ends. They differ only where the ends do.
 */
import { ShapeError } from '../../base/errors.ts';

/** Loss and accuracy along lambda. */
export interface Curve {
  /** At each lambda. */
  readonly loss: readonly number[];
  /** At each lambda. */
  readonly accuracy: readonly number[];
}

/** A loss in nats and an accuracy from 0 to 1, or differences of such. */
export interface LossAndAccuracy {
  /** Mean cross-entropy, natural logarithm. */
  readonly loss: number;
  /** From 0 to 1. */
  readonly accuracy: number;
}

/** What a curve comes to. */
export interface CurveSummary {
  /** Largest excess over the straight line between the ends; for accuracy the largest shortfall. At least 0: the ends have none. */
  readonly barrier: LossAndAccuracy;
  /** The same against the mean of the two ends; may be taken at an end where the ends differ. */
  readonly barrierFromMean: LossAndAccuracy;
  /** Loss and accuracy at lambda 0.5 (linear between its neighbours where 0.5 is not a point). */
  readonly midpoint: LossAndAccuracy;
  /** Excess and shortfall at lambda 0.5 over the straight line, which there is the mean of the ends. */
  readonly midpointBarrier: LossAndAccuracy;
}

/** @param lambda ascending from 0 to 1. @throws ShapeError when the arrays do not match. */
export function summariseCurve(lambda: readonly number[], curve: Curve): CurveSummary {
  const { loss, accuracy } = curve;
  if (lambda.length < 2 || loss.length !== lambda.length || accuracy.length !== lambda.length) {
    throw new ShapeError(
      `summariseCurve: expected at least 2 lambdas with a loss and an accuracy each, got ${lambda.length}, ${loss.length} and ${accuracy.length}`,
    );
  }
  const midpoint = { loss: valueAt(lambda, loss, 0.5), accuracy: valueAt(lambda, accuracy, 0.5) };
  return {
    barrier: {
      loss: largestExcess(lambda, loss, 1, 'line'),
      accuracy: largestExcess(lambda, accuracy, -1, 'line'),
    },
    barrierFromMean: {
      loss: largestExcess(lambda, loss, 1, 'mean'),
      accuracy: largestExcess(lambda, accuracy, -1, 'mean'),
    },
    midpoint,
    midpointBarrier: {
      loss: midpoint.loss - meanOfEnds(loss),
      accuracy: meanOfEnds(accuracy) - midpoint.accuracy,
    },
  };
}

/** `points` equally spaced lambdas from 0 to 1. */
export function equallySpaced(points: number): number[] {
  return Array.from({ length: points }, (_, i) => i / (points - 1));
}

function meanOfEnds(values: readonly number[]): number {
  return (values[0]! + values[values.length - 1]!) / 2;
}

function largestExcess(
  lambda: readonly number[],
  values: readonly number[],
  sign: 1 | -1,
  chord: 'line' | 'mean',
): number {
  const [first, last] = [values[0]!, values[values.length - 1]!];
  let largest = Number.NEGATIVE_INFINITY;
  for (const [i, value] of values.entries()) {
    const reference = chord === 'mean' ? (first + last) / 2 : (1 - lambda[i]!) * first + lambda[i]! * last;
    const excess = sign * (value - reference);
    if (Number.isNaN(excess)) return Number.NaN;
    largest = Math.max(largest, excess);
  }
  return largest || 0; // never -0
}

function valueAt(lambda: readonly number[], values: readonly number[], at: number): number {
  const after = lambda.findIndex((value) => value >= at);
  const [l1, v1] = [lambda[after]!, values[after]!];
  if (l1 === at || after === 0) return v1;
  const [l0, v0] = [lambda[after - 1]!, values[after - 1]!];
  return v0 + ((at - l0) / (l1 - l0)) * (v1 - v0);
}
