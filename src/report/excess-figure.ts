/** What a comparison has above what it must have, as a strip: the mean and its interval, beside an upright line at 0. */
import * as Plot from '@observablehq/plot';
import { formatNumber } from './format.ts';
import { asImage, baseOptions, ink, muted, type Svg } from './plot-style.ts';
import type { StudyComparison } from './study-result.ts';

export const excessHeight = 26;

export function excessFigure({ excess, margin = 0 }: StudyComparison, width: number): Svg {
  const interval: [number, number] = [excess - margin, excess + margin];
  const [low, high] = [Math.min(0, interval[0]), Math.max(0, interval[1])];
  // 0 stands a little off the edge, so that both sides of it are there to see.
  const air = 0.12 * (high - low) || 1;
  return asImage(
    Plot.plot({
      ...baseOptions(width, excessHeight),
      ...{ marginLeft: 2, marginRight: 2, marginTop: 4, marginBottom: 4 },
      ariaLabel: 'Interval of the difference',
      ariaDescription: `from ${formatNumber(interval[0])} to ${formatNumber(interval[1])}`,
      x: { domain: [low - air, high + air], axis: null },
      y: { domain: [0, 1], axis: null },
      marks: [
        Plot.ruleY([0.5], { stroke: muted, strokeOpacity: 0.35 }),
        Plot.ruleX([0], { stroke: muted, strokeWidth: 1.5 }),
        Plot.ruleY([0.5], {
          x1: [interval[0]],
          x2: [interval[1]],
          stroke: ink,
          strokeWidth: 3,
          className: 'interval',
        }),
        Plot.dot([excess], { x: [excess], y: [0.5], r: 4.5, fill: ink }),
      ],
    }),
  );
}
