/** The smaller figures: how the networks were trained, how matching went, and what a permutation looks like. */

import * as Plot from '@observablehq/plot';
import { formatNumber } from './format.ts';
import {
  asImage,
  background,
  baseOptions,
  ink,
  label,
  muted,
  networkColours,
  type Svg,
} from './plot-style.ts';
import type { TrainingFields } from './results.ts';

/** Mean training loss of each epoch, one curve a network. */
export function trainingFigure(networks: readonly TrainingFields[], width: number, height: number): Svg {
  const last = (network: TrainingFields) => network.epochLoss[network.epochLoss.length - 1]!;
  const ordered = [...networks].sort((a, b) => last(b) - last(a));
  const epochs = Math.max(...networks.map((network) => network.epochLoss.length));
  const marks = networks.flatMap((network, i) => {
    const values = network.epochLoss;
    const colour = networkColours[i % networkColours.length]!;
    const x = values.map((_, epoch) => epoch + 1);
    // Networks trained alike end alike: their names are stacked above the end, in the order of the ends.
    const dy = -14 - 16 * (ordered.length - 1 - ordered.indexOf(network));
    return [
      Plot.line(values, {
        x,
        y: values,
        stroke: colour,
        strokeWidth: 2,
        strokeDasharray: i % 2 ? '5,3' : 'none',
      }),
      Plot.dot(values, { x, y: values, r: 3, fill: i % 2 ? background : colour, stroke: colour }),
      label({ x: epochs, y: last(network), text: `seed ${network.seed}`, colour, dy, anchor: 'end' }),
    ];
  });
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: 'Training loss of each epoch',
      ariaDescription: networks
        .map(
          (network) =>
            `Seed ${network.seed}: from ${formatNumber(network.epochLoss[0]!)} to ${formatNumber(last(network))}.`,
        )
        .join(' '),
      insetTop: 24, // for the names, should the loss end high
      x: { domain: epochs > 1 ? [1, epochs] : [0.5, 1.5], inset: 6 },
      y: { zero: true, nice: true },
      marks: [
        Plot.gridY({ ticks: 4, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 4, tickSize: 0, label: null }),
        countAxis(epochs, 1, 'epoch'),
        ...marks,
      ],
    }),
  );
}

/** The matching objective before the first sweep and after each. */
export function objectiveFigure(history: readonly number[], width: number, height: number): Svg {
  const sweeps = history.length - 1;
  const final = history[sweeps]!;
  const x = history.map((_, sweep) => sweep);
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: 'Objective of matching after each sweep',
      ariaDescription: `From ${formatNumber(history[0]!)} to ${formatNumber(final)} in ${sweeps} sweeps.`,
      x: { domain: [0, Math.max(1, sweeps)], inset: 6 },
      y: { zero: true, nice: true },
      marks: [
        Plot.gridY({ ticks: 4, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 4, tickSize: 0, label: null }),
        countAxis(sweeps, 0, 'sweep'),
        Plot.line(history, { x, y: history, stroke: 'var(--rebasin-aligned)', strokeWidth: 2 }),
        Plot.dot(history, { x, y: history, r: 3, fill: 'var(--rebasin-aligned)' }),
        label({ x: 0, y: history[0]!, text: formatNumber(history[0]!), dx: 9, anchor: 'start' }),
        label({ x: sweeps, y: final, text: formatNumber(final), dy: -12, anchor: 'end' }),
      ],
    }),
  );
}

/** A permutation as its matrix: a dot in row i and column p[i]. Of more than `most` units, evenly spaced ones are drawn. */
export function permutationFigure(permutation: readonly number[], size: number, most = 1024): Svg {
  const every = Math.max(1, Math.ceil(permutation.length / most));
  const rows = permutation.map((_, row) => row).filter((row) => row % every === 0);
  const ends = [-0.5, permutation.length - 0.5];
  return asImage(
    Plot.plot({
      width: size,
      height: size,
      margin: 1,
      style: { background: 'transparent', overflow: 'visible' },
      ariaLabel: `Permutation of ${permutation.length} units as a matrix`,
      x: { domain: ends, axis: null },
      y: { domain: ends, reverse: true, axis: null },
      marks: [
        Plot.frame({ stroke: muted, strokeOpacity: 0.4 }),
        Plot.dot(rows, {
          x: (row: number) => permutation[row]!,
          y: (row: number) => row,
          r: rows.length > 300 ? 1 : 1.5,
          fill: ink,
        }),
      ],
    }),
  );
}

/** An axis of whole numbers from `first`, with a handful of ticks. */
function countAxis(last: number, first: number, name: string): Plot.Markish {
  const every = Math.max(1, Math.ceil((last - first) / 8));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
    (n) => (n - first) % every === 0,
  );
  return Plot.axisX(ticks, {
    tickSize: 4,
    tickFormat: String,
    label: name,
    labelAnchor: 'center',
    labelArrow: 'none',
  });
}
