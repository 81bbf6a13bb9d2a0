/**
 * The picture this project is about: loss or accuracy along the straight line between two networks, as trained and aligned.
 *
 * Test is solid, train dashed. The chord between the ends is dotted, and a bar from it to the curve marks the largest excess: the
 * barrier. Curves carry their names; there is no legend to look up.
 */

import * as Plot from '@observablehq/plot';
import { formatBarrier, formatNumber, formatPercent, formatPoints } from './format.ts';
import { curveOf, type Line, type SplitName } from './lines.ts';
import { asImage, baseOptions, colourOf, label, muted, type Svg } from './plot-style.ts';
import type { LossAndAccuracy } from './results.ts';

type Measure = keyof LossAndAccuracy;

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
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: `${measure === 'loss' ? 'Loss' : 'Accuracy'} along the line between the networks`,
      ariaDescription: lines.map((line) => describe(line, split, measure)).join(' '),
      x: { domain: [0, 1] },
      y: { domain },
      marks: [
        Plot.gridY({ ticks: 5, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 5, tickSize: 0, label: null, tickFormat: tickFormat(measure, domain) }),
        Plot.axisX({
          ticks: [0, 0.25, 0.5, 0.75, 1],
          tickSize: 4,
          label: 'λ',
          labelAnchor: 'center',
          labelArrow: 'none',
          tickFormat: String,
        }),
        ...lines.map((line) => chordMark(line, split, measure)),
        ...lines.flatMap((line) => splits.map((each) => curveMark(line, each, measure))),
        ...lines.flatMap((line) => annotations(line, options)),
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

/** The bar from the chord to the curve with its length in numbers, and the name of the curve. */
function annotations(
  line: Line,
  { lines, splits, measure, magnified }: InterpolationOptions,
): Plot.Markish[] {
  const curve = curveOf(line, splits[0]!);
  const values = curve[measure];
  const colour = colourOf(line.name);
  const isLoss = measure === 'loss';
  const excess = largestExcess(line.curves.lambda, values, measure);
  // Beside a tall barrier the aligned line's own is a hair: it has a magnified panel for that.
  const leads = line === lines[0];
  const marks: Plot.Markish[] = [];
  if (excess !== undefined && leads) {
    const { lambda, value, chord } = excess;
    const amount = curve.barrier[measure];
    const text = isLoss ? `+${formatBarrier(amount)}` : `−${formatPoints(amount)}`;
    const inside =
      lambda <= 0.6 ? ({ dx: 9, anchor: 'start' } as const) : ({ dx: -9, anchor: 'end' } as const);
    marks.push(
      Plot.link([0], {
        x1: [lambda],
        x2: [lambda],
        y1: [chord],
        y2: [value],
        stroke: colour,
        strokeWidth: 1.5,
      }),
      Plot.dot([0], { x: [lambda], y: [value], r: 4, fill: colour }),
      label({ x: lambda, y: (value + chord) / 2, text, colour, ...inside }),
    );
  }
  const at = leads && excess ? excess : { lambda: 0.5, value: values[values.length >> 1]! };
  if (!magnified && Number.isFinite(at.value)) {
    const dy = isLoss ? -16 : 16;
    marks.push(label({ x: at.lambda, y: at.value, text: line.name, colour, dy, bold: true }));
  }
  return marks;
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
    Plot.tip(lead.curves.lambda, Plot.pointerX({ ...channels, title, preferredAnchor: 'bottom' })),
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

/** From zero (accuracies: to one), or around the values with some air, and never so narrow that rounding noise looks like hills. */
function valueDomain({ lines, splits, measure, magnified }: InterpolationOptions): [number, number] {
  const values = lines
    .flatMap((line) => splits.flatMap((split) => curveOf(line, split)[measure]))
    .filter((value) => Number.isFinite(value));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (values.length === 0) return [0, 1];
  if (!magnified) return measure === 'loss' ? [0, high * 1.12 || 1] : [0, 1];
  const [span, middle] = [Math.max(high - low, 0.02 * high) * 0.6, (low + high) / 2];
  const top = middle + span;
  return [Math.max(0, middle - span), measure === 'loss' ? top : Math.min(1, top)];
}

/** As many decimals as five ticks of this domain need. */
function tickFormat(measure: Measure, [low, high]: readonly [number, number]): (value: number) => string {
  const scale = measure === 'loss' ? 1 : 100;
  const step = ((high - low) * scale) / 5;
  let decimals = 0;
  for (let unit = 1; decimals < 6 && step < unit; unit /= 10) decimals++;
  return (value) => `${(value * scale).toFixed(decimals)}${measure === 'loss' ? '' : '%'}`;
}
