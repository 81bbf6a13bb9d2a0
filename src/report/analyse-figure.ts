/** Pictures of an analysis: the loss along the line beside its Taylor estimate. */

import * as Plot from '@observablehq/plot';
import type { AnalysedMatching } from './analyse-result.ts';
import { formatBarrier, formatNumber } from './format.ts';
import { asImage, baseOptions, colourOf, label, muted, type Svg } from './plot-style.ts';

export interface TaylorFigureOptions {
  readonly lambda: readonly number[];
  readonly matching: AnalysedMatching;
  /** What is drawn, for who cannot see it. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

/** Loss along the line as it was measured, solid, and as derivatives at the ends foretell it, dashed. */
export function taylorFigure({ lambda, matching, title, width, height }: TaylorFigureOptions): Svg {
  const { align, curve, taylor } = matching;
  const colour = colourOf(align === 'none' ? 'naive' : 'aligned');
  const lines = [
    { name: 'measured', values: curve.loss, colour, dash: 'none', barrier: curve.barrier.loss },
    { name: 'estimated', values: taylor.loss, colour: estimateColour, dash: '5,4', barrier: taylor.barrier },
  ];
  const middle = lambda.length >> 1;
  const at = (values: readonly number[]) => values[middle]!;
  const higher = at(lines[0]!.values) >= at(lines[1]!.values) ? 0 : 1;
  const finite = lines.flatMap(({ values }) => values.filter((value) => Number.isFinite(value)));
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: title,
      ariaDescription: lines
        .map(({ name, barrier }) => `Barrier ${name}: ${formatBarrier(barrier)}.`)
        .join(' '),
      insetTop: 22, // for the name above the higher curve
      x: { domain: [0, 1] },
      y: { domain: [0, Math.max(1e-6, ...finite)], nice: true },
      marks: [
        Plot.gridY({ ticks: 4, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 4, tickSize: 0, label: null }),
        Plot.axisX({
          ticks: [0, 0.25, 0.5, 0.75, 1],
          tickSize: 4,
          label: 'λ (0: A, 1: B)',
          labelAnchor: 'center',
          labelArrow: 'none',
          tickFormat: String,
        }),
        ...lines.flatMap(({ name, values, colour: stroke, dash, barrier }, i) => [
          Plot.line(values, {
            x: lambda,
            y: (value: number | null) => value,
            stroke,
            strokeWidth: 2.5,
            strokeDasharray: dash,
          }),
          ...(Number.isFinite(at(values))
            ? [
                label({
                  x: lambda[middle]!,
                  y: at(values),
                  text: `${name} +${formatBarrier(barrier)}`,
                  colour: stroke,
                  dy: i === higher ? -14 : 16,
                }),
              ]
            : []),
        ]),
        Plot.tip(
          lambda,
          Plot.pointerX({
            x: lambda,
            y: curve.loss,
            title: lambda.map((value, i) =>
              [
                `λ ${value.toFixed(3)}`,
                ...lines.map(({ name, values }) => `${name} ${formatNumber(values[i]!)}`),
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

/** Of what is estimated and not measured. */
const estimateColour = 'var(--rebasin-second)';
