/** Training losses as they come: both networks on one figure whose axes stand still while the curves grow into it. */
import * as Plot from '@observablehq/plot';
import { formatNumber } from '../../src/report/format.ts';
import {
  asImage,
  background,
  baseOptions,
  label,
  muted,
  networkColours,
  type Svg,
} from '../../src/report/plot-style.ts';

export interface LossPoint {
  /** Epochs done, a fraction in between. */
  readonly epoch: number;
  readonly loss: number;
}

/** @param names one a curve. @param epochs the last one. */
export function lossFigure(
  curves: readonly (readonly LossPoint[])[],
  names: readonly string[],
  epochs: number,
  width: number,
  height: number,
): Svg {
  const highest = Math.max(2.4, ...curves.flat().map(({ loss }) => loss));
  const ends = curves.map((points) => points.at(-1));
  // Networks trained alike end alike: their names are stacked above the ends, in the order of the ends.
  const upper = (ends[0]?.loss ?? 0) >= (ends[1]?.loss ?? 0) ? 0 : 1;
  const every = Math.max(1, Math.ceil(epochs / 8));
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: 'Training loss of both networks',
      ariaDescription: ends
        .map((end, i) =>
          end ? `${names[i]}: ${formatNumber(end.loss)} after ${end.epoch.toFixed(1)} epochs.` : '',
        )
        .join(' '),
      x: { domain: [0, epochs] },
      y: { domain: [0, highest] },
      marks: [
        Plot.gridY({ ticks: 4, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 4, tickSize: 0, label: null }),
        Plot.axisX(
          Array.from({ length: Math.floor(epochs / every) + 1 }, (_, i) => i * every),
          { tickSize: 4, tickFormat: String, label: 'epoch', labelAnchor: 'center', labelArrow: 'none' },
        ),
        ...curves.flatMap((points, i) => {
          const end = ends[i];
          const colour = networkColours[i % networkColours.length]!;
          if (end === undefined) return [];
          const late = end.epoch > 0.75 * epochs;
          return [
            Plot.line(points, {
              x: 'epoch',
              y: 'loss',
              stroke: colour,
              strokeWidth: 2,
              strokeDasharray: i % 2 ? '5,3' : 'none',
            }),
            Plot.dot([end], {
              x: 'epoch',
              y: 'loss',
              r: 3.5,
              fill: i % 2 ? background : colour,
              stroke: colour,
            }),
            label({
              ...{ x: end.epoch, y: end.loss, text: names[i]!, colour },
              ...{ dy: i === upper ? -31 : -15, anchor: late ? 'end' : 'start' },
            }),
          ];
        }),
      ],
    }),
  );
}
