/** What the page shows of matched units: pictures of their weights, and how alike all of them are. */
import * as Plot from '@observablehq/plot';
import { formatScore } from './analyse-summary.ts';
import { element, figure, responsive } from './elements.ts';
import { filterFigure, filterFigureHeight } from './filter-figure.ts';
import type { MatchedFilters } from './filters-result.ts';
import { formatCount } from './format.ts';
import { asImage, baseOptions, colourOf, label, muted, type Svg } from './plot-style.ts';

const histogramHeight = 220;

/** Of the histogram. */
const BINS = 40;

/** A sentence with the numbers. */
export function filtersHeadline({ before, after, layer }: MatchedFilters): string {
  const mean = (values: readonly number[]) =>
    formatScore(values.reduce((sum, value) => sum + value, 0) / values.length);
  return (
    `The weights of a unit of ${layer} in A and of the unit of the same number in B have a cosine of ${mean(before)} on average; ` +
    `matched, ${mean(after)}.`
  );
}

/** The figures of matched units. */
export function filtersParts(filters: MatchedFilters): HTMLElement[] {
  const { units, shape, before, after, layer } = filters;
  const pictures = shape
    ? [
        figure(
          `Weights of ${units.length} units of ${layer}`,
          responsive(
            (width) => filterFigureHeight(filters, width),
            (width) => filterFigure(filters, width),
          ),
          `of ${formatCount(after.length)}, evenly from the best matched to the worst`,
        ),
        element(
          'p',
          { class: 'note' },
          `Each column is a unit of A; under it B’s unit of the same number, and the one that matching put there; below them the cosine with A’s. ${
            shape[0] === 3
              ? 'In colour, grey is 0.'
              : `Blue: positive, orange: negative${shape[0] === 1 ? '' : ', summed over input channels'}.`
          } One scale for each column.`,
        ),
      ]
    : [];
  const drawing = responsive(histogramHeight, (width) =>
    similarityFigure(before, after, width, histogramHeight),
  );
  return [
    ...pictures,
    figure(`All ${formatCount(after.length)} units`, drawing, 'cosine of the weights of A’s unit and B’s'),
  ];
}

/** How many units have each cosine, before and after. */
function similarityFigure(
  before: readonly number[],
  after: readonly number[],
  width: number,
  height: number,
): Svg {
  const all = [...before, ...after];
  const [low, high] = [Math.min(0, ...all), Math.max(0.1, ...all)];
  const step = (high - low) / BINS;
  const lines = (
    [
      ['naive', 'before', before],
      ['aligned', 'matched', after],
    ] as const
  ).map(([line, name, values]) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of values) counts[Math.min(BINS - 1, Math.floor((value - low) / step))]! += 1;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { colour: colourOf(line), name, counts, mean };
  });
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      ariaLabel: 'Cosines of the weights of units, before matching and after',
      ariaDescription: lines.map(({ name, mean }) => `${name}: ${mean.toFixed(3)} on average.`).join(' '),
      insetTop: 22,
      x: { domain: [low, high], nice: true },
      y: { nice: true },
      marks: [
        Plot.gridY({ ticks: 4, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({ ticks: 4, tickSize: 0, label: null }),
        Plot.axisX({ tickSize: 4, label: 'cosine', labelAnchor: 'center', labelArrow: 'none' }),
        ...lines.map(({ counts, colour }) =>
          Plot.rectY(counts, {
            x1: (_, i) => low + i * step,
            x2: (_, i) => low + (i + 1) * step,
            y: (count: number) => count,
            fill: colour,
            fillOpacity: 0.4,
            stroke: colour,
            strokeWidth: 1,
            strokeOpacity: 0.6,
          }),
        ),
        ...lines.map(({ name, mean, colour, counts }) =>
          label({ x: mean, y: Math.max(...counts), text: name, colour, dy: -10 }),
        ),
      ],
    }),
  );
}
