/**
 * A dot plot in lanes: one value a lane, lanes under a heading in groups, and upright lines for what all are measured against. Lanes carry
 * their names; a whisker shows the least and the largest of several values.
 */

import * as Plot from '@observablehq/plot';
import { asImage, background, baseOptions, ink, muted, type Svg } from './plot-style.ts';
import type { Spread } from './results.ts';

export interface Lane {
  /** Lanes of one group stand together under its name; an empty name has no heading. */
  readonly group: string;
  /** Unique within the group. */
  readonly name: string;
  /** Undefined where there is nothing finite to draw. */
  readonly value: Spread | undefined;
  readonly colour: string;
  /** A ring instead of a dot. */
  readonly isOpen?: boolean;
}

/** An upright line and its name, above the lanes. */
export interface LaneReference {
  readonly name: string;
  readonly value: number;
  readonly isDashed: boolean;
}

export interface LaneFigureOptions {
  readonly lanes: readonly Lane[];
  readonly references: readonly LaneReference[];
  readonly title: string;
  readonly description: string;
  readonly format: (value: number) => string;
  readonly tickFormat: (value: number) => string;
  /** An axis on which 0 to 0.25 has as much room as 0.25 to 1. Default: a linear one. */
  readonly isSquareRoot?: boolean;
  readonly width: number;
}

/** Width of a letter of a lane's name, about. */
const LETTER = 6.7;
const LANE = 17;
const HEADING = 25;
const margins = { marginRight: 16, marginBottom: 24 };

/** Lanes and headings from above, each with the middle of its place in pixels from the first heading's top. */
interface Place {
  readonly lane?: Lane;
  readonly heading?: string;
  readonly y: number;
}

/** Room above the lanes for the names of upright lines, in two rows. */
const marginTopOf = (references: readonly LaneReference[]) => (references.length > 0 ? 40 : 8);

/** The height that the lanes need. */
export function laneHeight(lanes: readonly Lane[], references: readonly LaneReference[]): number {
  return placesOf(lanes).height + marginTopOf(references) + margins.marginBottom;
}

export function laneFigure(options: LaneFigureOptions): Svg {
  const { lanes, references, title, description, format, tickFormat, isSquareRoot = false, width } = options;
  const { places, height } = placesOf(lanes);
  const marginTop = marginTopOf(references);
  const longest = Math.max(...lanes.map(({ name, value }) => name.length + (value ? 0 : 12)));
  const marginLeft = Math.min(Math.round(0.45 * width), 16 + LETTER * longest);
  const drawn = places.flatMap(({ lane, y }) => (lane?.value ? [{ ...lane, value: lane.value, y }] : []));
  const finite = references.filter(({ value }) => Number.isFinite(value));
  const domain = domainOf(
    drawn.map(({ value }) => value),
    finite,
  );
  const most = width < 360 ? 3 : 5;
  const ticks = isSquareRoot ? squareTicks(domain, most) : most;
  return asImage(
    Plot.plot({
      ...baseOptions(width, laneHeight(lanes, references)),
      ...margins,
      marginTop,
      marginLeft,
      ariaLabel: title,
      ariaDescription: description,
      x: { domain, inset: 8, ...(isSquareRoot ? { type: 'pow', exponent: 0.5 } : {}) },
      y: { domain: [0, height], range: [marginTop, marginTop + height], axis: null },
      marks: [
        Plot.ruleY(drawn, { y: 'y', stroke: muted, strokeOpacity: 0.18 }),
        Plot.axisX({ ticks, tickSize: 4, label: null, tickFormat }),
        ...finite.flatMap((reference, i) => referenceMarks(reference, i, height)),
        ...names(places, marginLeft),
        Plot.link(drawn, {
          x1: ({ value }: Drawn) => value.min,
          x2: ({ value }: Drawn) => value.max,
          y: 'y',
          stroke: 'colour',
          strokeWidth: 2,
        }),
        Plot.dot(drawn, {
          x: ({ value }: Drawn) => value.mean,
          y: 'y',
          r: 4.5,
          fill: ({ isOpen, colour }: Drawn) => (isOpen ? background : colour),
          stroke: 'colour',
          strokeWidth: 1.75,
        }),
        Plot.tip(
          drawn,
          Plot.pointerY({
            x: ({ value }: Drawn) => value.mean,
            y: 'y',
            title: ({ group, name, value }: Drawn) => {
              const range = value.min === value.max ? '' : `\n${format(value.min)} to ${format(value.max)}`;
              return `${group === '' ? '' : `${group}, `}${name}\n${format(value.mean)}${range}`;
            },
          }),
        ),
      ],
      // Colours are given as they are, not mapped.
      color: { type: 'identity' },
    }),
  );
}

type Drawn = Lane & { readonly value: Spread; readonly y: number };

function placesOf(lanes: readonly Lane[]): { places: Place[]; height: number } {
  const places: Place[] = [];
  let y = 0;
  let group: string | undefined;
  for (const lane of lanes) {
    if (lane.group !== group) {
      group = lane.group;
      if (group !== '') {
        places.push({ heading: group, y: y + HEADING - 8 });
        y += HEADING;
      }
    }
    places.push({ lane, y: y + LANE / 2 });
    y += LANE;
  }
  return { places, height: y + 4 };
}

/** Headings in ink, flush with the names below; names beside their lanes. */
function names(places: readonly Place[], marginLeft: number): Plot.Markish[] {
  const lanes = places.flatMap(({ lane, y }) => (lane ? [{ ...lane, y }] : []));
  const headings = places.flatMap(({ heading, y }) => (heading === undefined ? [] : [{ heading, y }]));
  const left = { frameAnchor: 'left', textAnchor: 'start', dx: -marginLeft } as const;
  return [
    Plot.text(headings, {
      ...left,
      y: 'y',
      text: 'heading',
      fill: ink,
      stroke: background,
      strokeWidth: 4,
      fontWeight: 600,
      fontSize: 13,
    }),
    Plot.text(lanes, {
      ...left,
      y: 'y',
      dx: -marginLeft + 6,
      text: ({ name, value }: Lane) => shortened(value ? name : `${name}: not finite`, marginLeft),
      fill: ({ colour }: Lane) => (colour === ink ? muted : colour),
      fontSize: 12,
    }),
  ];
}

/** The end of a name that is too long: of a path, what tells it from others. */
function shortened(name: string, marginLeft: number): string {
  const most = Math.floor((marginLeft - 16) / LETTER);
  return name.length <= most ? name : `…${name.slice(1 - most)}`;
}

/** Lines may lie close together: every second one's name stands a row higher. */
function referenceMarks(
  { name, value, isDashed }: LaneReference,
  index: number,
  height: number,
): Plot.Markish[] {
  return [
    Plot.link([0], {
      x: [value],
      y1: [0],
      y2: [height],
      stroke: ink,
      strokeOpacity: 0.75,
      strokeWidth: 1.25,
      ...(isDashed ? { strokeDasharray: '4,3' } : {}),
    }),
    Plot.text([name], {
      x: [value],
      frameAnchor: 'top',
      dy: index % 2 === 0 ? -18 : -34,
      text: [name],
      fill: ink,
      fontSize: 12,
      fontWeight: 600,
    }),
  ];
}

/** Round numbers whose roots lie about evenly in the domain: of the roots' steps the finest that gives no more than `most`. */
function squareTicks([low, high]: readonly [number, number], most: number): number[] {
  for (const unit of [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100]) {
    for (const factor of [1, 4]) {
      // 0, 1, 4, 9, 16, ... units.
      const step = unit * factor;
      const count = Math.floor(Math.sqrt(Math.max(0, high) / step)) + 1;
      if (count > most) continue;
      const ticks = Array.from({ length: count }, (_, i) => Number((i * i * step).toPrecision(3)));
      return ticks.filter((tick) => tick >= low);
    }
  }
  return [0];
}

/** All values and references, with a little air; never so narrow that rounding looks like a difference. */
function domainOf(values: readonly Spread[], references: readonly LaneReference[]): [number, number] {
  const all = [...values.flatMap(({ min, max }) => [min, max]), ...references.map(({ value }) => value)];
  if (all.length === 0) return [0, 1];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const least = 1e-3 * Math.max(Math.abs(low), Math.abs(high), 1e-3);
  return high - low > least ? [low, high] : [low - least, high + least];
}
