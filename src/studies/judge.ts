/**
 * Whether a claim held. Each comparison gives one difference a repetition; Student's t says whether their mean is above the margin.
 * Held: the lower end of the one-sided 95 % interval is above it. Not held: the upper end is below. Else not decided.
 */
import { DataError } from '../base/errors.ts';
import type { Json } from './result-store.ts';
import type { Claim, Comparison, Place, Quantity } from './study.ts';

/** A measurement of a study, done. */
export interface Measured {
  readonly at: Place;
  readonly found: Readonly<Record<string, Json>>;
}

export type Verdict = 'held' | 'not held' | 'not decided';

export interface ComparisonJudgement {
  /** Mean over repetitions of what the larger has above what it must have. */
  readonly excess: number;
  /** Half the width of its two-sided 90 % interval; absent for a single repetition. */
  readonly margin?: number;
  readonly repetitions: number;
  readonly verdict: Verdict;
  /** The means of both sides. */
  readonly larger: number;
  readonly smaller: number;
}

export interface ClaimJudgement {
  readonly verdict: Verdict;
  readonly comparisons: readonly ComparisonJudgement[];
}

/** 95 % quantiles of Student's t for 1, 2, ... degrees of freedom (any table). Beyond, the last one is a little too cautious. */
const T95 = [
  6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895, 1.86, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753,
  1.746, 1.74, 1.734, 1.729, 1.725,
];

/** Judges a claim: held where all of its comparisons are, not held where one is not. */
export function judgeClaim({ holds }: Claim, measured: readonly Measured[]): ClaimJudgement {
  const comparisons = holds.map((comparison) => judgeComparison(comparison, measured));
  const verdicts = comparisons.map(({ verdict }) => verdict);
  const verdict = verdicts.includes('not held')
    ? 'not held'
    : verdicts.every((each) => each === 'held')
      ? 'held'
      : 'not decided';
  return { verdict, comparisons };
}

/** @throws DataError when a quantity is not there, or the two sides were not measured in the same repetitions. */
export function judgeComparison(
  { larger, smaller, by = 0, atLeastTimes = 1, isExact = false }: Comparison,
  measured: readonly Measured[],
): ComparisonJudgement {
  const above = valuesOf(larger, measured);
  const below =
    typeof smaller === 'number'
      ? new Map([...above.keys()].map((repeat) => [repeat, smaller]))
      : valuesOf(smaller, measured);
  const repeats = [...above.keys()];
  if (repeats.length === 0 || below.size !== above.size || !repeats.every((repeat) => below.has(repeat))) {
    throw new DataError(
      `study: ${larger.path} was measured in repetitions ${repeats.join(', ') || 'none'}, what it is compared with in ${[...below.keys()].join(', ') || 'none'}`,
    );
  }
  const differences = repeats.map((repeat) => above.get(repeat)! - atLeastTimes * below.get(repeat)! - by);
  const { mean: excess, margin } = interval(differences);
  const verdict = isExact ? (excess >= 0 ? 'held' : 'not held') : verdictOf(excess, margin);
  return {
    excess,
    ...(margin === undefined ? {} : { margin }),
    repetitions: repeats.length,
    verdict,
    larger: interval([...above.values()]).mean,
    smaller: interval([...below.values()]).mean,
  };
}

function verdictOf(excess: number, margin: number | undefined): Verdict {
  if (margin === undefined) return 'not decided';
  if (excess - margin > 0) return 'held';
  return excess + margin < 0 ? 'not held' : 'not decided';
}

/** Mean and half the width of its two-sided 90 % interval; no width for a single value. */
export function interval(values: readonly number[]): { readonly mean: number; readonly margin?: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean };
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  const degrees = values.length - 1;
  const error = Math.sqrt(squares / degrees / values.length);
  return { mean, margin: T95[Math.min(degrees, T95.length) - 1]! * error };
}

/** One value a repetition. @throws DataError when there are two. */
function valuesOf(quantity: Quantity, measured: readonly Measured[]): Map<string, number> {
  const values = new Map<string, number>();
  for (const each of measuredAt(quantity, measured)) {
    const repeat = String(each.at.repeat ?? 0);
    if (values.has(repeat)) {
      throw new DataError(
        `study: ${quantity.path} at ${JSON.stringify(quantity.at ?? {})} was measured twice in repetition ${repeat}: say where`,
      );
    }
    values.set(repeat, valueAt(quantity.path, each.found));
  }
  return values;
}

/** Measurements at a quantity's places. */
export function measuredAt({ at = {} }: Quantity, measured: readonly Measured[]): Measured[] {
  return measured.filter((each) => Object.entries(at).every(([factor, value]) => each.at[factor] === value));
}

/** @throws DataError naming the path when there is no number. */
export function valueAt(path: string, found: Json): number {
  let value: Json | undefined = found;
  for (const name of path.split('|')) {
    value = value !== null && typeof value === 'object' ? (value as Record<string, Json>)[name] : undefined;
  }
  if (typeof value !== 'number')
    throw new DataError(`study: expected a number at ${path}, got ${JSON.stringify(value)}`);
  return value;
}
