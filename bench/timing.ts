/** What a list of times says. */
import type { ResultLine } from './result-line.ts';

/** The value that `share` of the sorted values lie below, without interpolation. */
export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
}

/** Minimum, median and spread of times in milliseconds. */
export function summarise(
  times: readonly number[],
): Required<Pick<ResultLine, 'repeats' | 'minMs' | 'medianMs' | 'spread'>> {
  const medianMs = quantile(times, 0.5);
  return {
    repeats: times.length,
    minMs: quantile(times, 0),
    medianMs,
    spread: (quantile(times, 0.75) - quantile(times, 0.25)) / medianMs,
  };
}
