/**
 * A figure of a study: for each line means over repetitions with their intervals, and every repetition as a small dot. Over numbers the
 * means are joined; over names they stand side by side, on bars where the axis starts at 0. Lines differ by colour and by shape.
 */
import * as Plot from '@observablehq/plot';
import { formatNumber, formatPercent } from './format.ts';
import { contourLevels } from './plane-levels.ts';
import { asImage, background, baseOptions, colourOf, ink, muted, type Svg } from './plot-style.ts';
import type { StudyFigure, StudyPoint } from './study-result.ts';

export interface StudyFigureOptions {
  readonly figure: StudyFigure;
  readonly width: number;
  readonly height: number;
}

/** How a line's points look. */
export interface LineLook {
  readonly colour: string;
  readonly symbol: Plot.SymbolType;
}

const COLOURS = [
  colourOf('naive'),
  colourOf('aligned'),
  colourOf('ensemble'),
  colourOf('calibrated'),
  ink,
] as const;
const SYMBOLS: readonly Plot.SymbolType[] = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross'];

/** Pixels between points of neighbouring lines over one number, so that intervals do not cover each other. */
const DODGE = 5;

/** Pixels of a letter at an axis, about. */
const LETTER = 6.7;

/** With ticks of our own a logarithmic axis would name only some of them: this makes it name all. */
const ALL_LABELS = Number.POSITIVE_INFINITY;

/** A look for each of so many lines; one alone is blue. */
export function lineLooks(count: number): LineLook[] {
  const first = count === 1 ? 1 : 0;
  return Array.from({ length: count }, (_, i) => ({
    colour: COLOURS[(first + i) % COLOURS.length]!,
    symbol: SYMBOLS[i % SYMBOLS.length]!,
  }));
}

/** A line's shape in its colour, to stand before its name. */
export function lineMark({ colour, symbol }: LineLook): Svg {
  const dot = Plot.dot([0], { frameAnchor: 'middle', symbol, fill: colour, r: 4.5 });
  const mark = Plot.plot({ width: 14, height: 14, margin: 0, axis: null, marks: [dot] });
  mark.setAttribute('aria-hidden', 'true');
  mark.setAttribute('class', 'mark');
  return mark;
}

/** A value as the figure's axis has it. */
export function formatOf({ y }: StudyFigure): (value: number) => string {
  return y.isPercentage ? formatPercent : formatNumber;
}

export function studyFigure({ figure, width, height }: StudyFigureOptions): Svg {
  const points = pointsOf(figure);
  const isNumeric = points.every(({ x }) => typeof x === 'number');
  const y = valueScale(figure, points, isNumeric);
  const across = isNumeric ? overNumbers(figure, points, width, y) : overNames(figure, points, width, y);
  const levels = contourLevels(y.domain);
  const grid = { stroke: muted, strokeOpacity: 0.2 };
  const axis = {
    ...{ tickSize: 0, label: null, tickFormat: figure.y.isPercentage ? percentTick : plainNumber },
  };
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: `${figure.title} against ${figure.x.label}`,
      ariaDescription: describe(figure),
      ...across.scales,
      // Colours and shapes are given as they are, not mapped.
      color: { type: 'identity' },
      symbol: { type: 'identity' },
      y: { domain: y.domain, type: y.isLogarithmic ? 'log' : 'linear' },
      marks: [
        ...(y.isLogarithmic
          ? [Plot.gridY(levels, grid), Plot.axisY(levels, { ...axis, ticks: ALL_LABELS })]
          : [Plot.gridY({ ...grid, ticks: 4 }), Plot.axisY({ ...axis, ticks: 4 })]),
        ...(y.domain[0] <= 0 ? [Plot.ruleY([0], { stroke: muted, strokeWidth: 1.5 })] : []),
        ...across.marks,
      ],
    }),
  );
}

/** A mean that can be drawn, and its line. */
interface DrawnPoint extends StudyPoint {
  readonly line: number;
  readonly name: string;
  readonly look: LineLook;
}

function pointsOf({ lines, y }: StudyFigure): DrawnPoint[] {
  const looks = lineLooks(lines.length);
  return lines.flatMap(({ name, points }, line) =>
    points
      .filter(({ mean }) => Number.isFinite(mean) && (!y.isLogarithmic || mean > 0))
      .map((point) => ({ ...point, line, name, look: looks[line]! })),
  );
}

interface ValueScale {
  readonly domain: readonly [number, number];
  readonly isLogarithmic: boolean;
}

/**
 * All means, intervals and repetitions. A linear axis starts at 0, unless lines lie so high above it that nothing would be seen of
 * them; bars always do.
 */
function valueScale({ y }: StudyFigure, points: readonly DrawnPoint[], isNumeric: boolean): ValueScale {
  const isLogarithmic = y.isLogarithmic === true;
  const all = points
    .flatMap(({ mean, margin = 0, values }) => [mean - margin, mean + margin, ...values])
    .filter((value) => Number.isFinite(value) && (!isLogarithmic || value > 0));
  if (all.length === 0) return { domain: isLogarithmic ? [0.1, 1] : [0, 1], isLogarithmic };
  const [low, high] = [Math.min(...all), Math.max(...all)];
  if (isLogarithmic) return { domain: [low / 1.15, high * 1.15], isLogarithmic };
  if (isNumeric && low > 0.5 * high) {
    const air = 0.1 * (high - low) || 0.1 * high;
    return { domain: [low - air, high + air], isLogarithmic };
  }
  const [bottom, top] = [Math.min(0, low), Math.max(0, high)];
  const air = 0.06 * (top - bottom) || 1;
  return { domain: [bottom < 0 ? bottom - air : 0, top > 0 || bottom === 0 ? top + air : 0], isLogarithmic };
}

/** What depends on the kind of x: its scales, and the marks. */
interface Across {
  readonly scales: Plot.PlotOptions;
  readonly marks: Plot.Markish[];
}

function overNumbers(
  figure: StudyFigure,
  points: readonly DrawnPoint[],
  width: number,
  { domain }: ValueScale,
): Across {
  const places = [...new Set(points.map(({ x }) => x as number))].sort((a, b) => a - b);
  const isLogarithmic = figure.x.isLogarithmic === true && places.every((x) => x > 0);
  const count = figure.lines.length;
  const marks = figure.lines.flatMap((_, line) => {
    const own = points.filter((point) => point.line === line);
    const dx = (line - (count - 1) / 2) * DODGE;
    return [
      ...own.slice(0, 1).map(({ look }) =>
        Plot.line(own, {
          x: 'x',
          y: 'mean',
          dx,
          stroke: look.colour,
          strokeWidth: 1.75,
          className: 'line',
        }),
      ),
      ...spreadMarks(own, domain, { x: 'x' }, dx),
    ];
  });
  return {
    scales: {
      x: {
        type: isLogarithmic ? 'log' : 'linear',
        inset: 14,
        // A single place would have no width to stand in.
        ...(places.length === 1 ? { domain: [0.5 * places[0]!, 1.5 * places[0]! || 1] } : {}),
      },
    },
    marks: [
      Plot.axisX(spacedTicks(places, isLogarithmic, width), {
        tickSize: 4,
        label: figure.x.label,
        labelAnchor: 'center',
        labelArrow: 'none',
        tickFormat: plainNumber,
        ticks: ALL_LABELS,
      }),
      ...marks,
      Plot.tip(places, Plot.pointerX(atEachPlace(figure, points, places))),
    ],
  };
}

function overNames(
  figure: StudyFigure,
  points: readonly DrawnPoint[],
  width: number,
  { domain, isLogarithmic }: ValueScale,
): Across {
  const names = [...new Set(points.map(({ x }) => String(x)))];
  const at = { fx: ({ x }: DrawnPoint) => String(x), x: 'line' } as const;
  const bars = Plot.barY(points, {
    ...at,
    y: 'mean',
    fill: ({ look }: DrawnPoint) => look.colour,
    fillOpacity: 0.22,
    className: 'bar',
  });
  const column = (width - 60) / Math.max(1, names.length);
  const lines = Math.max(...names.map((name) => name.length)) * LETTER > column ? 2 : 1;
  return {
    scales: {
      marginBottom: 24 + 14 * lines,
      x: { type: 'band', domain: figure.lines.map((_, line) => line), axis: null, padding: 0.12 },
      fx: { domain: names, padding: 0.2, axis: null },
    },
    marks: [
      Plot.axisFx({
        anchor: 'bottom',
        label: figure.x.label,
        labelAnchor: 'center',
        labelArrow: 'none',
        labelOffset: 20 + 14 * lines,
        ...(lines > 1 ? { lineWidth: column / 13 } : {}),
      }),
      ...(isLogarithmic ? [] : [bars]),
      ...spreadMarks(points, domain, at, 0),
      Plot.tip(
        points,
        Plot.pointerX({
          ...at,
          y: 'mean',
          title: (point: DrawnPoint) =>
            `${figure.x.label} ${point.x}\n${point.name} ${withMargin(point, formatOf(figure))}`,
          lineHeight: 1.35,
        }),
      ),
    ],
  };
}

/** Intervals, repetitions and means at their places. */
function spreadMarks(
  points: readonly DrawnPoint[],
  [bottom]: readonly [number, number],
  at: Pick<Plot.DotOptions, 'x' | 'fx'>,
  dx: number,
): Plot.Markish[] {
  const repetitions = points.flatMap((point) =>
    point.values.filter((value) => value >= bottom).map((value) => ({ ...point, value })),
  );
  const colour = ({ look }: DrawnPoint) => look.colour;
  return [
    Plot.ruleX(
      points.filter(({ margin }) => margin !== undefined),
      {
        ...at,
        dx,
        y1: ({ mean, margin }: DrawnPoint) => Math.max(bottom, mean - margin!),
        y2: ({ mean, margin }: DrawnPoint) => mean + margin!,
        stroke: colour,
        strokeWidth: 1.75,
        className: 'interval',
      },
    ),
    Plot.dot(repetitions, {
      ...at,
      dx: dx + 5,
      y: 'value',
      r: 1.6,
      fill: colour,
      fillOpacity: 0.7,
      className: 'repetition',
    }),
    Plot.dot(points, {
      ...at,
      dx,
      y: 'mean',
      r: 4.5,
      symbol: ({ look }: DrawnPoint) => look.symbol,
      fill: colour,
      stroke: background,
      strokeWidth: 1,
      className: 'mean',
    }),
  ];
}

/** The numbers of every line at each place, above the highest of them. */
function atEachPlace(figure: StudyFigure, points: readonly DrawnPoint[], places: readonly number[]) {
  const format = formatOf(figure);
  const here = places.map((place) => points.filter(({ x }) => x === place));
  return {
    x: places,
    y: here.map((all) => Math.max(...all.map(({ mean }) => mean))),
    title: here.map((all, i) =>
      [
        `${figure.x.label} ${plainNumber(places[i]!)}`,
        ...all.map((point) => `${point.name} ${withMargin(point, format)}`),
      ].join('\n'),
    ),
    preferredAnchor: 'bottom',
    lineHeight: 1.35,
  } as const;
}

function withMargin({ mean, margin }: StudyPoint, format: (value: number) => string): string {
  return margin === undefined ? format(mean) : `${format(mean)} ± ${format(margin)}`;
}

/** Places that have room for their numbers. */
function spacedTicks(places: readonly number[], isLogarithmic: boolean, width: number): number[] {
  const position = (x: number) => (isLogarithmic ? Math.log(x) : x);
  const [first, last] = [position(places[0] ?? 0), position(places[places.length - 1] ?? 1)];
  const pixels = (width - 90) / (last - first || 1);
  const kept: number[] = [];
  for (const place of places) {
    const before = kept[kept.length - 1];
    if (before === undefined || (position(place) - position(before)) * pixels >= 34) kept.push(place);
  }
  return kept;
}

/** Every mean with its margin, for who cannot see the picture. */
function describe(figure: StudyFigure): string {
  const format = formatOf(figure);
  return figure.lines
    .map(({ name, points }) => {
      const each = points.map((point) => `${point.x}: ${withMargin(point, format)}`);
      return `${name}, ${each.join('; ')}.`;
    })
    .join(' ');
}

/** 0.1 is 0.1, and not 0.1000. */
function plainNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function percentTick(value: number): string {
  return `${Number((100 * value).toPrecision(3))}%`;
}
