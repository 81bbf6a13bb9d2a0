/** An analysis of linear mode connectivity in words and plain tables. */

import type { AnalysedMatching, AnalyseResult } from './analyse-result.ts';
import { formatBarrier, formatNumber, formatPercent, formatPoints, notFinite } from './format.ts';
import { METHOD_WORDS } from './method-words.ts';
import { alignColumns } from './text-table.ts';

/** A heading, and the cells below it. */
export interface AnalysisColumn {
  readonly heading: string;
  readonly cells: readonly string[];
}

/** The networks as they came, and the first way of matching them: what most of the words are about. */
export function beforeAndAfter({ matchings }: AnalyseResult): {
  readonly before: AnalysedMatching;
  readonly after: AnalysedMatching | undefined;
} {
  return { before: matchings[0]!, after: matchings[1] };
}

/**
 * The analysis in a sentence or two.
 *
 * @example
 * 'Weight matching brings the networks 14.6% closer and takes the test loss barrier from 1.38 to 0.0048. Curvature at the ends alone
 * would make it 0.0197.'
 */
export function analyseHeadline(result: AnalyseResult): string {
  const { before, after } = beforeAndAfter(result);
  const what = `${result.data.split} loss barrier`;
  const estimate = `Curvature at the ends alone would make it ${formatBarrier((after ?? before).taylor.barrier)}`;
  if (!after) {
    return `Straight between the two networks the ${what} is ${formatBarrier(before.curve.barrier.loss)}. ${estimate}.`;
  }
  const words = METHOD_WORDS[after.align];
  return (
    `${words.charAt(0).toUpperCase()}${words.slice(1)} ${bringsCloser(after)} and takes the ${what} from ` +
    `${formatBarrier(before.curve.barrier.loss)} to ${formatBarrier(after.curve.barrier.loss)}. ${estimate}.`
  );
}

function bringsCloser({ reduction }: AnalysedMatching): string {
  if (!Number.isFinite(reduction)) return 'moves the networks';
  const part = formatReduction(Math.abs(reduction));
  return reduction < 0 ? `takes the networks ${part} farther apart` : `brings the networks ${part} closer`;
}

/** A row for each way of matching. */
export function matchingColumns({ data, matchings }: AnalyseResult): AnalysisColumn[] {
  const column = (heading: string, cell: (matching: AnalysedMatching) => string) => ({
    heading,
    cells: matchings.map(cell),
  });
  const corrected = matchings.some(({ plainBarrier }) => plainBarrier);
  return [
    column('matching', ({ align }) => align),
    column('distance', ({ distance }) => formatNumber(distance)),
    column('closer by', ({ align, reduction }) => (align === 'none' ? '–' : formatReduction(reduction))),
    column(`${data.split} loss barrier`, ({ curve }) => formatBarrier(curve.barrier.loss)),
    ...(corrected
      ? [
          column('not re-normalised', ({ plainBarrier, curve }) =>
            formatBarrier((plainBarrier ?? curve.barrier).loss),
          ),
        ]
      : []),
    column('Taylor estimate', ({ taylor }) => formatBarrier(taylor.barrier)),
    column('accuracy barrier, points', ({ curve }) => pointsOf(curve.barrier.accuracy)),
    column('accuracy half-way', ({ curve }) => formatPercent(curve.midpoint.accuracy)),
  ];
}

/** Of three networks: a row for every two, for each way of matching. */
export function pairColumns({ data, matchings }: AnalyseResult): AnalysisColumn[] {
  const rows = matchings.flatMap(({ align, pairs = [] }) =>
    pairs.map((pair, i) => ({ align: i === 0 ? align : '', ...pair })),
  );
  const column = (heading: string, cell: (row: (typeof rows)[number]) => string) => ({
    heading,
    cells: rows.map(cell),
  });
  return [
    column('matching', ({ align }) => align),
    column('between', ({ networks }) => networks.join(' and ')),
    column('distance', ({ distance }) => formatNumber(distance)),
    column(`${data.split} loss barrier`, ({ barrier }) => formatBarrier(barrier.loss)),
    column('accuracy barrier, points', ({ barrier }) => pointsOf(barrier.accuracy)),
    column('accuracy half-way', ({ midpoint }) => formatPercent(midpoint.accuracy)),
  ];
}

/** Every table as text. */
export function analyseTables(result: AnalyseResult): string {
  const text = (columns: readonly AnalysisColumn[], left: number) =>
    alignColumns(
      columns.map(({ heading, cells }) => [heading, ...cells]),
      left,
    );
  const pairs = pairColumns(result);
  return [text(matchingColumns(result), 1), ...(pairs[0]!.cells.length > 0 ? [text(pairs, 2)] : [])].join(
    '\n\n',
  );
}

/** A part as 14.6%. */
export function formatReduction(part: number): string {
  return Number.isFinite(part) ? `${(100 * part).toFixed(1)}%` : notFinite;
}

function pointsOf(value: number): string {
  return formatPoints(value).replace(' points', '');
}
