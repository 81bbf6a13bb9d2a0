/** Units of the first layer as pictures of their weights: A, B's unit of the same number, and B's unit that was matched to it. */
import type { MatchedFilters } from './filters-result.ts';
import { background, ink, muted } from './plot-style.ts';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const ROWS = [
  { name: 'A', of: 'a', colour: ink },
  { name: 'B', of: 'b', colour: 'var(--rebasin-naive)' },
  { name: 'π(B)', of: 'aligned', colour: 'var(--rebasin-aligned)' },
] as const;

const GUTTER = 44;
const GAP = 6;
const TEXT = 17;
const BLOCK_GAP = 18;

/** Blue for what excites a unit, vermilion for what inhibits it, as in the report's two lines: [red, green, blue]. */
const [POSITIVE, NEGATIVE] = [
  [0, 104, 168],
  [196, 80, 10],
] as const;

type Shape = readonly [number, number, number];

/** How units are laid out in a width: tiles of at least 56 pixels, in blocks of three rows. */
function layoutOf(units: number, width: number, [, height, wide]: Shape) {
  const columns = Math.max(1, Math.min(units, Math.floor((width - GUTTER + GAP) / (56 + GAP)), 12));
  const tile = Math.min(84, (width - GUTTER - (columns - 1) * GAP) / columns);
  const tall = (tile * height) / wide;
  const block = 3 * tall + 2 * GAP + 2 * TEXT;
  return { columns, tile, tall, block, blocks: Math.ceil(units / columns) };
}

/** Pixels that the figure is high in a width. */
export function filterFigureHeight({ units, shape }: MatchedFilters, width: number): number {
  if (!shape) return 0;
  const { block, blocks } = layoutOf(units.length, width, shape);
  return blocks * block + (blocks - 1) * BLOCK_GAP;
}

/** The figure: under each unit of B the cosine of its weights and those of A's above it. Weights must have a `shape`. */
export function filterFigure(filters: MatchedFilters, width: number): SVGSVGElement {
  const { units, shape } = filters;
  if (!shape) throw new RangeError('filterFigure: these weights are no pictures');
  const { columns, tile, tall, block } = layoutOf(units.length, width, shape);
  const height = filterFigureHeight(filters, width);
  const svg = made('svg', {
    ...{ width, height, viewBox: `0 0 ${width} ${height}`, role: 'img' },
    ...{ 'font-size': 11.5, 'font-family': 'inherit', 'font-variant': 'tabular-nums' },
    'aria-label': `Weights of ${units.length} units of ${filters.layer}`,
    'aria-description': units
      .map(
        ({ unit, before, after }) => `Unit ${unit}: cosine ${words(before)} before, ${words(after)} after.`,
      )
      .join(' '),
  });
  for (const [i, unit] of units.entries()) {
    const x = GUTTER + (i % columns) * (tile + GAP);
    const top = Math.floor(i / columns) * (block + BLOCK_GAP);
    const largest = scaleOf([unit.a, unit.b, unit.aligned]);
    for (const [row, { name, of, colour }] of ROWS.entries()) {
      const y = top + row * (tall + GAP) + Math.max(0, row - 1) * TEXT;
      if (i % columns === 0)
        svg.append(
          text(name, { x: 0, y: y + tall / 2 + 4, fill: colour, 'font-weight': 600, 'font-size': 13 }),
        );
      svg.append(
        picture(
          unit[of],
          shape,
          largest,
          { x, y, width: tile, height: tall },
          `unit ${unit.unit} of ${name}`,
        ),
      );
      if (row > 0) {
        const value = row === 1 ? unit.before : unit.after;
        svg.append(
          text(words(value), { x: x + tile / 2, y: y + tall + 13, fill: colour, 'text-anchor': 'middle' }),
        );
      }
    }
  }
  return svg;
}

/** The size that all but the largest hundredth of the weights keep within: a few large ones would leave the others pale. */
function scaleOf(weights: readonly (readonly number[])[]): number {
  const sizes = weights.flatMap((each) => each.map(Math.abs)).sort((x, y) => x - y);
  return sizes[Math.floor(0.99 * (sizes.length - 1))] || 1e-30;
}

/** One unit's weights. Of three channels in colour about mid-grey, else as a sum over channels from vermilion through nothing to blue. */
function picture(
  weights: readonly number[],
  [channels, height, width]: Shape,
  largest: number,
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  title: string,
): SVGElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const drawing = canvas.getContext('2d')!;
  const pixels = drawing.createImageData(width, height);
  const plane = height * width;
  for (let pixel = 0; pixel < plane; pixel++) {
    if (channels === 3) {
      for (let c = 0; c < 3; c++)
        pixels.data[4 * pixel + c] = 127.5 * (1 + weights[c * plane + pixel]! / largest);
      pixels.data[4 * pixel + 3] = 255;
      continue;
    }
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += weights[c * plane + pixel]! / channels;
    const colour = sum > 0 ? POSITIVE : NEGATIVE;
    pixels.data.set([...colour, 255 * Math.min(1, (channels * Math.abs(sum)) / largest)], 4 * pixel);
  }
  drawing.putImageData(pixels, 0, 0);
  const group = made('g', {});
  const frame = { ...place, fill: background, stroke: muted, 'stroke-opacity': 0.35 };
  const image = { ...place, href: canvas.toDataURL('image/png'), preserveAspectRatio: 'none' };
  const drawn = made('image', { ...image, style: 'image-rendering: pixelated' });
  const named = made('title', {});
  named.textContent = title;
  group.append(named, made('rect', frame), drawn);
  return group;
}

function text(content: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const drawn = made('text', attributes);
  drawn.textContent = content;
  return drawn;
}

function made<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[Name] {
  const created = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, String(value));
  return created;
}

function words(cosine: number): string {
  return cosine.toFixed(2).replace('-0.00', '0.00').replace('-', '−');
}
