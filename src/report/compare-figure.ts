/** Loss along the line for one matching: the mean as it is, and with one re-normalisation. Small, for many beside each other. */

import * as Plot from '@observablehq/plot';
import { formatBarrier, formatNumber } from './format.ts';
import type { SplitName } from './lines.ts';
import { asImage, baseOptions, colourOf, muted, type Svg } from './plot-style.ts';
import type { ComparedRow } from './results.ts';

export interface CurvesFigureOptions {
  readonly lambda: readonly number[];
  /** Of one matching; curves of every seed are drawn. */
  readonly rows: readonly ComparedRow[];
  readonly split: SplitName;
  /** The largest loss on the axis. */
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export function curvesFigure({ lambda, rows, split, top, width, height }: CurvesFigureOptions): Svg {
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      marginTop: 10,
      marginBottom: 24,
      marginLeft: 34,
      ariaLabel: `Loss along the line, ${rows[0]!.align}`,
      ariaDescription: rows.map((row) => describe(row, split)).join(' '),
      x: { domain: [0, 1] },
      y: { domain: [0, top], nice: true },
      marks: [
        Plot.gridY({ ticks: 3, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 3, tickSize: 0, label: null }),
        Plot.axisX({ ticks: [0, 0.5, 1], tickSize: 4, label: null, tickFormat: String }),
        ...rows.flatMap((row) =>
          row.runs.map((run) =>
            Plot.line(run[split]!.loss, {
              x: lambda,
              y: (value: number | null) => value,
              stroke: colourOf(row.renormalise === 'none' ? 'naive' : 'aligned'),
              strokeWidth: row.runs.length > 1 ? 1.25 : 2,
              clip: true,
            }),
          ),
        ),
      ],
    }),
  );
}

function describe(row: ComparedRow, split: SplitName): string {
  const { barrier, midpoint } = row[split]!;
  return `${row.renormalise}: barrier ${formatBarrier(barrier.loss.mean)}, half-way ${formatNumber(midpoint.loss.mean)}.`;
}
