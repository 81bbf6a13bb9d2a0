/** A comparison of methods in words and plain tables. */

import { formatBarrier, formatNumber, formatPercent, formatPoints, notFinite } from './format.ts';
import type { SplitName } from './lines.ts';
import { METHOD_WORDS } from './method-words.ts';
import type { ComparedRow, ComparedScores, CompareResult, Spread } from './results.ts';
import { alignColumns } from './text-table.ts';

export interface TableColumn {
  readonly heading: string;
  readonly cells: readonly string[];
}

/** The data sets that the methods were compared on; test first. */
export function compareSplits({ rows }: CompareResult): SplitName[] {
  return (['test', 'train'] as const).filter((split) => rows.some((row) => row[split]));
}

/** The row whose network half-way is most often right; of equals the one with the least loss. */
export function bestRow(rows: readonly ComparedRow[], split: SplitName): ComparedRow | undefined {
  const of = (row: ComparedRow) => row[split]!.midpoint;
  const finite = rows.filter((row) => row[split] && Number.isFinite(of(row).accuracy.mean));
  return finite.reduce<ComparedRow | undefined>((best, row) => {
    if (!best) return row;
    const gain = of(row).accuracy.mean - of(best).accuracy.mean;
    return gain > 0 || (gain === 0 && of(row).loss.mean < of(best).loss.mean) ? row : best;
  }, undefined);
}

/**
 * The comparison in a sentence: what serves best, and what half-way is without it.
 *
 * @example
 * 'Activation matching with repair does best: 96.10% test accuracy half-way between the networks, where as they are it is 30.12%.'
 */
export function compareHeadline(result: CompareResult): string {
  const split = compareSplits(result)[0];
  const best = split && bestRow(result.rows, split);
  if (!split || !best) return 'A comparison of methods, and nothing to compare.';
  const naive = result.rows.find((row) => row.align === 'none' && row.renormalise === 'none');
  const of = (row: ComparedRow) => formatPercent(row[split]!.midpoint.accuracy.mean);
  const untouched = naive && naive !== best ? `, where as they are it is ${of(naive)}` : '';
  return `${rowInWords(best)} best: ${of(best)} ${split} accuracy half-way between the networks${untouched}.`;
}

function rowInWords({ align, renormalise }: ComparedRow): string {
  if (align === 'none' && renormalise === 'none') return 'The networks as they are do';
  const words = align === 'none' ? renormalise : METHOD_WORDS[align];
  const beside =
    align === 'none' ? ' without matching' : renormalise === 'none' ? '' : ` with ${renormalise}`;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${beside} ${align === 'random' ? 'do' : 'does'}`;
}

/** Mean of the two networks as they came. */
export function meanAccuracy({ ends }: CompareResult, split: SplitName): number {
  return ends.reduce((sum, end) => sum + (end[split]?.accuracy ?? Number.NaN) / ends.length, 0);
}

/** A row for each matching and re-normalisation. */
export function comparedColumns({ rows }: CompareResult, split: SplitName): TableColumn[] {
  const shown = rows.filter((row) => row[split]);
  const column = (heading: string, cell: (scores: ComparedScores) => string) => ({
    heading,
    cells: shown.map((row) => cell(row[split]!)),
  });
  return [
    // A matching's name once, above its re-normalisations.
    {
      heading: 'matching',
      cells: shown.map(({ align }, i) => (shown[i - 1]?.align === align ? '' : align)),
    },
    { heading: 're-normalisation', cells: shown.map(({ renormalise }) => renormalise) },
    column(`${split} accuracy half-way`, ({ midpoint }) =>
      spreadText(midpoint.accuracy, formatPercent, shortPercent),
    ),
    column('loss half-way', ({ midpoint }) => spreadText(midpoint.loss, formatNumber)),
    column('calibrated', ({ calibratedLoss }) => spreadText(calibratedLoss, formatNumber)),
    column('loss barrier', ({ barrier }) => spreadText(barrier.loss, formatBarrier)),
    column('accuracy barrier, points', ({ barrier }) =>
      spreadText(barrier.accuracy, (value) => formatPoints(value).replace(' points', ''), shortPercent),
    ),
  ];
}

/** The networks as they came, and the ensemble of their logits. */
export function referenceColumns({ ends, ensemble }: CompareResult, split: SplitName): TableColumn[] {
  const rows = [...ends, { name: 'mean of their logits', ...ensemble }].flatMap(({ name, ...of }) => {
    const score = of[split];
    return score ? [{ name, score }] : [];
  });
  return [
    { heading: 'network', cells: rows.map(({ name }) => name) },
    { heading: `${split} accuracy`, cells: rows.map(({ score }) => formatPercent(score.accuracy)) },
    { heading: 'loss', cells: rows.map(({ score }) => formatNumber(score.loss)) },
    { heading: 'calibrated', cells: rows.map(({ score }) => formatNumber(score.calibrated.loss)) },
  ];
}

/** How each matching went. */
export function matchingColumns({ matchings, seeds }: CompareResult): TableColumn[] {
  const before = matchings[0]?.distance.before;
  return [
    { heading: 'matching', cells: matchings.map(({ align }) => align) },
    ...(seeds.length > 1 ? [{ heading: 'seed', cells: matchings.map(({ seed }) => String(seed)) }] : []),
    { heading: 'objective', cells: matchings.map(({ objective }) => formatNumber(objective.after)) },
    {
      heading: before === undefined ? 'distance' : `distance (before: ${formatNumber(before)})`,
      cells: matchings.map(({ distance }) => formatNumber(distance.after)),
    },
    { heading: 'seconds', cells: matchings.map(({ seconds }) => secondsText(seconds)) },
  ];
}

/** What does not apply to the network, and why: `repair, rescale: resnet8 has batch norm, ...`; each reason once. */
export function refusals({ refused }: CompareResult): string[] {
  const byReason = new Map<string, string[]>();
  for (const { align, renormalise, reason } of refused) {
    const plain = reason.replace(/^[A-Za-z ]+: /, ''); // without the name of the function that refused
    byReason.set(plain, [...(byReason.get(plain) ?? []), renormalise ?? align ?? '']);
  }
  return [...byReason].map(([reason, names]) => `${names.join(', ')}: ${reason}`);
}

/** Every table as text. */
export function compareTables(result: CompareResult): string {
  const text = (columns: readonly TableColumn[], left: number) =>
    alignColumns(
      columns.map(({ heading, cells }) => [heading, ...cells]),
      left,
    );
  const refused = refusals(result);
  return [
    ...compareSplits(result).flatMap((split) => [
      text(referenceColumns(result, split), 1),
      text(comparedColumns(result, split), 2),
    ]),
    text(matchingColumns(result), 1),
    ...(refused.length > 0 ? [refused.map((reason) => `does not apply: ${reason}`).join('\n')] : []),
  ].join('\n\n');
}

/** A mean; where several seeds differ also the least and the largest, shorter: `49.42% (40.2–55.5)`. */
function spreadText(
  { mean, min, max }: Spread,
  format: (value: number) => string,
  short = (value: number) => formatNumber(value, 3),
): string {
  if (!Number.isFinite(mean)) return notFinite;
  return min === max ? format(mean) : `${format(mean)} (${short(min)}–${short(max)})`;
}

const shortPercent = (value: number) => (100 * value).toFixed(1);

/** 0.31, 12.4: a column of times, without their unit. */
function secondsText(seconds: number): string {
  return Number.isFinite(seconds) ? seconds.toFixed(seconds < 10 ? 2 : 1) : notFinite;
}
