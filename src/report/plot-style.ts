/**
 * What all figures share: typography, colours, labels. Colours are CSS variables (see styles.ts), so that a figure follows light and dark
 * without being drawn again.
 */

import * as Plot from '@observablehq/plot';
import type { LineName } from './lines.ts';

export type Svg = ReturnType<typeof Plot.plot>;

export const muted = 'var(--rebasin-muted)';
export const ink = 'var(--rebasin-ink)';
export const background = 'var(--rebasin-background)';

export function colourOf(line: LineName): string {
  return `var(--rebasin-${line})`;
}

/** The two networks of a training figure: told apart by colour, by dash and by label. */
export const networkColours = [ink, 'var(--rebasin-second)'] as const;

/** Bands of a contour picture, the best first. */
export const levelColours = Array.from({ length: 9 }, (_, i) => `var(--rebasin-level-${i})`);

/** Size, margins and style of every figure. */
export function baseOptions(width: number, height: number) {
  return {
    width,
    height,
    marginTop: 18,
    marginRight: 14,
    marginBottom: 38,
    marginLeft: 46,
    style: { fontFamily: 'inherit', fontSize: '12px', background: 'transparent', overflow: 'visible' },
  } satisfies Plot.PlotOptions;
}

/** Marks a finished plot as one picture for screen readers, which would otherwise read every tick. */
export function asImage(plot: Svg): Svg {
  plot.setAttribute('role', 'img');
  return plot;
}

export interface LabelOptions {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly colour?: string;
  readonly dx?: number;
  readonly dy?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

/** Words at a point of the plot, with a halo so that lines below do not cross them. */
export function label(options: LabelOptions): Plot.Markish {
  const { x, y, text, colour = ink, dx = 0, dy = 0, anchor = 'middle' } = options;
  return Plot.text([text], {
    x: [x],
    y: [y],
    text: [text],
    dx,
    dy,
    textAnchor: anchor,
    fill: colour,
    stroke: background,
    strokeWidth: 4,
    fontSize: 13,
    fontWeight: 600,
  });
}
