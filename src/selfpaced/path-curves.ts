/** A path as curves to draw and compare: solutions against the age, and the error on held-out samples beside that of a grid. */
import { exp, log } from '../base/portable.ts';
import type { AgePath } from './age-path.ts';
import type { SelfPacedProblem } from './problem.ts';

/** `count` ages from `from` to `to`, evenly spaced in the logarithm. */
export function logarithmicGrid(from: number, to: number, count: number): number[] {
  const step = log(to / from) / (count - 1);
  return Array.from({ length: count }, (_, i) =>
    i === 0 ? from : i === count - 1 ? to : from * exp(i * step),
  );
}

export interface HeldOut {
  /** f64 [count, columns]. */
  readonly features: Float64Array;
  /** f64 [count]: labels 1 and -1 of a classifier, else numbers. */
  readonly targets: Float64Array;
}

/**
 * The error of any solution: the part of the labels missed (classifiers), or the mean absolute error, in which a few outliers do not drown the
 * rest; NaN without samples.
 */
export function heldOutError(
  problem: SelfPacedProblem,
  { features, targets }: HeldOut,
): (solution: Float64Array) => number {
  if (targets.length === 0) return () => Number.NaN;
  const predict = problem.predictor(features);
  return (solution) => {
    let sum = 0;
    for (const [i, prediction] of predict(solution).entries()) {
      const target = targets[i]!;
      // On the border neither label is predicted.
      sum += problem.name === 'lasso' ? Math.abs(prediction - target) : prediction * target > 0 ? 0 : 1;
    }
    return sum / targets.length;
  };
}

/**
 * Ages at which a path shows all it does, in the direction of travel: `count` evenly spaced in the logarithm, and just before and at every
 * jump. A curve through them is broken after each `breaks`.
 */
export function drawnAges(path: AgePath, count: number): { ages: number[]; breaks: number[] } {
  const { from, to } = path;
  const sign = to >= from ? 1 : -1;
  const ages = logarithmicGrid(from, to, count);
  const jumps = path.events.filter(({ jump }) => jump !== undefined).map(({ age }) => age);
  const before = jumps.map((age) => age - sign * 1e-6 * age).filter((age) => sign * (age - from) > 0);
  const all = [...ages, ...before, ...jumps].filter(
    (age) => sign * (age - from) >= 0 && sign * (to - age) >= 0,
  );
  return { ages: [...new Set(all)].sort((a, b) => sign * (a - b)), breaks: before };
}
