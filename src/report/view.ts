/**
 * The view of a result: what a sweep or the demo found, in words, figures and tables. The report file and the page show this same view.
 * It needs `reportStyles` (styles.ts) in the document, follows light and dark by itself, and adapts to the width of `root`.
 */

import { element, figure, headingRow, responsive, section, table } from './elements.ts';
import { objectiveFigure, permutationFigure, trainingFigure } from './figures.ts';
import { formatBarrier, formatCount, formatNumber, formatPercent, formatSeconds, plural } from './format.ts';
import { interpolationFigure } from './interpolation-figure.ts';
import { curveOf, isDemo, type Line, linesOf, objectiveHistory, type SplitName, splitsOf } from './lines.ts';
import type { MatchFields, ReportResult, TrainingFields } from './results.ts';
import {
  barrierRows,
  fixedUnits,
  headline,
  matchSentence,
  type PointColumn,
  pointColumns,
} from './summary.ts';

const panelHeight = 270;
const smallHeight = 220;

/** Shows `result` in `root`, in place of what is there. Drawing follows the width of `root` for as long as it is in a document. */
export function renderReport(root: HTMLElement, result: ReportResult): void {
  const lines = linesOf(result);
  const splits = splitsOf(lines);
  const match = result.match;
  const sections = [header(result, lines, splits)];
  if (splits.length > 0) sections.push(interpolation(lines, splits), barriers(result), points(result));
  if (match) sections.push(matching(match));
  if (isDemo(result)) sections.push(training(result.networks));
  sections.push(provenance(result));
  root.replaceChildren(element('article', { class: 'rebasin-report' }, ...sections));
}

function header(result: ReportResult, lines: readonly Line[], splits: readonly SplitName[]): HTMLElement {
  const made = element(
    'header',
    {},
    element('p', { class: 'kicker' }, `rebasin ${result.command}`),
    element('h1', {}, headline(result)),
  );
  const split = splits[0];
  if (split === undefined) return made;
  const curves = lines.map((line) => curveOf(line, split));
  const facts: [string, string[]][] = [
    [`${split} loss barrier`, curves.map((curve) => formatBarrier(curve.barrier.loss))],
    [`${split} accuracy half-way`, curves.map((curve) => formatPercent(curve.midpoint.accuracy))],
  ];
  made.append(element('dl', { class: 'facts' }, ...facts.map(([name, values]) => fact(name, values, lines))));
  return made;
}

/** A number to remember, or two with an arrow between: before and after. */
function fact(name: string, values: readonly string[], lines: readonly Line[]): HTMLElement {
  const parts = values.map((value, i) =>
    element('span', { class: lines[i]!.name, title: lines[i]!.name }, value),
  );
  const definition = element('dd');
  for (const [i, part] of parts.entries()) {
    if (i > 0) definition.append(element('span', { class: 'arrow', 'aria-label': 'to' }, '→'));
    definition.append(part);
  }
  return element('div', {}, element('dt', {}, name), definition);
}

function interpolation(lines: readonly Line[], splits: readonly SplitName[]): HTMLElement {
  const panel = (title: string, shown: readonly Line[], measure: 'loss' | 'accuracy', magnified: boolean) =>
    figure(
      title,
      responsive(panelHeight, (width) =>
        interpolationFigure({ lines: shown, splits, measure, width, height: panelHeight, magnified }),
      ),
    );
  const full = [panel('Loss', lines, 'loss', false), panel('Accuracy', lines, 'accuracy', false)];
  const aligned = lines.length > 1 ? lines.slice(1) : [];
  const magnified = aligned.length
    ? [
        panel('Loss, the aligned line magnified', aligned, 'loss', true),
        panel('Accuracy, the aligned line magnified', aligned, 'accuracy', true),
      ]
    : [];
  const second = lines.some((line) => line.name === 'aligned') ? 'permuted second network' : 'second network';
  const solid = splits.map((split) => (split === 'test' ? 'solid: test data' : 'dashed: training data'));
  const key = `${solid.join('; ')}; dotted: the straight line between the ends. The upright bar is the barrier.`;
  return element(
    'section',
    { class: 'interpolation' },
    element('h2', {}, 'On the straight line between the networks'),
    element('div', { class: 'pair' }, ...full),
    element('div', { class: 'pair' }, ...magnified),
    element(
      'p',
      { class: 'note' },
      `λ goes from 0, the first network, to 1, the ${second}. ${key[0]!.toUpperCase()}${key.slice(1)}`,
    ),
  );
}

function barriers(result: ReportResult): HTMLElement {
  const rows = barrierRows(result);
  const head = headingRow([
    { text: 'measure' },
    { text: 'line' },
    { text: 'over the straight line' },
    { text: 'over the mean of the ends' },
    { text: 'at λ = 0.5' },
  ]);
  return section(
    'Barriers',
    table(
      'Barriers under both conventions',
      [head],
      rows.map((row) => [row.quantity, row.line, row.overChord, row.overMean, row.atMidpoint]),
    ),
    element(
      'p',
      { class: 'note' },
      'Largest excess of the loss, and shortfall of the accuracy, against the straight line between the two ends or against their mean. At λ = 0.5 the two are the same.',
    ),
  );
}

function points(result: ReportResult): HTMLElement {
  const columns = pointColumns(result);
  const rows = columns[0]!.cells.map((_, row) => columns.map((column) => column.cells[row]!));
  const heads = [headingRow(groups(columns)), headingRow(columns.map(({ line }) => ({ text: line })))];
  return element(
    'details',
    {},
    element('summary', {}, `All ${rows.length} points as a table`),
    table('Loss and accuracy at every point', heads, rows),
  );
}

/** Neighbouring columns of one quantity under one heading. */
function groups(columns: readonly PointColumn[]): { text: string; span: number }[] {
  const found: { text: string; span: number }[] = [];
  for (const { quantity } of columns) {
    const last = found[found.length - 1];
    if (last && last.text === quantity) last.span++;
    else found.push({ text: quantity, span: 1 });
  }
  return found;
}

function matching(match: MatchFields): HTMLElement {
  const history = objectiveHistory(match);
  const shown = Object.entries(match.permutations).slice(0, 3);
  const total = Object.keys(match.permutations).length;
  const progress = figure(
    'Objective',
    responsive(smallHeight, (width) => objectiveFigure(history, width, smallHeight)),
    'inner product of the two networks’ weights, sweep by sweep',
  );
  const matrices = shown.map(([name, permutation]) => {
    const size = 168;
    const drawing = element('div', { class: 'matrix' }, permutationFigure(permutation, size));
    return figure(name, drawing, `${fixedUnits(permutation)} in place`);
  });
  const which = total > shown.length ? `The first ${shown.length} of ${plural(total, 'group')}.` : '';
  return section(
    'Matching',
    element('p', {}, matchSentence(match)),
    element('div', { class: 'pair' }, progress, element('div', { class: 'matrices' }, ...matrices)),
    element(
      'p',
      { class: 'note' },
      `Each square is the permutation of one layer’s hidden units: a dot in row i and column j says that unit i of the permuted network was unit j. ${which}`.trim(),
    ),
  );
}

function training(networks: readonly TrainingFields[]): HTMLElement {
  const drawing = responsive(smallHeight, (width) => trainingFigure(networks, width, smallHeight));
  const head = headingRow(
    ['network', 'test loss', 'test accuracy', 'train loss', 'train accuracy'].map((text) => ({ text })),
  );
  const rows = networks.map((network) => [
    `seed ${network.seed}`,
    ...[network.test, network.train].flatMap((measured) =>
      measured ? [formatNumber(measured.loss), formatPercent(measured.accuracy)] : ['–', '–'],
    ),
  ]);
  return section(
    'The two networks',
    element(
      'div',
      { class: 'pair' },
      figure('Training loss', drawing, 'mean of each epoch'),
      table('Both networks, evaluated', [head], rows),
    ),
  );
}

/** What was run, and the numbers to take away. */
function provenance(result: ReportResult): HTMLElement {
  const facts: [string, string][] = [['Model', result.model]];
  if (isDemo(result)) {
    const { name, train, test } = result.data;
    facts.push(['Data', `${name}: ${formatCount(train)} to train, ${formatCount(test)} to test`]);
    const files = result.networks.flatMap(({ checkpoint }) => checkpoint ?? []);
    if (files.length > 0) facts.push(['Checkpoints', files.join(', ')]);
  }
  const assumptions = result.match?.assumptions ?? [];
  if (assumptions.length > 0) facts.push(['Assumed', assumptions.join('; ')]);
  facts.push(
    ['Adapter', result.adapter],
    ['Seed', String(result.seed)],
    ['Time', formatSeconds(result.seconds)],
    ['Version', `rebasin ${result.version}`],
    ['Hash', result.hash],
  );
  const json = JSON.stringify(result, null, 2);
  const download = element(
    'a',
    {
      class: 'download',
      download: 'result.json',
      href: `data:application/json;charset=utf-8,${encodeURIComponent(json)}`,
    },
    'Download result.json',
  );
  const list = facts.map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value)),
  );
  return section('What was run', element('dl', { class: 'run' }, ...list), element('p', {}, download));
}
