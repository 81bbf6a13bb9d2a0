/** The plane through three models in words and plain tables: what lies at the models and half-way between them. */

import { formatBarrier, formatNumber, formatPercent, formatPoints, notFinite, plural } from './format.ts';
import { hiddenUnits, type SplitName } from './lines.ts';
import type { LossAndAccuracy, PlaneResult, PlaneValues } from './results.ts';
import { alignColumns } from './text-table.ts';

/** The pairs of models, in the order of `PlaneValues.midpoints`. */
const PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const;

/** One place of the plane: a model, or half-way between two. */
export interface PlaneRow {
  readonly place: string;
  readonly loss: string;
  readonly accuracy: string;
  /** Half-way between two models: the loss over the mean of theirs, and the accuracy below it, in points. Empty at a model. */
  readonly lossRise: string;
  readonly accuracyFall: string;
}

/** The data sets that the plane was evaluated on; test first. */
export function planeSplits(result: PlaneResult): SplitName[] {
  return (['test', 'train'] as const).filter((split) => result[split]);
}

/** The three models, then half-way between each two. */
export function planeRows(result: PlaneResult, split: SplitName): PlaneRow[] {
  const values = result[split]!;
  const names = result.models.map(({ name }) => name);
  const row = (place: string, at: LossAndAccuracy) => ({
    place,
    loss: formatNumber(at.loss),
    accuracy: formatPercent(at.accuracy),
  });
  return [
    ...names.map((name, i) => ({ ...row(name, values.models[i]!), lossRise: '', accuracyFall: '' })),
    ...PAIRS.map(([i, j], pair) => ({
      ...row(`half-way between ${names[i]} and ${names[j]}`, values.midpoints[pair]!),
      lossRise: formatBarrier(rise(values, pair).loss),
      accuracyFall: formatPoints(rise(values, pair).accuracy).replace(' points', ''),
    })),
  ];
}

/** What lies at the models and half-way between them, as text. */
export function planeTable(result: PlaneResult): string {
  return planeSplits(result)
    .map((split) => {
      const rows = planeRows(result, split);
      return alignColumns(
        [
          ['', ...rows.map((row) => row.place)],
          [`${split} loss`, ...rows.map((row) => row.loss)],
          [`${split} accuracy`, ...rows.map((row) => row.accuracy)],
          ['loss rise', ...rows.map((row) => row.lossRise)],
          ['accuracy fall, points', ...rows.map((row) => row.accuracyFall)],
        ],
        1,
      );
    })
    .join('\n\n');
}

/**
 * The plane in a sentence: how the loss rises half-way between the models.
 *
 * @example
 * 'Half-way between A and B the test loss rises by 2.24; after permuting 536 hidden units of B, half-way between A and pi(B), by 0.0312.'
 */
export function planeHeadline(result: PlaneResult): string {
  const split = planeSplits(result)[0];
  if (split === undefined) return 'A plane through three networks, and no data to evaluate it on.';
  const names = result.models.map(({ name }) => name);
  const words = PAIRS.map((_, pair) => riseInWords(rise(result[split]!, pair).loss));
  const permuted = Object.entries(result.matches).map(
    ([name, match]) => `${plural(hiddenUnits(match), 'hidden unit')} of ${name}`,
  );
  const [first, second, third] = PAIRS.map(([i, j]) => `${names[i]} and ${names[j]}`);
  if (permuted.length === 1) {
    const then = bySameVerb(words[0]!, words[1]!);
    return `Half-way between ${first} the ${split} loss ${words[0]}; after permuting ${permuted[0]}, half-way between ${second}, ${then}.`;
  }
  const after = permuted.length > 0 ? `After permuting ${permuted.join(' and ')}, the` : 'The';
  return `${after} ${split} loss half-way between ${first} ${words[0]}, between ${second} ${bySameVerb(words[0]!, words[1]!)}, and between ${third} ${bySameVerb(words[1]!, words[2]!)}.`;
}

/** Half-way between two models: the loss above the mean of theirs, the accuracy below it. */
function rise({ models, midpoints }: PlaneValues, pair: number): LossAndAccuracy {
  const [i, j] = PAIRS[pair]!;
  const [a, b, middle] = [models[i]!, models[j]!, midpoints[pair]!];
  const above = (measure: keyof LossAndAccuracy) => {
    const values = [a[measure], b[measure], middle[measure]];
    // JSON turned what was not finite into null.
    return values.every(Number.isFinite) ? values[2]! - (values[0]! + values[1]!) / 2 : Number.NaN;
  };
  return { loss: above('loss'), accuracy: -above('accuracy') };
}

function riseInWords(value: number): string {
  if (!Number.isFinite(value)) return `is ${notFinite}`;
  const text = formatBarrier(Math.abs(value));
  if (text === '0') return 'does not rise';
  return `${value > 0 ? 'rises' : 'falls'} by ${text}`;
}

/** `words` without its verb where that was said just before. */
function bySameVerb(before: string, words: string): string {
  const verb = words.split(' ')[0]!;
  if (before.startsWith(`${verb} by `) && words.startsWith(`${verb} by `))
    return words.slice(verb.length + 1);
  return `it ${words}`;
}
