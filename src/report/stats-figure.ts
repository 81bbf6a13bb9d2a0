/**
 * Something of each layer, from the input to the logits: a line for each network, which its caption names in the line's colour. Ratios
 * and sizes fall by the same factor from layer to layer where a network collapses, so their axis is logarithmic.
 */

import * as Plot from '@observablehq/plot';
import { contourLevels } from './plane-levels.ts';
import { asImage, background, baseOptions, ink, muted, type Svg } from './plot-style.ts';

/** One network's line. */
export interface LayerLine {
  readonly name: string;
  readonly colour: string;
  /** Open dots and dashes tell lines apart that lie on each other. */
  readonly isDashed: boolean;
  /** One value a layer; undefined where a layer has none. */
  readonly values: readonly (number | undefined)[];
}

export interface LayerFigureOptions {
  /** What is drawn, for who cannot see it. */
  readonly title: string;
  readonly layers: readonly string[];
  readonly lines: readonly LayerLine[];
  readonly isLogarithmic: boolean;
  /** Where a dotted line runs: what would be right. */
  readonly reference?: number;
  readonly format: (value: number) => string;
  readonly width: number;
}

/** Pixels that a name at the axis needs, and pixels of one letter. */
const NAME_WIDTH = 15;
const LETTER = 6.2;
const PLOT_HEIGHT = 210;

/** The height of a figure whose layers have these names: slanted ones need room. */
export function layerFigureHeight(layers: readonly string[]): number {
  return PLOT_HEIGHT + axisMargin(layers);
}

/** The lines of every network from layer to layer. */
export function layerFigure(options: LayerFigureOptions): Svg {
  const { title, layers, lines, isLogarithmic, reference, format, width } = options;
  const every = Math.ceil((layers.length * NAME_WIDTH) / Math.max(NAME_WIDTH, width - 60));
  const drawn = lines.map((line) => ({ ...line, points: pointsOf(line, isLogarithmic) }));
  const values = drawn.flatMap(({ points }) => points.map(({ value }) => value));
  const domain = domainOf(values, isLogarithmic, reference);
  const yTicks = isLogarithmic ? contourLevels(domain) : linearTicks(domain);
  return asImage(
    Plot.plot({
      ...baseOptions(width, layerFigureHeight(layers)),
      marginTop: 12,
      marginBottom: axisMargin(layers),
      ariaLabel: title,
      ariaDescription: lines.map((line) => describe(line, layers, format)).join(' '),
      x: { type: 'point', domain: layers.map((_, l) => l), padding: 0.3 },
      y: { type: isLogarithmic ? 'log' : 'linear', domain },
      marks: [
        Plot.gridY(yTicks, { stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY(yTicks, { tickSize: 0, label: null, tickFormat: format }),
        Plot.axisX(
          layers.map((_, l) => l).filter((l) => l % every === 0),
          {
            tickSize: 4,
            label: null,
            tickFormat: (l: number) => layers[l]!,
            ...(areSlanted(layers) ? { tickRotate: -50 } : {}),
          },
        ),
        ...(reference === undefined
          ? []
          : [Plot.ruleY([reference], { stroke: muted, strokeWidth: 1.5, strokeDasharray: '1,4' })]),
        ...drawn.flatMap(({ points, colour, isDashed }) => [
          Plot.line(points, {
            x: 'layer',
            y: 'value',
            stroke: colour,
            strokeWidth: 2,
            strokeDasharray: isDashed ? '5,3' : 'none',
          }),
          Plot.dot(points, {
            x: 'layer',
            y: 'value',
            r: 3,
            fill: isDashed ? background : colour,
            stroke: colour,
          }),
        ]),
        ...pointerMarks(options, drawn[drawn.length - 1]?.points ?? []),
      ],
    }),
  );
}

interface Point {
  readonly layer: number;
  readonly value: number;
}

/** What can be drawn: a logarithm has no place for 0. */
function pointsOf({ values }: LayerLine, isLogarithmic: boolean): Point[] {
  return values.flatMap((value, layer) =>
    value === undefined || !Number.isFinite(value) || (isLogarithmic && value <= 0) ? [] : [{ layer, value }],
  );
}

/** The numbers of every network under the pointer. */
function pointerMarks(
  { layers, lines, format }: LayerFigureOptions,
  points: readonly Point[],
): Plot.Markish[] {
  const title = points.map(({ layer }) => {
    const numbers = lines.map(({ name, values }) => `${name} ${formatted(values[layer], format)}`);
    return [layers[layer]!, ...numbers].join('\n');
  });
  const channels = { x: points.map(({ layer }) => layer), y: points.map(({ value }) => value) };
  return [
    Plot.ruleX(points, Plot.pointerX({ x: channels.x, stroke: muted, strokeWidth: 1 })),
    Plot.tip(points, Plot.pointerX({ ...channels, title, preferredAnchor: 'bottom', lineHeight: 1.35 })),
  ];
}

function formatted(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '–' : Number.isFinite(value) ? format(value) : 'not finite';
}

/** All values, with a little air; never so narrow that noise looks like hills. */
function domainOf(
  values: readonly number[],
  isLogarithmic: boolean,
  reference: number | undefined,
): [number, number] {
  const all = reference === undefined ? values : [...values, reference];
  if (all.length === 0) return [0.1, 1];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  if (!isLogarithmic) return [0, high * 1.1 || 1];
  const spread = Math.max(1.1, Math.sqrt(4 / (high / low)));
  return [low / spread, high * spread];
}

function linearTicks([, high]: readonly [number, number]): number[] {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25];
  const step = steps.find((each) => high / each <= 5) ?? high / 4;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
}

function areSlanted(layers: readonly string[]): boolean {
  return layers.length > 8 || layers.some((name) => name.length > 5);
}

function axisMargin(layers: readonly string[]): number {
  const longest = Math.max(...layers.map((name) => name.length));
  return areSlanted(layers) ? Math.round(18 + 0.77 * LETTER * longest) : 26;
}

function describe(
  { name, values }: LayerLine,
  layers: readonly string[],
  format: (value: number) => string,
): string {
  const each = values.flatMap((value, l) =>
    value === undefined ? [] : [`${layers[l]} ${formatted(value, format)}`],
  );
  return `${name}: ${each.join(', ')}.`;
}

/** The colours of up to three lines, as CSS. */
export const lineColours = {
  first: ink,
  second: 'var(--rebasin-second)',
  merged: 'var(--rebasin-aligned)',
} as const;
