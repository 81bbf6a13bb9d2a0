/** What the report shows of singular values and vectors: how alike they are, in the networks and in their mean, and where inputs point. */

import { analysisTable, matchingName } from './analyse-parts.ts';
import type { SingularFields, SingularLayer, SingularResult } from './analyse-result.ts';
import { alignmentColumns, formatScore, formatTiny, layerColumns } from './analyse-summary.ts';
import { element, figure, responsive, section } from './elements.ts';
import { plural } from './format.ts';
import { colourOf, ink } from './plot-style.ts';
import { type BarSeries, barFigure, spectrumFigure } from './singular-figure.ts';

const barHeight = 230;
const layerHeight = 190;

/** Layers that are drawn; the JSON has them all. */
const MOST_LAYERS = 6;

export function singularSections(result: SingularResult, singular: SingularFields): HTMLElement[] {
  const drawn = chosenLayers(singular.layers);
  return [
    alignment(result, singular),
    values(result, singular, drawn),
    ...(drawn.some(({ inputDirections }) => inputDirections) ? [directions(singular, drawn)] : []),
  ];
}

/** Bars in the colours that words name: orange as they are, blue as the first method matches, others as they come. */
const colours = [colourOf('naive'), colourOf('aligned'), ink, colourOf('ensemble'), colourOf('calibrated')];

function alignment(result: SingularResult, singular: SingularFields): HTMLElement {
  const groups = singular.gammas.map(String);
  const panel = (title: string, note: string, series: readonly BarSeries[]) => {
    const drawing = responsive(barHeight, (width) =>
      barFigure({ groups, label: 'γ', series, title, format: formatScore, width, height: barHeight }),
    );
    const made = figure(title, drawing, note);
    made.querySelector('figcaption')?.append(...series.flatMap(key));
    return made;
  };
  const networks = result.matchings.map(
    ({ align, alignment: found }, i): BarSeries => ({
      name: matchingName(align),
      colour: colours[i % colours.length]!,
      values: found?.score ?? [],
    }),
  );
  const merges = mergeSeries(result, singular);
  return section(
    'Are the singular vectors the same?',
    element(
      'div',
      { class: 'pair' },
      panel('Alignment score R(γ)', 'of A and B', networks),
      ...(merges.length > 0 ? [panel('Alignment score R(γ)', 'of the mean with its parents', merges)] : []),
    ),
    element(
      'p',
      { class: 'note' },
      'R is 1 where the singular vectors of all layers are the same and in the same order, and about 0 where they have nothing to do with each other. ' +
        'Only those count whose singular value is at least γ times the largest of their layer: on the left all of them, on the right the few directions that a layer amplifies most.',
    ),
    analysisTable('Alignment scores', alignmentColumns(result)),
  );
}

/** The means as they are and as matched, each with both its parents, on average. */
function mergeSeries({ matchings }: SingularResult, { gammas, alignment: all }: SingularFields): BarSeries[] {
  const means = [...new Set(all.map(({ networks }) => networks[0]))].filter((name) => name.startsWith('('));
  return means.map((mean, i) => {
    const both = all.filter(({ networks }) => networks[0] === mean);
    return {
      name: matchingName(i === 0 ? 'none' : (matchings[1]?.align ?? 'none')),
      colour: colours[i]!,
      values: gammas.map((_, at) => both.reduce((sum, { score }) => sum + score[at]! / both.length, 0)),
    };
  });
}

function key({ name, colour }: BarSeries): (Node | string)[] {
  const made = element('strong', { class: 'key' }, name);
  made.style.color = colour;
  return [' ', made];
}

function values(
  result: SingularResult,
  singular: SingularFields,
  drawn: readonly SingularLayer[],
): HTMLElement {
  const panels = drawn.map(({ layer, singularValues: { a, b } }) => {
    const networks = [a, b].map((y) => ({ x: y.map((_, i) => i + 1), y }));
    const drawing = responsive(layerHeight, (width) =>
      spectrumFigure({
        ...{ title: `Singular values of ${layer}`, label: 'number', networks, width, height: layerHeight },
      }),
    );
    return figure(layer, drawing);
  });
  return section(
    'Singular values',
    element('div', { class: 'triple' }, ...panels),
    element(
      'p',
      { class: 'note' },
      `${whichLayers(singular, drawn)}Filled: A; open: B. Permuting units changes no singular value: the largest change of any is ` +
        `${formatTiny(singular.invariance)} of its layer’s largest, which is rounding. So networks whose values differ cannot be brought together by any permutation.`,
    ),
    element('div', { class: 'layers' }, analysisTable('Singular values of each layer', layerColumns(result))),
  );
}

function directions(singular: SingularFields, drawn: readonly SingularLayer[]): HTMLElement {
  const panels = drawn.flatMap(({ layer, singularValues, inputDirections }) => {
    if (!inputDirections) return [];
    const { a, b, random } = inputDirections;
    const networks = [
      { x: relative(singularValues.a), y: a },
      { x: relative(singularValues.b), y: b },
    ];
    const drawing = responsive(layerHeight, (width) =>
      spectrumFigure({
        ...{ title: `Input directions of ${layer}`, label: 'singular value, of the largest', networks },
        ...{ reference: random, width, height: layerHeight },
      }),
    );
    return [figure(layer, drawing)];
  });
  return section(
    'Where inputs point',
    element('div', { class: 'triple' }, ...panels),
    element(
      'p',
      { class: 'note' },
      `${whichLayers(singular, drawn)}Each dot is a right singular vector; its height is the mean of |cos| of its angle with the inputs of its layer. Filled: A; open: B; ` +
        'dotted: inputs in random directions. Where dots rise to the right, inputs lie along the directions that the layer amplifies most, and it is these that have to be aligned.',
    ),
  );
}

function relative(singularValues: readonly number[]): number[] {
  const [largest = 0] = singularValues;
  return singularValues.map((value) => (largest === 0 ? 0 : value / largest));
}

/** The first and the last, and evenly what lies between. */
function chosenLayers(layers: readonly SingularLayer[]): SingularLayer[] {
  if (layers.length <= MOST_LAYERS) return [...layers];
  const step = (layers.length - 1) / (MOST_LAYERS - 1);
  return Array.from({ length: MOST_LAYERS }, (_, i) => layers[Math.round(i * step)]!);
}

function whichLayers({ layers }: SingularFields, drawn: readonly SingularLayer[]): string {
  return layers.length === drawn.length ? '' : `${drawn.length} of ${plural(layers.length, 'layer')}. `;
}
