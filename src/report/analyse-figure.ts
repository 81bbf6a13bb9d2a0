/** Pictures of an analysis: the loss over the straight line beside its Taylor estimate. */

import * as Plot from '@observablehq/plot';
import type { AnalysedMatching } from './analyse-result.ts';
import { formatBarrier } from './format.ts';
import { asImage, baseOptions, colourOf, label, muted, type Svg } from './plot-style.ts';

export interface TaylorFigureOptions {
  readonly lambda: readonly number[];
  readonly matching: AnalysedMatching;
  /** What is drawn, for who cannot see it. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

/** Of what is estimated and not measured. */
const estimateColour = 'var(--rebasin-second)';

/** By how much the loss is above the straight line between the ends: measured, solid, and estimated from derivatives there, dashed. */
export function taylorFigure({ lambda, matching, title, width, height }: TaylorFigureOptions): Svg {
  const { align, curve, taylor } = matching;
  const lines = [
    {
      name: 'measured',
      excess: excessOf(lambda, curve.loss),
      barrier: curve.barrier.loss,
      look: { stroke: colourOf(align === 'none' ? 'naive' : 'aligned'), strokeDasharray: 'none' },
    },
    {
      name: 'estimated',
      excess: excessOf(lambda, taylor.loss),
      barrier: taylor.barrier,
      look: { stroke: estimateColour, strokeDasharray: '5,4' },
    },
  ];
  const middle = lambda.length >> 1;
  const higher = lines[0]!.excess[middle]! >= lines[1]!.excess[middle]! ? 0 : 1;
  const finite = lines.flatMap(({ excess }) => excess.filter((value) => Number.isFinite(value)));
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: `Loss over the straight line, ${title}`,
      ariaDescription: lines.map(({ name, barrier }) => `${name}: ${formatBarrier(barrier)}.`).join(' '),
      insetTop: 24, // for the names at the curves
      insetBottom: 20,
      x: { domain: [0, 1] },
      y: { domain: [Math.min(0, ...finite), Math.max(1e-6, ...finite)] },
      marks: [
        Plot.gridY({ ticks: 4, stroke: muted, strokeOpacity: 0.2 }),
        Plot.ruleY([0], { stroke: muted, strokeWidth: 1.5, strokeDasharray: '1,4' }),
        Plot.axisY({ ticks: 4, tickSize: 0, label: null }),
        Plot.axisX({
          ticks: [0, 0.5, 1],
          tickSize: 4,
          label: 'λ (0: A, 1: B)',
          labelAnchor: 'center',
          labelArrow: 'none',
          tickFormat: String,
        }),
        ...lines.map(({ excess, look }) =>
          Plot.line(excess, { x: lambda, y: (value: number) => value, strokeWidth: 2.5, ...look }),
        ),
        ...lines
          .filter(({ excess }) => Number.isFinite(excess[middle]))
          .map((line) =>
            label({
              x: lambda[middle]!,
              y: line.excess[middle]!,
              text: `${line.name} ${formatBarrier(line.barrier)}`,
              colour: line.look.stroke,
              dy: line === lines[higher] ? -14 : 22,
            }),
          ),
        Plot.tip(
          lambda,
          Plot.pointerX({
            x: lambda,
            y: lines[higher]!.excess,
            title: lambda.map((value, i) =>
              [
                `λ ${value.toFixed(3)}`,
                ...lines.map(({ name, excess }) => `${name} ${formatBarrier(excess[i]!)}`),
              ].join('\n'),
            ),
            preferredAnchor: 'bottom',
            lineHeight: 1.35,
          }),
        ),
      ],
    }),
  );
}

/** Over the straight line between a curve's own ends. */
function excessOf(lambda: readonly number[], loss: readonly number[]): number[] {
  const [first, last] = [loss[0]!, loss[loss.length - 1]!];
  return loss.map((value, i) =>
    [value, first, last].every(Number.isFinite)
      ? value - (1 - lambda[i]!) * first - lambda[i]! * last
      : Number.NaN,
  );
}
