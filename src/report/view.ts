/** What the report shows of networks: what a sweep, the demo or another command found about them, in figures and tables. */

import { analyseSections } from './analyse-view.ts';
import { compareSections } from './compare-view.ts';
import { element, type Fact, figure, headingRow, responsive, section, table } from './elements.ts';
import { objectiveFigure, permutationFigure, trainingFigure } from './figures.ts';
import { formatBarrier, formatCount, formatNumber, formatPercent, plural } from './format.ts';
import { interpolationFigure } from './interpolation-figure.ts';
import {
  curveOf,
  isAnalyse,
  isCompare,
  isDemo,
  isMerge,
  isPlane,
  isPrune,
  isStats,
  isWay,
  type Line,
  linesOf,
  matchesOf,
  objectiveHistory,
  type SplitName,
  splitsOf,
} from './lines.ts';
import { mergeSections } from './merge-view.ts';
import { planeSections } from './plane-view.ts';
import { pruneSections } from './prune-view.ts';
import type { CurveReport, MatchFields, NetworkResult, TrainingFields } from './results.ts';
import { statsSections } from './stats-view.ts';
import { barrierRowsOf, fixedUnits, matchSentence, type PointColumn, pointColumns } from './summary.ts';

const panelHeight = 270;
const smallHeight = 220;
const matrixSize = 144; // three fit in half the page

/** The sections of a result, from the facts under the headline on. */
export function networkSections(result: NetworkResult): HTMLElement[] {
  const sections = ownSections(result);
  const matches = Object.entries(matchesOf(result));
  for (const [name, match] of matches) {
    sections.push(matchSection(match, matches.length > 1 ? `Matching of ${name}` : 'Matching'));
  }
  if (isDemo(result)) sections.push(training(result.networks));
  return sections;
}

/** What only results of this kind have. */
function ownSections(result: NetworkResult): HTMLElement[] {
  if (isPlane(result)) return planeSections(result);
  if (isMerge(result)) return mergeSections(result);
  if (isCompare(result)) return compareSections(result);
  if (isStats(result)) return statsSections(result);
  if (isPrune(result)) return pruneSections(result);
  if (isAnalyse(result)) return analyseSections(result);
  return curveSections(result);
}

/** What a sweep or the demo found along its lines. */
function curveSections(result: CurveReport): HTMLElement[] {
  const found = lineSections(linesOf(result));
  return found.length > 0 ? [...found, points(result)] : [];
}

/** Lines between two networks, from the facts under the headline on; none where they share no data set. */
export function lineSections(lines: readonly Line[]): HTMLElement[] {
  const splits = splitsOf(lines);
  const split = splits[0];
  return split === undefined ? [] : [facts(lines, split), interpolation(lines, splits), barriers(lines)];
}

function facts(lines: readonly Line[], split: SplitName): HTMLElement {
  const ways = lines.filter(isWay);
  const curves = ways.map((line) => curveOf(line, split));
  const where = capitalised(split);
  const rows: [string, string[], readonly Line[]][] = [
    [`${where} loss barrier`, curves.map((curve) => formatBarrier(curve.barrier.loss)), ways],
    [`${where} accuracy half-way`, curves.map((curve) => formatPercent(curve.midpoint.accuracy)), ways],
  ];
  for (const line of lines.filter((line) => !isWay(line))) {
    const { barrier, midpoint } = curveOf(line, split);
    rows.push(
      line.name === 'calibrated'
        ? [`${where} loss barrier, calibrated`, [formatBarrier(barrier.loss)], [line]]
        : [`${where} accuracy of the ensemble`, [formatPercent(midpoint.accuracy)], [line]],
    );
  }
  return element('dl', { class: 'facts' }, ...rows.map(([name, values, of]) => fact(name, values, of)));
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

/** What lines beside the way between the networks are. */
const BESIDE: Readonly<Partial<Record<Line['name'], string>>> = {
  calibrated: ' Calibrated: each point at the softmax temperature that fits it best.',
  ensemble: ' Ensemble: the mean of both networks’ logits, weighted as their weights are.',
};

function interpolation(lines: readonly Line[], splits: readonly SplitName[]): HTMLElement {
  const panel = (measure: 'loss' | 'accuracy', drawn: readonly Line[], magnified: boolean) => {
    const what = splits.length === 1 ? `${splits[0]} ${measure}` : measure;
    const visible = drawn.filter(({ measures }) => measures.includes(measure));
    const drawing = responsive(panelHeight, (width) =>
      interpolationFigure({ lines: visible, splits, measure, width, height: panelHeight, magnified }),
    );
    const note = magnified
      ? `${lines
          .slice(1)
          .map(({ name }) => name)
          .join(' and ')}, magnified`
      : '';
    return figure(capitalised(what), drawing, note);
  };
  const pair = (drawn: readonly Line[], magnified: boolean) =>
    element('div', { class: 'pair' }, panel('loss', drawn, magnified), panel('accuracy', drawn, magnified));
  const made = element(
    'section',
    { class: 'interpolation' },
    element('h2', {}, 'On the straight line between the networks'),
    pair(lines, false),
  );
  // Beside a tall barrier the aligned line looks flat: it gets an axis of its own.
  if (lines.filter(isWay).length > 1) made.append(pair(lines.slice(1), true));
  const styles = splits.map((split) => (split === 'test' ? 'solid: test data' : 'dashed: training data'));
  const key = [...styles, 'dotted: the straight line between the ends of the curve'].join('; ');
  const bar = `The upright bar is the barrier, the largest distance of the ${splits[0]} curve from it.`;
  const names = lines.map(({ name }) => BESIDE[name] ?? '').join('');
  made.append(element('p', { class: 'note' }, `${capitalised(key)}. ${bar}${names}`));
  return made;
}

function barriers(lines: readonly Line[]): HTMLElement {
  const rows = barrierRowsOf(lines);
  const head = headingRow([
    { text: 'measure' },
    { text: 'line' },
    { text: 'over the straight line' },
    { text: 'over the mean of the ends' },
    { text: 'at λ = 0.5' },
  ]);
  const cells = rows.map(({ quantity, line, overChord, overMean, atMidpoint }) => [
    quantity,
    element('span', { class: line }, line),
    overChord,
    overMean,
    atMidpoint,
  ]);
  return section(
    'Barriers',
    element('div', { class: 'barriers' }, table('Barriers under both conventions', [head], cells)),
    element(
      'p',
      { class: 'note' },
      'Largest excess of the loss, and shortfall of the accuracy, against the straight line between the two ends or against their mean. At λ = 0.5 the two are the same.',
    ),
  );
}

function points(result: CurveReport): HTMLElement {
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

/** How a matching went: its words, its objective after each sweep, its permutations. */
export function matchSection(match: MatchFields, title: string): HTMLElement {
  const history = objectiveHistory(match);
  const first = Object.entries(match.permutations).slice(0, 3);
  const total = Object.keys(match.permutations).length;
  const progress = history
    ? [
        figure(
          'Objective',
          responsive(smallHeight, (width) => objectiveFigure(history, width, smallHeight)),
          'after each sweep',
        ),
      ]
    : [];
  const matrices = first.map(([name, permutation]) => {
    const drawing = element('div', { class: 'matrix' }, permutationFigure(permutation, matrixSize));
    return figure(name, drawing, `${fixedUnits(permutation)} in place`);
  });
  const which = total > first.length ? `The first ${first.length} of ${plural(total, 'group')}.` : '';
  return section(
    title,
    element('p', {}, matchSentence(match)),
    element('div', { class: 'pair' }, ...progress, element('div', { class: 'matrices' }, ...matrices)),
    element(
      'p',
      { class: 'note' },
      `Each square is the permutation of one layer’s hidden units: a dot in row i and column j says that unit i of the permuted network was unit j. ${which}`.trim(),
    ),
  );
}

function training(networks: readonly TrainingFields[]): HTMLElement {
  const drawing = responsive(smallHeight, (width) => trainingFigure(networks, width, smallHeight));
  // A network may have been evaluated on either data set, or on none.
  const evaluated = (['test', 'train'] as const).filter((split) =>
    networks.some((network) => network[split]),
  );
  const columns = ['network', ...evaluated.flatMap((split) => [`${split} loss`, `${split} accuracy`])];
  const head = headingRow(columns.map((text) => ({ text })));
  const rows = networks.map((network) => [
    `seed ${network.seed}`,
    ...evaluated.flatMap((split) => {
      const measured = network[split];
      return measured ? [formatNumber(measured.loss), formatPercent(measured.accuracy)] : ['–', '–'];
    }),
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

/** What was run. */
export function networkFacts(result: NetworkResult): Fact[] {
  const facts: Fact[] = [['Model', result.model]];
  if (isDemo(result)) {
    const { name, train, test } = result.data;
    facts.push(['Data', `${name}: ${formatCount(train)} to train, ${formatCount(test)} to test`]);
    const files = result.networks.flatMap(({ checkpoint }) => checkpoint ?? []);
    if (files.length > 0) facts.push(['Checkpoints', files.join(', ')]);
  }
  if (isStats(result) || isPrune(result) || isAnalyse(result)) {
    const { name, split, images } = result.data;
    facts.push(['Data', `${name}: ${plural(images, `${split} image`)}`]);
    if (result.renormalise !== undefined) facts.push(['Corrected', result.renormalise]);
  }
  const assumptions =
    isMerge(result) || isCompare(result) || isStats(result) || isPrune(result) || isAnalyse(result)
      ? result.assumptions
      : (Object.values(matchesOf(result))[0]?.assumptions ?? []);
  if (assumptions.length > 0) facts.push(['Assumed', assumptions.join('; ')]);
  facts.push(['Adapter', result.adapter], ['Seed', String(result.seed)]);
  return facts;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
