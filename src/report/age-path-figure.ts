/** The pictures of an age path: the solution against the age with its events, and the held-out error beside the grid's. */
import * as Plot from '@observablehq/plot';
import type { AgePathResult } from './age-path-result.ts';
import { formatError, lowest } from './age-path-summary.ts';
import { formatNumber } from './format.ts';
import { asImage, background, baseOptions, label, muted, type Svg } from './plot-style.ts';

const pathColour = 'var(--rebasin-aligned)';
const gridColour = 'var(--rebasin-naive)';

interface CurvePoint {
  readonly age: number;
  /** null breaks the line: over a jump nothing is drawn. */
  readonly value: number | null;
  readonly name: string;
}

/** Coefficients or margins against the age. Upright lines are jumps, ticks at the bottom changes of sets. */
export function solutionFigure(result: AgePathResult, width: number, height: number): Svg {
  const { curves, events } = result;
  const breaks = new Set(curves.breaks);
  const points = curves.series.flatMap(({ name, values }) =>
    values.flatMap((value, i): CurvePoint[] => {
      const point = { age: curves.age[i]!, value, name };
      return breaks.has(point.age) ? [point, { ...point, value: null }] : [point];
    }),
  );
  const changes = events.filter(({ kind }) => kind === 'set').map(({ age }) => age);
  const jumps = events.filter(({ jump }) => jump !== undefined);
  const last = curves.age.length - 1;
  const named = curves.series.length <= 10 ? apart(curves.series, last) : [];
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      marginRight: named.length > 0 ? 46 : 14,
      ariaLabel: `${curves.quantity === 'margin' ? 'Margins of samples' : 'Coefficients'} against the age`,
      ariaDescription: `${changes.length} changes of sets, ${jumps.length} jumps.`,
      insetBottom: 12,
      x: { type: 'log', domain: [Math.min(result.from, result.to), Math.max(result.from, result.to)] },
      marks: [
        Plot.gridY({ ticks: 5, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 5, tickSize: 0, label: null }),
        ageAxis(),
        Plot.ruleX(jumps, {
          x: 'age',
          stroke: gridColour,
          strokeWidth: 1,
          strokeDasharray: '3,3',
          title: (event: (typeof jumps)[number]) =>
            `${event.kind} at age ${formatNumber(event.age, 5)}: jump of ${formatNumber(event.jump!, 3)}`,
        }),
        Plot.tickX(changes, {
          x: (age: number) => age,
          stroke: muted,
          strokeOpacity: 0.7,
          insetTop: height - 18 - 38 - 9,
        }),
        Plot.line(points, {
          x: 'age',
          y: 'value',
          z: 'name',
          stroke: pathColour,
          strokeWidth: curves.series.length > 10 ? 1 : 1.75,
          strokeOpacity: curves.series.length > 10 ? 0.55 : 0.9,
        }),
        ...named.map(({ name, values }) =>
          label({ x: curves.age[last]!, y: values[last]!, text: name, dx: 6, anchor: 'start' }),
        ),
      ],
    }),
  );
}

/** Those whose ends are far enough from each other to carry a name. */
function apart(series: AgePathResult['curves']['series'], last: number): AgePathResult['curves']['series'] {
  const all = series.flatMap(({ values }) => values);
  const room = 0.055 * (Math.max(...all) - Math.min(...all));
  const kept: (typeof series)[number][] = [];
  for (const each of series) {
    if (kept.every(({ values }) => Math.abs(values[last]! - each.values[last]!) >= room)) kept.push(each);
  }
  return kept;
}

/** Error on held-out samples: the path as a line, the grid as dots, ordinary training dotted. */
export function heldOutFigure(result: AgePathResult, width: number, height: number): Svg | undefined {
  const { heldOut } = result;
  if (!heldOut) return undefined;
  const best = lowest(heldOut.path);
  const percent = heldOut.measure === 'error rate';
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: `Held-out ${heldOut.measure} against the age`,
      ariaDescription: `Least ${formatError(result, best.error)} at age ${formatNumber(best.age)}; ordinary training ${formatError(result, heldOut.plain)}.`,
      insetTop: 16,
      insetBottom: 24, // for the number under the lowest point
      x: { type: 'log', domain: [Math.min(result.from, result.to), Math.max(result.from, result.to)] },
      y: { nice: true },
      marks: [
        Plot.gridY({ ticks: 5, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({
          ticks: 5,
          tickSize: 0,
          label: null,
          tickFormat: percent
            ? (value: number) => `${Number((100 * value).toFixed(2))}%`
            : (value: number) => String(value),
        }),
        ageAxis(),
        Plot.ruleY([heldOut.plain], { stroke: muted, strokeWidth: 1.5, strokeDasharray: '1,4' }),
        Plot.line(heldOut.path.error, {
          x: (_: number, i: number) => heldOut.path.age[i]!,
          y: (error: number) => error,
          stroke: pathColour,
          strokeWidth: 2,
          curve: percent ? 'step-after' : 'linear',
        }),
        Plot.dot(heldOut.grid.error, {
          x: (_: number, i: number) => heldOut.grid.age[i]!,
          y: (error: number) => error,
          r: 2.5,
          fill: background,
          stroke: gridColour,
        }),
        Plot.dot([best], { x: 'age', y: 'error', r: 4, fill: pathColour }),
        label({ x: best.age, y: best.error, text: formatError(result, best.error), dy: 16 }),
      ],
    }),
  );
}

function ageAxis(): Plot.Markish {
  return Plot.axisX({
    ticks: 6,
    tickSize: 4,
    tickFormat: (value: number) => String(Number(value.toPrecision(3))),
    label: 'age',
    labelAnchor: 'center',
    labelArrow: 'none',
  });
}
