/**
 * The picture this project is about: loss or accuracy along the straight line between two networks, as trained and aligned.
 *
 * Test is solid, train dashed. The chord between the ends is dotted, and a bar from it to the curve marks the largest excess: the
 * barrier. Curves carry their names; there is no legend to look up.
 */

import * as Plot from '@observablehq/plot';
import { formatBarrier, formatNumber, formatPercent, formatPoints } from './format.ts';
import { curveOf, isWay, type Line, type Measure, type SplitName } from './lines.ts';
import { asImage, baseOptions, colourOf, label, muted, type Svg } from './plot-style.ts';

export interface InterpolationOptions {
  readonly lines: readonly Line[];
  /** Data sets to draw; barriers are marked on the first. */
  readonly splits: readonly SplitName[];
  readonly measure: Measure;
  readonly width: number;
  readonly height: number;
  /** The axis spans the values instead of all from zero. */
  readonly magnified?: boolean;
}

/** Where a curve is farthest from its chord. */
export interface Excess {
  readonly lambda: number;
  readonly value: number;
  /** Of the chord, at this lambda. */
  readonly chord: number;
}

/** One panel: one measure of the given lines on the given data sets. */
export function interpolationFigure(options: InterpolationOptions): Svg {
  const { lines, splits, measure, width, height } = options;
  const split = splits[0]!;
  const domain = valueDomain(options);
  const labels = placeLabels(options, domain);
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: `${measure === 'loss' ? 'Loss' : 'Accuracy'} along the line between the networks`,
      ariaDescription: lines.map((line) => describe(line, split, measure)).join(' '),
      insetBottom: insetBottom(measure),
      x: { domain: [0, 1] },
      y: { domain },
      marks: [
        Plot.gridY({ ticks: 5, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 5, tickSize: 0, label: null, tickFormat: tickFormat(measure, domain) }),
        Plot.axisX({
          ticks: [0, 0.25, 0.5, 0.75, 1],
          tickSize: 4,
          label: 'λ (0: first network, 1: second)',
          labelAnchor: 'center',
          labelArrow: 'none',
          tickFormat: String,
        }),
        // Between the same two ends the aligned line runs along the chord of the naive one.
        ...(lines.filter(isWay).length === 1 ? [chordMark(lines[0]!, split, measure)] : []),
        ...lines.flatMap((line) => splits.map((each) => curveMark(line, each, measure))),
        ...lines.flatMap((line) => annotations(line, options, labels.get(line))),
        ...pointerMarks(lines, split, measure),
      ],
    }),
  );
}

/** @returns undefined where no point lies on the bad side of the chord: above it for a loss, below it for an accuracy. */
export function largestExcess(
  lambda: readonly number[],
  values: readonly number[],
  measure: Measure,
): Excess | undefined {
  const [first, last] = [values[0]!, values[values.length - 1]!];
  if (!Number.isFinite(first) || !Number.isFinite(last)) return undefined;
  const sign = measure === 'loss' ? 1 : -1;
  let found: Excess | undefined;
  let largest = 0;
  for (const [i, value] of values.entries()) {
    const chord = (1 - lambda[i]!) * first + lambda[i]! * last;
    const excess = sign * (value - chord);
    if (!Number.isFinite(value) || !(excess > largest)) continue;
    largest = excess;
    found = { lambda: lambda[i]!, value, chord };
  }
  return found;
}

function curveMark(line: Line, split: SplitName, measure: Measure): Plot.Markish {
  const look =
    split === 'test'
      ? { strokeWidth: 2.5 }
      : { strokeWidth: 1.5, strokeDasharray: '5,4', strokeOpacity: 0.9 };
  return Plot.line(curveOf(line, split)[measure], {
    x: line.curves.lambda,
    y: (value: number | null) => value,
    stroke: colourOf(line.name),
    ...look,
  });
}

function chordMark(line: Line, split: SplitName, measure: Measure): Plot.Markish {
  const values = curveOf(line, split)[measure];
  const ends = { x1: [0], x2: [1], y1: [values[0]!], y2: [values[values.length - 1]!] };
  return Plot.link([0], { ...ends, stroke: muted, strokeWidth: 1.5, strokeDasharray: '1,4' });
}

/** The bar from the chord to the curve, and the names. */
function annotations(
  line: Line,
  options: InterpolationOptions,
  place: LabelPlace | undefined,
): Plot.Markish[] {
  const { splits, measure, magnified = false } = options;
  const excess = largestExcess(line.curves.lambda, curveOf(line, splits[0]!)[measure], measure);
  const marks = place ? lineLabel(line, options, place, excess) : [];
  if (magnified && splits.length > 1) marks.push(...splits.map((split) => splitLabel(line, split, measure)));
  if (excess === undefined) return marks;
  const { lambda, value, chord } = excess;
  const colour = colourOf(line.name);
  const bar = { x1: [lambda], x2: [lambda], y1: [chord], y2: [value] };
  return [
    Plot.link([0], { ...bar, stroke: colour, strokeWidth: 1.5 }),
    Plot.dot([0], { x: [lambda], y: [value], r: 3.5, fill: colour }),
    ...marks,
  ];
}

/** The line's name and the length of its bar, beyond the curve: there no other line runs. */
function lineLabel(
  line: Line,
  { lines, splits, measure, magnified = false }: InterpolationOptions,
  { x, y, dy }: LabelPlace,
  excess: Excess | undefined,
): Plot.Markish[] {
  const { barrier } = curveOf(line, splits[0]!);
  const points = formatPoints(barrier.accuracy).replace('points', 'pts'); // the hump is narrow
  const amount = measure === 'loss' ? `+${formatBarrier(barrier.loss)}` : `−${points}`;
  const text = [magnified && lines.length === 1 ? '' : line.name, excess ? amount : ''].join(' ').trim();
  const anchor = x < 0.2 ? 'start' : x > 0.8 ? 'end' : 'middle';
  return [label({ x, y, text, colour: colourOf(line.name), dy, anchor })];
}

interface LabelPlace {
  readonly x: number;
  readonly y: number;
  /** Pixels from there. */
  readonly dy: number;
}

/**
 * Where each line's name goes: above its loss, below its accuracy, where the first line's hump is highest: under it there is most room for
 * the others' names. Names that would write over each other are stacked, away from the curves. The ensemble, which is beyond all others
 * on the good side, has its name there.
 */
function placeLabels(
  { lines, splits, measure, height }: InterpolationOptions,
  domain: readonly [number, number],
): Map<Line, LabelPlace> {
  const { lambda } = lines[0]!.curves;
  const lead = curveOf(lines[0]!, splits[0]!)[measure];
  const x = largestExcess(lambda, lead, measure)?.lambda ?? lambda[lambda.length >> 1]!;
  const { marginTop, marginBottom } = baseOptions(0, height);
  const frame = height - marginTop - marginBottom - insetBottom(measure);
  const away = measure === 'loss' ? -1 : 1; // pixels count downwards
  const places = lines
    .map((line) => ({ line, y: curveOf(line, splits[0]!)[measure][lambda.indexOf(x)]! }))
    .filter(({ y }) => Number.isFinite(y))
    .map((place) => ({ ...place, pixel: (-place.y / (domain[1] - domain[0])) * frame }))
    .sort((a, b) => away * (a.pixel - b.pixel));
  const found = new Map<Line, LabelPlace>();
  let last = Number.NEGATIVE_INFINITY;
  for (const { line, y, pixel } of places) {
    if (line.name === 'ensemble') {
      found.set(line, { x, y, dy: -16 * away });
      continue;
    }
    last = Math.max(away * pixel + 16, last + 17);
    found.set(line, { x, y, dy: away * last - pixel });
  }
  return found;
}

/** Where accuracy falls to nothing, its label still has room. */
function insetBottom(measure: Measure): number {
  return measure === 'loss' ? 0 : 20;
}

/** The name of the data set, at the right end of its curve. */
function splitLabel(line: Line, split: SplitName, measure: Measure): Plot.Markish {
  const values = curveOf(line, split)[measure];
  return label({
    x: 1,
    y: values[values.length - 1]!,
    text: split,
    colour: colourOf(line.name),
    dy: -12,
    anchor: 'end',
  });
}

/** The numbers under the pointer, of the first data set. */
function pointerMarks(lines: readonly Line[], split: SplitName, measure: Measure): Plot.Markish[] {
  const format = measure === 'loss' ? formatNumber : formatPercent;
  const lead = lines[0]!;
  const title = lead.curves.lambda.map((lambda, i) => {
    const values = lines.map((line) => `${line.name} ${format(curveOf(line, split)[measure][i]!)}`);
    return [`λ ${lambda.toFixed(3)}, ${split}`, ...values].join('\n');
  });
  const channels = { x: lead.curves.lambda, y: curveOf(lead, split)[measure] };
  return [
    Plot.ruleX(lead.curves.lambda, Plot.pointerX({ x: channels.x, stroke: muted, strokeWidth: 1 })),
    Plot.tip(
      lead.curves.lambda,
      Plot.pointerX({ ...channels, title, preferredAnchor: 'bottom', lineHeight: 1.35 }),
    ),
  ];
}

function describe(line: Line, split: SplitName, measure: Measure): string {
  const { barrier, midpoint } = curveOf(line, split);
  const [amount, middle] =
    measure === 'loss'
      ? [formatBarrier(barrier.loss), formatNumber(midpoint.loss)]
      : [formatPoints(barrier.accuracy), formatPercent(midpoint.accuracy)];
  return `${line.name}, ${split} data: barrier ${amount}, half-way ${middle}.`;
}

/**
 * A loss from zero and an accuracy to one, or (magnified) around the values: never so narrow that rounding noise looks like hills, and
 * with room for a label beyond either end.
 */
function valueDomain({ lines, splits, measure, magnified }: InterpolationOptions): [number, number] {
  const values = lines
    .flatMap((line) => splits.flatMap((split) => curveOf(line, split)[measure]))
    .filter((value) => Number.isFinite(value));
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (magnified) {
    const reach = 0.7 * Math.max(high - low, 0.02 * high, 1e-6);
    const middle = (low + high) / 2;
    const most = measure === 'loss' ? Number.POSITIVE_INFINITY : 1;
    return [Math.max(0, middle - reach), Math.min(most, middle + reach)];
  }
  if (measure === 'loss') return [0, high * 1.12 || 1];
  const air = 0.35 * Math.max(1 - low, 0.02);
  return [Math.max(0, Math.floor((low - air) * 20) / 20), 1];
}

/** As many decimals as five ticks of this domain need. */
function tickFormat(measure: Measure, [low, high]: readonly [number, number]): (value: number) => string {
  const scale = measure === 'loss' ? 1 : 100;
  const step = ((high - low) * scale) / 5;
  let decimals = 0;
  for (let unit = 1; decimals < 6 && step < unit; unit /= 10) decimals++;
  return (value) => `${(value * scale).toFixed(decimals)}${measure === 'loss' ? '' : '%'}`;
}
