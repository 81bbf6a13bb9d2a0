/** What the report shows of a merge: the verdict, every network as a dot, a table, and how the networks were brought into one order. */

import { element, figure, headingRow, responsive, section, table } from './elements.ts';
import { permutationFigure } from './figures.ts';
import { formatNumber, formatPercent } from './format.ts';
import { type Lane, laneFigure, laneHeight } from './lane-figure.ts';
import { mergeColumns, mergeRows, mergeSentence } from './merge-summary.ts';
import { colourOf, ink } from './plot-style.ts';
import type { CollapseFields, MergeResult, ScoreFields } from './results.ts';
import { layerFigure, layerFigureHeight } from './stats-figure.ts';
import { collapseColumns } from './stats-summary.ts';

const matrixSize = 144;

/** The sections of a merge, from the facts under the headline on. */
export function mergeSections(result: MergeResult): HTMLElement[] {
  return [
    facts(result),
    verdict(result),
    networks(result),
    ...(result.collapse ? [layers(result.collapse)] : []),
    order(result),
  ];
}

function facts({ test, ensemble, models }: MergeResult): HTMLElement {
  const average = models.reduce((sum, model) => sum + model.coefficient * model.test.accuracy, 0);
  const parts: [string, string][] = [
    ['Test accuracy, merged', formatPercent(test.accuracy)],
    ['The networks on average', formatPercent(average)],
    ['The ensemble of their logits', formatPercent(ensemble.accuracy)],
    ['Test loss, merged', formatNumber(test.loss)],
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...parts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

function verdict(result: MergeResult): HTMLElement {
  return section('Verdict', ...result.verdict.slice(1).map((text) => element('p', {}, text)));
}

function networks(result: MergeResult): HTMLElement {
  const rows = mergeRows(result);
  const panel = (
    title: string,
    numberOf: (score: ScoreFields) => number,
    format: (value: number) => string,
    tickFormat: (value: number) => string,
  ) => {
    const lanes = rows.map(({ kind, name, score }, i): Lane => {
      const value = numberOf(score);
      return {
        group: '',
        // Two files may have one name.
        name: rows.findIndex((row) => row.name === name) === i ? name : `${name} (${i + 1})`,
        value: Number.isFinite(value) ? { mean: value, min: value, max: value } : undefined,
        colour: kind === 'merged' ? colourOf('aligned') : ink,
        isOpen: kind === 'ensemble',
      };
    });
    const description = rows.map(({ name, score }) => `${name}: ${format(numberOf(score))}.`).join(' ');
    const drawing = responsive(laneHeight(lanes, []), (width) =>
      laneFigure({ lanes, references: [], title, description, format, tickFormat, width }),
    );
    return figure(title, drawing);
  };
  const columns = mergeColumns(result);
  const cells = columns[0]!.cells.map((_, row) => columns.map((column) => column.cells[row]!));
  return section(
    'The networks and what they were merged into',
    element(
      'div',
      { class: 'pair' },
      panel(
        'Test accuracy',
        ({ accuracy }) => accuracy,
        formatPercent,
        (value) => `${Number((100 * value).toFixed(2))}%`,
      ),
      panel('Test loss', ({ loss }) => loss, formatNumber, String),
    ),
    table('The networks', [headingRow(columns.map(({ heading }) => ({ text: heading })))], cells),
    element(
      'p',
      { class: 'note' },
      'Calibrated loss: at the softmax temperature that makes it least on these very images, so it says how much of a loss is due to the size of the logits alone.',
    ),
  );
}

/** What became of the activations, beside the models' weighted mean. */
function layers(collapse: CollapseFields): HTMLElement {
  const all = [...collapse.layers, collapse.logits];
  const names = all.map(({ layer }) => layer);
  const panel = (title: string, values: readonly (number | undefined)[]) => {
    const line = { name: title, colour: colourOf('aligned'), isDashed: false, values };
    const drawing = responsive(layerFigureHeight(names), (width) =>
      layerFigure({
        ...{ title, layers: names, lines: [line], isLogarithmic: true, width, reference: 1 },
        format: (value) => formatNumber(Number(value.toPrecision(2)), 2),
      }),
    );
    return figure(title, drawing, 'beside the networks');
  };
  const columns = collapseColumns(collapse);
  const cells = columns[0]!.cells.map((_, row) => columns.map((column) => column.cells[row]!));
  return section(
    'Layer by layer',
    element(
      'div',
      { class: 'pair' },
      panel(
        'Variance',
        all.map(({ varianceRatio }) => varianceRatio),
      ),
      panel(
        'Response',
        all.map(({ feature }) => feature),
      ),
    ),
    table(
      'What is left of each layer',
      [headingRow(columns.map(({ heading }) => ({ text: heading })))],
      cells,
    ),
    element(
      'p',
      { class: 'note' },
      'Divided by the mean of the networks (dotted), on test images. Response is how far a layer’s activations move with the input; the last layer gives the logits.',
    ),
  );
}

/** How units were matched; of two networks the permutation of the second as well. */
function order(result: MergeResult): HTMLElement {
  const [, second] = result.permutations;
  const groups = result.models.length === 2 && result.strategy !== 'none' ? Object.entries(second ?? {}) : [];
  const matrices = groups
    .slice(0, 5)
    .map(([name, permutation]) =>
      figure(name, element('div', { class: 'matrix' }, permutationFigure(permutation, matrixSize))),
    );
  return section(
    'One order of units',
    element('p', {}, mergeSentence(result)),
    ...(matrices.length > 0 ? [element('div', { class: 'matrices' }, ...matrices)] : []),
  );
}
