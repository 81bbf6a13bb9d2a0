/** Pictures of singular values and vectors: how alike vectors are as bars, the values of a layer, and where its inputs point. */

import * as Plot from '@observablehq/plot';
import { asImage, background, baseOptions, ink, muted, type Svg } from './plot-style.ts';

export interface BarSeries {
  readonly name: string;
  readonly colour: string;
  /** One a group. */
  readonly values: readonly number[];
}

export interface BarFigureOptions {
  readonly groups: readonly string[];
  /** What groups are. */
  readonly label: string;
  readonly series: readonly BarSeries[];
  /** What is drawn, for who cannot see it. */
  readonly title: string;
  readonly format: (value: number) => string;
  readonly width: number;
  readonly height: number;
}

/** Groups of bars, one of each series. */
export function barFigure({ groups, label, series, title, format, width, height }: BarFigureOptions): Svg {
  const bars = series.flatMap(({ name, values }) =>
    values.flatMap((value, g) => (Number.isFinite(value) ? [{ group: groups[g]!, name, value }] : [])),
  );
  const values = bars.map(({ value }) => value);
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      marginBottom: 42,
      ariaLabel: title,
      ariaDescription: series
        .map(({ name, values: all }) => `${name}: ${all.map((value) => format(value)).join(', ')}.`)
        .join(' '),
      fx: { domain: groups, paddingInner: 0.25 },
      x: { domain: series.map(({ name }) => name), axis: null, padding: 0.08 },
      y: { domain: [Math.min(0, ...values), Math.max(0.05, ...values)], nice: true },
      color: { domain: series.map(({ name }) => name), range: series.map(({ colour }) => colour) },
      marks: [
        Plot.gridY({ ticks: 4, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 4, tickSize: 0, label: null }),
        Plot.axisFx({
          anchor: 'bottom',
          label,
          labelAnchor: 'center',
          labelArrow: 'none',
        } as Plot.AxisXOptions),
        Plot.barY(bars, {
          fx: 'group',
          x: 'name',
          y: 'value',
          fill: 'name',
          title: ({ group, name, value }: (typeof bars)[number]) => `${group}, ${name}: ${format(value)}`,
        }),
        Plot.ruleY([0], { stroke: muted }),
      ],
    }),
  );
}

/** Something of each singular pair of two networks. */
export interface SpectrumFigureOptions {
  readonly title: string;
  readonly label: string;
  /** First network filled, second open; a dot a pair. */
  readonly networks: readonly { readonly x: readonly number[]; readonly y: readonly number[] }[];
  /** Height of a dotted line. */
  readonly reference?: number;
  readonly width: number;
  readonly height: number;
}

export function spectrumFigure(options: SpectrumFigureOptions): Svg {
  const { title, label, networks, reference, width, height } = options;
  const all = networks.flatMap(({ x, y }) => y.map((value, i) => ({ x: x[i]!, y: value })));
  const highest = Math.max(1e-6, ...all.map(({ y }) => y), reference ?? 0);
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      marginTop: 10,
      ariaLabel: title,
      x: { domain: [0, Math.max(1e-6, ...all.map(({ x }) => x))], inset: 4 },
      y: { domain: [0, highest], insetTop: 6 },
      marks: [
        Plot.gridY({ ticks: 3, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 3, tickSize: 0, label: null }),
        Plot.axisX({ ticks: 4, tickSize: 4, label, labelAnchor: 'center', labelArrow: 'none' }),
        ...(reference === undefined
          ? []
          : [Plot.ruleY([reference], { stroke: muted, strokeWidth: 1.5, strokeDasharray: '1,4' })]),
        ...networks
          .map(({ x, y }, i) => {
            const colour = i === 0 ? ink : 'var(--rebasin-second)';
            return Plot.dot(y, { x, y, r: 2, stroke: colour, fill: i === 0 ? colour : background });
          })
          .reverse(),
      ],
    }),
  );
}
