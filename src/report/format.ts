/**
 * Numbers as people read them, for the terminal and for the view alike. A result read from JSON holds `null` where a number was not
 * finite, so every function here takes anything and says "not finite" instead of failing. Nothing ever shows as "-0".
 */

export const notFinite = 'not finite';

/** A loss, objective or distance with `digits` significant digits: 2.302, 0.04936, 256.1; below 0.00005 it shows as 0. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return notFinite;
  const size = Math.abs(value);
  if (size < 5e-5) return '0';
  if (size >= 1e6 || size < 1e-3) return value.toPrecision(digits).replace(/\.?0+e/, 'e');
  return size >= 10 ** (digits - 1) ? groupThousands(value.toFixed(0)) : value.toPrecision(digits);
}

/** A barrier, in three digits: what is left after alignment is rarely known better. */
export function formatBarrier(value: number): string {
  return formatNumber(value, 3);
}

/** An accuracy from 0 to 1 as 98.52%. */
export function formatPercent(value: number): string {
  return Number.isFinite(value) ? `${withoutMinusZero((100 * value).toFixed(2))}%` : notFinite;
}

/** A difference of two accuracies as 5.67 points: it is no percentage of either. */
export function formatPoints(value: number): string {
  return Number.isFinite(value) ? `${withoutMinusZero((100 * value).toFixed(2))} points` : notFinite;
}

/** A column of losses with one number of decimals, so that the points align: the smallest keeps four digits, within five decimals. */
export function formatColumn(values: readonly number[]): string[] {
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const smallest = Math.min(...sizes);
  let decimals = 3;
  for (let unit = 1; decimals < 5 && smallest < unit; unit /= 10) decimals++;
  return values.map((value) =>
    Number.isFinite(value) ? withoutMinusZero(value.toFixed(decimals)) : notFinite,
  );
}

/** A count: 1,536. */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? groupThousands(String(value)) : notFinite;
}

/** Wall time: 8.4 s, 75 s, 12 min 5 s. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return notFinite;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** "1 unit", "256 units". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `pi(B)`, which any terminal can print, as people write it. */
export function shown(text: string): string {
  return text.replaceAll('pi(', 'π(');
}

function groupThousands(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

function withoutMinusZero(text: string): string {
  return text.replace(/^-(0(?:\.0+)?)$/, '$1');
}
