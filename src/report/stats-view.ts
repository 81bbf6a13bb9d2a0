/** What the report shows of activation statistics: the numbers to take away, what to try, each layer as a picture, and tables. */

import { element, type Fact, factList, figure, headingRow, responsive, section, table } from './elements.ts';
import { formatNumber, formatPercent, shown } from './format.ts';
import { activationAfter } from './layers.ts';
import type { LayerSummary, StatsResult } from './results.ts';
import { type LayerLine, layerFigure, layerFigureHeight, lineColours } from './stats-figure.ts';
import { type Column, collapseColumns, layerColumns, networkColumns } from './stats-summary.ts';

/** The sections of statistics, from the facts under the headline on. */
export function statsSections(result: StatsResult): HTMLElement[] {
  const { collapse, networks } = result;
  return [
    ...(collapse ? [facts(result), advice(result)] : []),
    pictures(result),
    collapse ? comparison(result) : section('Layer by layer', layerTable(networks[0]!.layers)),
    section('On these images', columnTable('Loss and accuracy', networkColumns(result))),
    ...(collapse ? networks.map(({ name, layers }) => details(shown(name), layers)) : []),
  ];
}

function facts({ data, networks, collapse }: StatsResult): HTMLElement {
  const [a, b, merged] = networks;
  const ratios = collapse!.layers.map(({ varianceRatio }) => varianceRatio).filter(Number.isFinite);
  const { feature } = collapse!.logits;
  const parts: Fact[] = [
    [`${data.split === 'test' ? 'Test' : 'Training'} accuracy, merged`, formatPercent(merged!.accuracy)],
    ['The ends on average', formatPercent((a!.accuracy + b!.accuracy) / 2)],
    ...(ratios.length > 0
      ? ([['Variance left, at least', wholePercent(Math.min(...ratios))]] as Fact[])
      : []),
    ...(feature === undefined ? [] : ([['Response of the logits', wholePercent(feature)]] as Fact[])),
  ];
  return factList('facts', parts);
}

function advice({ collapse }: StatsResult): HTMLElement {
  const { fix } = collapse!.verdict;
  return section(
    'What to try',
    element('p', {}, fix === undefined ? 'Nothing is to be mended here.' : `${capitalised(fix)}.`),
  );
}

interface Panel {
  readonly title: string;
  readonly note: string;
  readonly isLogarithmic: boolean;
  readonly reference?: number;
  readonly format: (value: number) => string;
  /** Of the layer itself, or of the activation function after it. */
  readonly of: (layer: LayerSummary, activation: LayerSummary | undefined) => number | undefined;
  /** Whether it is divided by the mean of the ends. */
  readonly isRelative?: boolean;
}

const RATIO = {
  note: 'beside the ends',
  isLogarithmic: true,
  isRelative: true,
  reference: 1,
  format: formatTick,
};
const SIZE = { isLogarithmic: true, format: formatTick };
const SHARE = { isLogarithmic: false, format: (share: number) => `${formatTick(100 * share)}%` };

const SCALE: Panel = { ...SIZE, title: 'Scale', note: 'mean of |x|', of: ({ scale }) => scale };
const ZEROS: Panel = {
  ...SHARE,
  title: 'Zeros',
  note: 'after the activation function',
  of: (_, activation) => activation?.zeroRatio,
};

const COMPARED: readonly Panel[] = [
  { ...RATIO, title: 'Variance', of: ({ variance }) => variance },
  { ...RATIO, title: 'Response', of: ({ featureDistance }) => featureDistance },
  SCALE,
  ZEROS,
];

const ALONE: readonly Panel[] = [
  { ...SIZE, title: 'Standard deviation', note: 'mean over channels', of: ({ deviation }) => deviation },
  SCALE,
  ZEROS,
  {
    ...SHARE,
    title: 'Dead channels',
    note: 'that are 0 for every image',
    of: (_, activation) => activation && activation.dead / activation.channels,
  },
];

function pictures(result: StatsResult): HTMLElement {
  const { networks, collapse } = result;
  const names = collapse
    ? [...collapse.layers, collapse.logits].map(({ layer }) => layer)
    : mainLayers(networks[0]!.layers);
  const panels = (collapse ? COMPARED : ALONE).map((panel) => drawPanel(panel, result, names));
  const grid = element('div', { class: 'pair' }, ...panels);
  const made = section(collapse ? 'Half-way between the networks' : 'From the input to the logits', grid);
  if (collapse) {
    made.append(
      element(
        'p',
        { class: 'note' },
        'Variance and response are divided by the mean of the ends; dotted: the ends on average. Response is how far a layer’s activations move with the input: their mean distance from those for an input of zeros. Where it is lost, what reaches the logits is the doing of biases.',
      ),
    );
  }
  return made;
}

/** Norms and the logits, or linear layers and convolutions where there are no norms. */
function mainLayers(layers: readonly LayerSummary[]): string[] {
  const weighted = layers.filter(({ kind }) => kind === 'weighted');
  const norms = layers.filter(({ kind }) => kind === 'normalised');
  const main = norms.length > 0 ? [...norms, ...weighted.slice(-1)] : weighted;
  return main.map(({ layer }) => layer);
}

function drawPanel(panel: Panel, { networks }: StatsResult, layers: readonly string[]): HTMLElement {
  const { title, note, isLogarithmic, reference, format } = panel;
  const read = networks.map(({ layers: all }) => layers.map((layer) => readLayer(panel, all, layer)));
  const lines = networks.map(({ name }, i): LayerLine => {
    const values = read[i]!.map((value, l) =>
      value === undefined || !panel.isRelative ? value : (2 * value) / (read[0]![l]! + read[1]![l]!),
    );
    return { name: shown(name), ...LOOKS[i]!, values };
  });
  const drawing = responsive(layerFigureHeight(layers), (width) =>
    layerFigure({
      ...{ title, layers, lines, isLogarithmic, format, width },
      ...(reference === undefined ? {} : { reference }),
    }),
  );
  const made = figure(title, drawing, note);
  if (lines.length > 1) made.querySelector('figcaption')?.append(...lines.flatMap(key));
  return made;
}

const LOOKS = [
  { colour: lineColours.first, isDashed: false },
  { colour: lineColours.second, isDashed: true },
  { colour: lineColours.merged, isDashed: false },
] as const;

/** A line's name in its colour. */
function key({ name, colour }: LayerLine): (Node | string)[] {
  const made = element('strong', { class: 'key' }, name);
  made.style.color = colour;
  return [' ', made];
}

/** What a panel reads at a layer. */
function readLayer({ of }: Panel, all: readonly LayerSummary[], name: string): number | undefined {
  const layer = all.find((each) => each.kind !== 'activation' && each.layer === name);
  return layer && of(layer, activationAfter(all, layer));
}

function comparison({ collapse }: StatsResult): HTMLElement {
  return section(
    'Layer by layer',
    columnTable('The merged network beside its ends', collapseColumns(collapse!)),
    element(
      'p',
      { class: 'note' },
      'The last layer gives the logits. Zeros are those of the activation function after the layer.',
    ),
  );
}

function details(name: string, layers: readonly LayerSummary[]): HTMLElement {
  return element(
    'details',
    {},
    element('summary', {}, `All ${layers.length} places in ${name}`),
    layerTable(layers),
  );
}

function layerTable(layers: readonly LayerSummary[]): HTMLElement {
  return element('div', { class: 'layers' }, columnTable('Activations of each layer', layerColumns(layers)));
}

function columnTable(caption: string, columns: readonly Column[]): HTMLElement {
  const head = headingRow(columns.map(({ heading }) => ({ text: heading })));
  const rows = columns[0]!.cells.map((_, row) => columns.map(({ cells }) => shown(cells[row]!)));
  return table(caption, [head], rows);
}

/** Two digits, none of them needless: 0.5, 20, 0.0012. */
function formatTick(value: number): string {
  return formatNumber(Number(value.toPrecision(2)), 2)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

function wholePercent(share: number): string {
  return Number.isFinite(share) ? `${formatNumber(100 * share, 2)}%` : formatNumber(share);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
