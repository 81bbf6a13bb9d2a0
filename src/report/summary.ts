/**
 * A result in words and plain tables: what the command line prints and what the view shows around its figures. Pure, and free of HTML:
 * whoever shows these strings in a page escapes them.
 */

import { analyseHeadline, analyseTables } from './analyse-summary.ts';
import { compareHeadline, compareTables } from './compare-summary.ts';
import {
  formatBarrier,
  formatColumn,
  formatCount,
  formatNumber,
  formatPercent,
  formatPoints,
  notFinite,
  plural,
} from './format.ts';
import {
  curveOf,
  hiddenUnits,
  isAnalyse,
  isCompare,
  isDemo,
  isMerge,
  isPlane,
  isPrune,
  isStats,
  type Line,
  linesOf,
  type SplitName,
  splitsOf,
} from './lines.ts';
import { mergeHeadline, mergeTable } from './merge-summary.ts';
import { METHOD_WORDS } from './method-words.ts';
import { planeHeadline, planeTable } from './plane-summary.ts';
import { pruneHeadline, pruneTable } from './prune-summary.ts';
import type { CurveReport, LossAndAccuracy, MatchFields, NetworkResult } from './results.ts';
import { statsHeadline, statsTables } from './stats-summary.ts';
import { alignColumns } from './text-table.ts';

/** A column of the table of points. */
export interface PointColumn {
  /** What is measured, "test loss"; empty for lambda. */
  readonly quantity: string;
  /** On which line: "naive" or "aligned". */
  readonly line: string;
  readonly cells: readonly string[];
}

/** One measure on one line, its barrier under each convention. */
export interface BarrierRow {
  readonly quantity: string;
  readonly line: string;
  /** Largest excess over the straight line between the ends. */
  readonly overChord: string;
  /** Largest excess over the mean of the ends. */
  readonly overMean: string;
  /** Excess at lambda 0.5, where the two conventions agree. */
  readonly atMidpoint: string;
}

/**
 * The result in a sentence or two, with its numbers.
 *
 * @example
 * headline(demo); // 'Two networks trained from different seeds. Straight between them the test loss rises by 2.11; after ...'
 */
export function headline(result: NetworkResult): string {
  if (isPlane(result)) return planeHeadline(result);
  if (isMerge(result)) return mergeHeadline(result);
  if (isCompare(result)) return compareHeadline(result);
  if (isStats(result)) return statsHeadline(result);
  if (isPrune(result)) return pruneHeadline(result);
  if (isAnalyse(result)) return analyseHeadline(result);
  const lines = linesOf(result);
  const split = splitsOf(lines)[0];
  if (split === undefined) return 'Two networks, and no data to evaluate the line between them on.';
  const rises = lines.map((line) => riseInWords(curveOf(line, split).barrier.loss));
  if (isDemo(result)) {
    const permuted = `after permuting ${plural(hiddenUnits(result.match), 'hidden unit')} of the second`;
    const bothRise = rises.every((words) => words.startsWith('rises by '));
    const then = bothRise ? rises[1]!.replace('rises ', '') : `it ${rises[1]}`;
    return `Two networks trained from different seeds. Straight between them the ${split} loss ${rises[0]}; ${permuted}, ${then}.`;
  }
  const beside = besideInWords(lines, split);
  if (result.align === 'none') {
    return `Straight between the two networks the ${split} loss ${rises[0]}${beside}.`;
  }
  const units = result.match ? plural(hiddenUnits(result.match), 'hidden unit') : 'the hidden units';
  return `After permuting ${units} of the second network, the ${split} loss ${rises[0]} between the two${beside}.`;
}

/** What calibration leaves of the rise, and what the ensemble has instead. */
function besideInWords(lines: readonly Line[], split: SplitName): string {
  const words = lines.map((line) => {
    const { barrier, midpoint } = curveOf(line, split);
    if (line.name === 'calibrated')
      return `; at the softmax temperature fitted to each point it ${riseInWords(barrier.loss)}`;
    return line.name === 'ensemble' ? `; the ensemble's loss half-way is ${formatNumber(midpoint.loss)}` : '';
  });
  return words.join('');
}

/** What matching did, in a sentence. */
export function matchSentence(match: MatchFields): string {
  const { method, objective, distance, sweeps, equivalence } = match;
  const check = equivalence.passed ? 'passed' : 'failed';
  const how =
    sweeps === undefined ? METHOD_WORDS[method] : `${METHOD_WORDS[method]}, in ${plural(sweeps, 'sweep')}`;
  return (
    `By ${how}: the objective went from ${formatNumber(objective.before)} to ${formatNumber(objective.after)}, ` +
    `the distance between the networks from ${formatNumber(distance.before)} to ${formatNumber(distance.after)}. ` +
    `The check that permuting leaves the outputs unchanged ${check}: largest difference ${formatScale(equivalence.maxDifference)} of the largest output.`
  );
}

/** Lambda, then loss and accuracy of each data set on each line. */
export function pointColumns(result: CurveReport): PointColumn[] {
  const lines = linesOf(result);
  const lambda = lines[0]?.curves.lambda ?? [];
  const columns: PointColumn[] = [
    { quantity: '', line: 'lambda', cells: lambda.map((value) => value.toFixed(3)) },
  ];
  for (const split of splitsOf(lines)) {
    for (const measure of ['loss', 'accuracy'] as const) {
      for (const line of lines) {
        if (!line.measures.includes(measure)) continue;
        const values = curveOf(line, split)[measure];
        const cells = measure === 'loss' ? formatColumn(values) : values.map(formatPercent);
        columns.push({ quantity: `${split} ${measure}`, line: line.name, cells });
      }
    }
  }
  const temperature = temperaturesOf(result);
  if (temperature)
    columns.push({ quantity: '', line: 'temperature', cells: temperature.map((t) => formatNumber(t)) });
  return columns;
}

/** The softmax temperature of each point, the same on all data sets. */
function temperaturesOf(result: CurveReport): readonly number[] | undefined {
  if (isDemo(result)) return undefined;
  return (result.test ?? result.train)?.calibrated?.temperature;
}

/** Barriers of loss and accuracy on each data set and line, under both chord conventions and at the midpoint. */
export function barrierRows(result: CurveReport): BarrierRow[] {
  return barrierRowsOf(linesOf(result));
}

/** The same of lines that were put together. */
export function barrierRowsOf(lines: readonly Line[]): BarrierRow[] {
  return splitsOf(lines).flatMap((split) =>
    (['loss', 'accuracy'] as const).flatMap((measure) =>
      lines
        .filter(({ measures }) => measures.includes(measure))
        .map((line) => barrierRow(line, split, measure)),
    ),
  );
}

/** The table of points as text, columns aligned, with a heading of two lines. */
export function curveTable(result: CurveReport): string {
  const columns = pointColumns(result);
  const headings = columns.map((column, i) => {
    const repeats = column.quantity !== '' && columns[i - 1]?.quantity === column.quantity;
    return [repeats ? '' : column.quantity, column.line, ...column.cells];
  });
  return alignColumns(headings);
}

/** The barriers as text, one row a measure and line. */
export function barrierTable(result: CurveReport): string {
  const rows = barrierRows(result);
  return alignColumns(
    [
      ['barrier', ...rows.map((row) => row.quantity)],
      ['', ...rows.map((row) => row.line)],
      ['over the line', ...rows.map((row) => row.overChord)],
      ['over the mean', ...rows.map((row) => row.overMean)],
      ['at lambda 0.5', ...rows.map((row) => row.atMidpoint)],
    ],
    2,
  );
}

/** Every table of a result as text. */
export function textTables(result: NetworkResult): string {
  if (isPlane(result)) return planeTable(result);
  if (isMerge(result)) return mergeTable(result);
  if (isCompare(result)) return compareTables(result);
  if (isStats(result)) return statsTables(result);
  if (isPrune(result)) return pruneTable(result);
  if (isAnalyse(result)) return analyseTables(result);
  return `${barrierTable(result)}\n\n${curveTable(result)}`;
}

/** Units that matching left where they were, "3 of 256". */
export function fixedUnits(permutation: readonly number[]): string {
  const fixed = permutation.filter((from, to) => from === to).length;
  return `${formatCount(fixed)} of ${formatCount(permutation.length)}`;
}

function riseInWords(barrier: number): string {
  if (!Number.isFinite(barrier)) return 'is not finite everywhere';
  const text = formatBarrier(barrier);
  return text === '0' ? 'does not rise' : `rises by ${text}`;
}

function barrierRow(line: Line, split: SplitName, measure: keyof LossAndAccuracy): BarrierRow {
  const curve = curveOf(line, split);
  // Points without the word in every cell: the quantity says it once.
  const format =
    measure === 'loss' ? formatBarrier : (value: number) => formatPoints(value).replace(' points', '');
  return {
    quantity: measure === 'loss' ? `${split} loss` : `${split} accuracy, points`,
    line: line.name,
    overChord: format(curve.barrier[measure]),
    overMean: format(curve.barrierFromMean[measure]),
    atMidpoint: format(curve.midpointBarrier[measure]),
  };
}

/** A difference near rounding: 1.2e-6. */
function formatScale(value: number): string {
  if (!Number.isFinite(value)) return notFinite;
  return value === 0 ? '0' : value.toExponential(1);
}
