/**
 * Loss or accuracy on the plane through three models, as a contour picture: the models marked and named, equal distances equally long in
 * both directions, bands of one colour between round levels, and a legend that tells the levels.
 */

import * as Plot from '@observablehq/plot';
import { formatNumber, formatPercent, shown } from './format.ts';
import type { SplitName } from './lines.ts';
import { contourLevels } from './plane-levels.ts';
import { asImage, background, baseOptions, ink, label, levelColours, type Svg } from './plot-style.ts';
import type { LossAndAccuracy, PlaneResult } from './results.ts';

type Measure = keyof LossAndAccuracy;

export interface PlaneFigureOptions {
  readonly result: PlaneResult;
  readonly split: SplitName;
  readonly measure: Measure;
  readonly width: number;
}

/** How a plane is shown: by what is bad about a point, the loss or the error, in bands between levels. */
interface Bands {
  /** [y][x] in one row; NaN where the loss was not finite. */
  readonly values: readonly number[];
  readonly levels: readonly number[];
  /** One for each band, the best first. */
  readonly colours: readonly string[];
}

const margins = { marginTop: 10, marginRight: 12, marginBottom: 42, marginLeft: 52 };

/** The height at which a distance is as long upwards as sideways. */
export function planeHeight({ grid }: PlaneResult, width: number): number {
  const extent = (values: readonly number[]) => values[values.length - 1]! - values[0]!;
  const frame = width - margins.marginLeft - margins.marginRight;
  return Math.round((frame * extent(grid.y)) / extent(grid.x)) + margins.marginTop + margins.marginBottom;
}

/** The contour picture. */
export function planeFigure(options: PlaneFigureOptions): Svg {
  const { result, measure, width } = options;
  const { x, y } = result.grid;
  const [first, second] = result.models;
  const bands = bandsOf(options);
  return asImage(
    Plot.plot({
      ...baseOptions(width, planeHeight(result, width)),
      ...margins,
      ariaLabel: `${measure === 'loss' ? 'Loss' : 'Accuracy'} on the plane through three networks`,
      ariaDescription: describe(options),
      x: { domain: ends(x) },
      y: { domain: ends(y) },
      color: { type: 'threshold', domain: [...bands.levels], range: [...bands.colours] },
      marks: [
        Plot.contour(filled(bands.values), contourOptions(result, bands)),
        blanks(result, bands),
        Plot.axisX(axisOptions(`distance from ${first!.name} towards ${shown(second!.name)}`)),
        Plot.axisY(axisOptions('distance from that line')),
        ...sides(result),
        ...modelMarks(result),
        pointerMark(options),
      ],
    }),
  );
}

/** The colours and the levels between them, best to worst. */
export function planeLegend(options: PlaneFigureOptions): Node {
  const { levels, colours } = bandsOf(options);
  const names = levels.map((level) => levelName(options.measure, level));
  const legend = Plot.legend({
    color: { type: 'threshold', domain: [...levels], range: [...colours] },
    tickFormat: (_: unknown, i: number) => names[i]!,
    width: Math.min(options.width, 420),
    height: 34,
    marginTop: 0,
    marginBottom: 20,
    tickSize: 4,
    style: { fontSize: '12px', fontFamily: 'inherit', background: 'transparent' },
  });
  legend.setAttribute('aria-hidden', 'true'); // the picture's description tells what matters
  return legend;
}

function bandsOf({ result, split, measure }: PlaneFigureOptions): Bands {
  const values = result[split]![measure].flat().map((value) => {
    if (!Number.isFinite(value)) return Number.NaN;
    return measure === 'loss' ? value : 1 - value;
  });
  const levels = contourLevels(values);
  // Few bands still span all colours.
  const most = levelColours.length - 1;
  const colours = Array.from(
    { length: levels.length + 1 },
    (_, band) => levelColours[levels.length === 0 ? 0 : Math.round((band * most) / levels.length)]!,
  );
  return { values, levels, colours };
}

/** Each grid point is the centre of a cell: cells reach half a step beyond the grid, and are cut there. */
function contourOptions({ grid }: PlaneResult, { values, levels }: Bands): Plot.ContourOptions {
  const { x, y } = grid;
  const [halfX, halfY] = [halfStep(x), halfStep(y)];
  const lowest = Math.min(...values.filter(Number.isFinite));
  return {
    ...{ x1: x[0]! - halfX, x2: x[x.length - 1]! + halfX, y1: y[0]! - halfY, y2: y[y.length - 1]! + halfY },
    ...{ width: x.length, height: y.length },
    thresholds: [lowest, ...levels],
    fill: (value: number) => value,
    stroke: background,
    strokeOpacity: 0.55,
    strokeWidth: 0.75,
    clip: true,
  };
}

/** Covers the cells of points whose value is not finite, which a contour cannot leave out. */
function blanks({ grid: { x, y } }: PlaneResult, { values }: Bands): Plot.Markish {
  const points = values.flatMap((value, i) => (Number.isFinite(value) ? [] : [i]));
  const [halfX, halfY] = [halfStep(x), halfStep(y)];
  const at = (i: number) => ({ x: x[i % x.length]!, y: y[Math.floor(i / x.length)]! });
  return Plot.rect(points, {
    x1: (i: number) => at(i).x - halfX,
    x2: (i: number) => at(i).x + halfX,
    y1: (i: number) => at(i).y - halfY,
    y2: (i: number) => at(i).y + halfY,
    fill: background,
    stroke: background, // no hairlines between cells
    clip: true,
  });
}

const halfStep = (at: readonly number[]) => (at[1]! - at[0]!) / 2;

function axisOptions(name: string) {
  return { ticks: 5, tickSize: 4, label: name, labelArrow: 'none', labelAnchor: 'center' } as const;
}

/** The triangle, so that one sees which way the straight lines between the networks go. */
function sides({ models }: PlaneResult): Plot.Markish[] {
  const pairs = models.flatMap((from, i) => models.slice(i + 1).map((to) => ({ from, to })));
  const at = {
    x1: pairs.map(({ from }) => from.x),
    y1: pairs.map(({ from }) => from.y),
    x2: pairs.map(({ to }) => to.x),
    y2: pairs.map(({ to }) => to.y),
  };
  return [
    Plot.link(pairs, { ...at, stroke: background, strokeWidth: 3, strokeOpacity: 0.6 }),
    Plot.link(pairs, { ...at, stroke: ink, strokeWidth: 1.25, strokeDasharray: '4,3' }),
  ];
}

/** A dot and a name at each model, the name on the outside of the triangle. */
function modelMarks({ models }: PlaneResult): Plot.Markish[] {
  const centre = models.reduce((sum, { y }) => sum + y, 0) / models.length;
  const dots = Plot.dot(models, { x: 'x', y: 'y', r: 5, fill: background, stroke: ink, strokeWidth: 2 });
  const names = models.map(({ name, x, y }) => label({ x, y, text: shown(name), dy: y > centre ? -16 : 17 }));
  return [dots, ...names];
}

/** The number under the pointer, at the nearest point that was evaluated. */
function pointerMark({ result, split, measure }: PlaneFigureOptions): Plot.Markish {
  const { x, y } = result.grid;
  const values = result[split]![measure].flat();
  const format = measure === 'loss' ? formatNumber : formatPercent;
  return Plot.tip(
    values,
    Plot.pointer({
      x: values.map((_, i) => x[i % x.length]!),
      y: values.map((_, i) => y[Math.floor(i / x.length)]!),
      title: values.map((value) => `${split} ${measure} ${format(value)}`),
    }),
  );
}

function describe({ result, split, measure }: PlaneFigureOptions): string {
  const format = measure === 'loss' ? formatNumber : formatPercent;
  const values = result[split]![measure].flat().filter((value) => Number.isFinite(value));
  const at = result.models.map(({ name }, i) => `${name} ${format(result[split]!.models[i]![measure])}`);
  return `${split} data. At the networks: ${at.join(', ')}. On the grid from ${format(Math.min(...values))} to ${format(Math.max(...values))}.`;
}

/** A level as it is read: of an error, the accuracy. */
function levelName(measure: Measure, level: number): string {
  if (measure === 'loss') return String(level);
  return `${Number((100 * (1 - level)).toPrecision(6))}%`;
}

/** The values, with the largest in place of what is not finite. */
function filled(values: readonly number[]): number[] {
  const largest = Math.max(...values.filter(Number.isFinite));
  return values.map((value) => (Number.isFinite(value) ? value : largest));
}

const ends = (values: readonly number[]): [number, number] => [values[0]!, values[values.length - 1]!];
