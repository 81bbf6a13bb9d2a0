/** Loss along the line for one matching: the mean as it is, and with one re-normalisation. Small, for many beside each other. */

import * as Plot from '@observablehq/plot';
import { formatBarrier, formatNumber } from './format.ts';
import type { SplitName } from './lines.ts';
import { asImage, baseOptions, colourOf, muted, type Svg } from './plot-style.ts';
import type { ComparedRow, CompareResult } from './results.ts';

export interface CurvesFigureOptions {
  readonly result: CompareResult;
  /** Of one matching; curves of every seed are drawn. */
  readonly rows: readonly ComparedRow[];
  readonly split: SplitName;
  readonly width: number;
  readonly height: number;
}

export function curvesFigure({ result, rows, split, width, height }: CurvesFigureOptions): Svg {
  const { lambda } = result;
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      marginTop: 10,
      marginBottom: 24,
      marginLeft: 34,
      ariaLabel: `Loss along the line, ${rows[0]!.align}`,
      ariaDescription: rows.map((row) => describe(row, split)).join(' '),
      x: { domain: [0, 1] },
      y: { domain: [0, largestLoss(result, split)], nice: true },
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

/** Of all rows, so that every panel has one scale. */
function largestLoss({ rows }: CompareResult, split: SplitName): number {
  const losses = rows
    .flatMap((row) => row.runs.flatMap((run) => run[split]?.loss ?? []))
    .filter((loss) => Number.isFinite(loss));
  return Math.max(...losses, 1e-6);
}

function describe(row: ComparedRow, split: SplitName): string {
  const { barrier, midpoint } = row[split]!;
  return `${row.renormalise}: barrier ${formatBarrier(barrier.loss.mean)}, half-way ${formatNumber(midpoint.loss.mean)}.`;
}
