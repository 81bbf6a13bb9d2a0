/** An analysis of linear mode connectivity in words and plain tables. */

import type {
  AnalysedMatching,
  AnalyseResult,
  SingularFields,
  SingularLayer,
  SingularResult,
} from './analyse-result.ts';
import {
  formatBarrier,
  formatCount,
  formatNumber,
  formatPercent,
  formatPoints,
  notFinite,
} from './format.ts';
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

/** The gamma whose score stands for all: large singular values only, yet many (Ito et al.: 0.3). */
export function tellingGamma({ gammas }: SingularFields): number {
  return Math.max(0, gammas.indexOf(0.3));
}

/** A row for each gamma, a column for each way of matching, and how many singular pairs count. */
export function alignmentColumns({ singular, matchings }: SingularResult): AnalysisColumn[] {
  if (!singular) return [];
  return [
    { heading: 'gamma', cells: singular.gammas.map(String) },
    { heading: 'pairs', cells: singular.alignment[0]!.kept.map(formatCount) },
    ...matchings.map(({ align, alignment }) => ({
      heading: align === 'none' ? 'R as they are' : `R, ${align}`,
      cells: singular.gammas.map((_, at) => formatScore(alignment?.score[at])),
    })),
  ];
}

/** A row for each layer: its singular values before and after, and how alike its vectors are. */
export function layerColumns({ singular, matchings }: SingularResult): AnalysisColumn[] {
  if (!singular) return [];
  const { layers, gammas } = singular;
  const at = tellingGamma(singular);
  const column = (heading: string, cell: (layer: SingularLayer) => string) => ({
    heading,
    cells: layers.map(cell),
  });
  const scoreOf = (pair: number) => (layer: SingularLayer) => formatScore(layer.alignment[pair]?.score[at]);
  const which = `R(${gammas[at]})`;
  return [
    column('layer', ({ layer }) => layer),
    column('matrix', ({ shape }) => shape.map(formatCount).join(' x ')),
    column('largest of A', ({ singularValues }) => formatNumber(singularValues.a[0]!)),
    column('of B', ({ singularValues }) => formatNumber(singularValues.b[0]!)),
    column('changed by permuting', ({ invariance }) => formatTiny(invariance)),
    column(`${which} as they are`, scoreOf(0)),
    ...(matchings.length > 1 ? [column(`${which}, ${matchings[1]!.align}`, scoreOf(1))] : []),
    column('residual', ({ decomposition }) => formatTiny(decomposition.residual)),
    column('not orthogonal by', ({ decomposition }) => formatTiny(decomposition.orthogonality)),
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
  return [
    text(matchingColumns(result), 1),
    ...(result.singular ? [text(alignmentColumns(result), 0), text(layerColumns(result), 2)] : []),
    ...(pairs[0]!.cells.length > 0 ? [text(pairs, 2)] : []),
  ].join('\n\n');
}

/** A part as 14.6%. */
export function formatReduction(part: number): string {
  return Number.isFinite(part) ? `${(100 * part).toFixed(1)}%` : notFinite;
}

/** A score from -1 to 1, with three decimals. */
export function formatScore(score: number | undefined): string {
  return Number.isFinite(score) ? score!.toFixed(3).replace(/^-0\.000$/, '0.000') : notFinite;
}

/** What ought to be 0 but for rounding: 1.6e-7. */
export function formatTiny(value: number): string {
  if (!Number.isFinite(value)) return notFinite;
  return value === 0 ? '0' : value.toExponential(1);
}

function pointsOf(value: number): string {
  return formatPoints(value).replace(' points', '');
}
