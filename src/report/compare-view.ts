/** What the report shows of a comparison: the numbers to take away, every method as a dot, the curves, and the tables. */

import { curvesFigure } from './compare-figure.ts';
import {
  bestRow,
  comparedColumns,
  compareSplits,
  matchingColumns,
  meanAccuracy,
  referenceColumns,
  refusals,
  type TableColumn,
} from './compare-summary.ts';
import { element, figure, headingRow, responsive, section, table } from './elements.ts';
import { formatBarrier, formatPercent, plural, shown } from './format.ts';
import {
  type Lane,
  type LaneFigureOptions,
  type LaneReference,
  laneFigure,
  laneHeight,
} from './lane-figure.ts';
import type { SplitName } from './lines.ts';
import { METHOD_WORDS } from './method-words.ts';
import { colourOf, ink } from './plot-style.ts';
import type { ComparedRow, CompareResult, MatchingMethod, Spread } from './results.ts';

const curveHeight = 150;

/** The sections of a comparison, from the facts under the headline on. */
export function compareSections(result: CompareResult): HTMLElement[] {
  const splits = compareSplits(result);
  const first = splits[0];
  if (first === undefined) return [];
  return [
    facts(result, first),
    ...splits.flatMap((split) => [
      pictures(result, split, splits.length > 1),
      curves(result, split),
      tables(result, split),
    ]),
    matchings(result),
  ];
}

function facts(result: CompareResult, split: SplitName): HTMLElement {
  const best = bestRow(result.rows, split);
  const scores = best?.[split];
  const parts: [string, string][] = [
    [`Best ${split} accuracy half-way`, formatPercent(scores?.midpoint.accuracy.mean ?? Number.NaN)],
    ['Its loss barrier', formatBarrier(scores?.barrier.loss.mean ?? Number.NaN)],
    ['The networks on average', formatPercent(meanAccuracy(result, split))],
    ['The ensemble of their logits', formatPercent(result.ensemble[split]?.accuracy ?? Number.NaN)],
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...parts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

/** Vermilion for a mean that nothing was done to, blue for the best of all, as on the curves. */
function colourOfRow(row: ComparedRow, best: ComparedRow | undefined): string {
  if (row === best) return colourOf('aligned');
  return row.renormalise === 'none' ? colourOf('naive') : ink;
}

function pictures(result: CompareResult, split: SplitName, isOneOfTwo: boolean): HTMLElement {
  const best = bestRow(result.rows, split);
  const panel = (
    title: string,
    numberOf: (row: ComparedRow) => Spread,
    references: readonly LaneReference[],
    format: (value: number) => string,
    axis: Pick<LaneFigureOptions, 'isSquareRoot' | 'tickFormat'>,
  ) => {
    const lanes = result.rows
      .filter((row) => row[split])
      .map((row): Lane => {
        const value = numberOf(row);
        return {
          group: groupName(row.align),
          name: row.renormalise,
          value: Number.isFinite(value.mean) ? value : undefined,
          colour: colourOfRow(row, best),
        };
      });
    const description = best
      ? `Best: ${best.align}, ${best.renormalise}, ${format(numberOf(best).mean)}. ${references.map(({ name, value }) => `${name}: ${format(value)}.`).join(' ')}`
      : '';
    const drawing = responsive(laneHeight(lanes, references), (width) =>
      laneFigure({ lanes, references, title, description, format, width, ...axis }),
    );
    return figure(title, drawing, axis.isSquareRoot ? 'on a square-root axis' : '');
  };
  const lossOf = (score: { readonly loss: number } | undefined) => score?.loss ?? Number.NaN;
  const endsLoss = result.ends.reduce((sum, end) => sum + lossOf(end[split]) / result.ends.length, 0);
  const title = isOneOfTwo
    ? `Every method, on ${split === 'test' ? 'test' : 'training'} data`
    : 'Every method';
  return section(
    title,
    element(
      'div',
      { class: 'pair' },
      panel(
        `${capitalised(split)} accuracy half-way`,
        (row) => row[split]!.midpoint.accuracy,
        [
          { name: 'networks', value: meanAccuracy(result, split), isDashed: false },
          { name: 'ensemble', value: result.ensemble[split]?.accuracy ?? Number.NaN, isDashed: true },
        ],
        formatPercent,
        { tickFormat: (value) => `${Number((100 * value).toFixed(2))}%` },
      ),
      panel(
        `${capitalised(split)} loss barrier`,
        (row) => row[split]!.barrier.loss,
        [
          { name: 'networks', value: 0, isDashed: false },
          { name: 'ensemble', value: lossOf(result.ensemble[split]) - endsLoss, isDashed: true },
        ],
        formatBarrier,
        // Corrections of what was not matched can leave barriers beside which all others would be as good as none.
        { isSquareRoot: true, tickFormat: String },
      ),
    ),
    element('p', { class: 'note' }, pictureNote(result)),
  );
}

function pictureNote(result: CompareResult): string {
  const seeds =
    result.seeds.length > 1
      ? ` Whiskers: the least and the largest of ${plural(result.seeds.length, 'seed')}, where a matching depends on one.`
      : '';
  const refused = refusals(result).map((reason) => ` Does not apply: ${reason}.`);
  return (
    'Upright lines: the two networks as they came, on average, and the ensemble of their logits. ' +
    `Orange: the mean as it is, without re-normalisation; blue: the best of all.${seeds}${refused.join('')}`
  );
}

/** Along the line: for each matching the mean as it is and the re-normalisation that serves it best. */
function curves(result: CompareResult, split: SplitName): HTMLElement {
  const methods = [...new Set(result.rows.map(({ align }) => align))];
  const drawn = methods.flatMap((align) => {
    const rows = result.rows.filter((row) => row.align === align && row[split]);
    const plain = rows.find(({ renormalise }) => renormalise === 'none');
    const best = bestRow(rows, split);
    const both = [plain, best === plain ? undefined : best].flatMap((row) => row ?? []);
    return both.length === 0 ? [] : [{ align, rows: both, best: best === plain ? undefined : best }];
  });
  // One scale for all panels.
  const losses = drawn.flatMap(({ rows }) =>
    rows.flatMap(({ runs }) => runs.flatMap((run) => run[split]!.loss)),
  );
  const top = Math.max(...losses.filter((loss) => Number.isFinite(loss)), 1e-6);
  const { lambda } = result;
  const panels = drawn.map(({ align, rows, best }) => {
    const drawing = responsive(curveHeight, (width) =>
      curvesFigure({ lambda, rows, split, top, width, height: curveHeight }),
    );
    const made = figure(groupName(align), drawing);
    if (best) {
      made
        .querySelector('figcaption')
        ?.append(' ', element('span', { class: 'aligned' }, `with ${best.renormalise}`));
    }
    return made;
  });
  return section(
    `${capitalised(split)} loss on the straight line`,
    element('div', { class: 'triple' }, ...panels),
    element(
      'p',
      { class: 'note' },
      'Orange: as they are; blue: with the re-normalisation that leaves the best accuracy half-way. All on one scale.',
    ),
  );
}

function tables(result: CompareResult, split: SplitName): HTMLElement {
  return section(
    `In numbers${split === 'train' ? ', on training data' : ''}`,
    asTable('The networks and their ensemble', referenceColumns(result, split)),
    element('div', { class: 'compared' }, asTable('Every method', comparedColumns(result, split))),
    element(
      'p',
      { class: 'note' },
      'Half-way is λ = 0.5. A barrier is the largest excess over the straight line between the ends of a curve. Calibrated: the loss half-way at the softmax temperature that makes it least on these images.',
    ),
  );
}

function matchings(result: CompareResult): HTMLElement {
  return section('Matchings', asTable('How each matching went', matchingColumns(result)));
}

function asTable(caption: string, columns: readonly TableColumn[]): HTMLElement {
  const rows = columns[0]!.cells.map((_, row) => columns.map(({ cells }) => shown(cells[row]!)));
  return table(caption, [headingRow(columns.map(({ heading }) => ({ text: heading })))], rows);
}

function groupName(align: MatchingMethod): string {
  return capitalised(METHOD_WORDS[align]);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
