/** Accuracy or loss against sparsity: the pruned network, the corrected one, and the dense one as a dotted line. */
import * as Plot from '@observablehq/plot';
import { formatNumber, formatPercent } from './format.ts';
import type { Measure } from './lines.ts';
import { asImage, baseOptions, colourOf, label, muted, type Svg } from './plot-style.ts';
import type { PrunedPoint, PruneResult } from './prune-result.ts';
import { bySparsity, type PrunedState, shareText } from './prune-summary.ts';

export interface PruneFigureOptions {
  readonly result: PruneResult;
  readonly measure: Measure;
  readonly width: number;
  readonly height: number;
}

const COLOURS = { pruned: colourOf('naive'), renormalised: colourOf('aligned') } as const;

export function pruneFigure({ result, measure, width, height }: PruneFigureOptions): Svg {
  const points = bySparsity(result);
  const states = (['renormalised', 'pruned'] as const).filter((state) =>
    points.some((point) => point[state]),
  );
  const format = measure === 'loss' ? formatNumber : formatPercent;
  const scoreOf = (point: PrunedPoint, state: PrunedState) => point[state]?.[measure] ?? Number.NaN;
  const dense = result.dense[measure];
  const finite = states
    .flatMap((state) => points.map((point) => scoreOf(point, state)))
    .filter((value) => Number.isFinite(value));
  const top = measure === 'accuracy' ? 1 : 1.1 * Math.max(dense, ...finite) || 1;
  const nameOf = (state: PrunedState) => (state === 'pruned' ? 'pruned' : result.renormalise);
  // One line alone needs no name.
  const named = states.length > 1 ? labelPoint(points, measure) : undefined;
  const good = measure === 'accuracy' ? -1 : 1; // towards better values, in pixels downwards
  return asImage(
    Plot.plot({
      ...baseOptions(width, height),
      insetBottom: 16,
      ariaLabel: `${measure === 'loss' ? 'Loss' : 'Accuracy'} against sparsity`,
      ariaDescription: points
        .map((point) => {
          const values = states.map((state) => `${nameOf(state)} ${format(scoreOf(point, state))}`);
          return `${shareText(point.sparsity)}: ${values.join(', ')}.`;
        })
        .join(' '),
      x: { domain: sparsityDomain(points), inset: 6 },
      y: { domain: [0, top] },
      marks: [
        Plot.gridY({ ticks: 5, stroke: muted, strokeOpacity: 0.2 }),
        Plot.axisY({
          ticks: 5,
          tickSize: 0,
          label: null,
          ...(measure === 'accuracy' ? { tickFormat: (value: number) => `${Math.round(100 * value)}%` } : {}),
        }),
        Plot.axisX({
          ticks: Math.max(2, Math.floor(width / 80)),
          tickSize: 4,
          tickFormat: shareText,
          label: 'sparsity',
          labelAnchor: 'center',
          labelArrow: 'none',
        }),
        Plot.ruleY([dense].filter(Number.isFinite), {
          stroke: muted,
          strokeWidth: 1.5,
          strokeDasharray: '1,4',
        }),
        ...states.flatMap((state) => {
          const channels = { x: 'sparsity', y: (point: PrunedPoint) => scoreOf(point, state) };
          return [
            Plot.line(points, { ...channels, stroke: COLOURS[state], strokeWidth: 2 }),
            Plot.dot(points, { ...channels, fill: COLOURS[state], r: 3 }),
          ];
        }),
        ...states.flatMap((state) => {
          const y = named ? scoreOf(named, state) : Number.NaN;
          if (!named || !Number.isFinite(y)) return [];
          const anchor =
            points.length === 1
              ? 'middle'
              : named === points.at(-1)
                ? 'end'
                : named === points[0]
                  ? 'start'
                  : 'middle';
          const dy = (state === 'renormalised' ? good : -good) * 15;
          return [label({ x: named.sparsity, y, text: nameOf(state), colour: COLOURS[state], dy, anchor })];
        }),
        Plot.tip(
          points,
          Plot.pointerX({
            x: 'sparsity',
            y: (point: PrunedPoint) => scoreOf(point, states[0]!),
            title: (point: PrunedPoint) =>
              [
                `sparsity ${shareText(point.sparsity)}`,
                ...states.map((state) => `${nameOf(state)} ${format(scoreOf(point, state))}`),
                `dense ${format(dense)}`,
              ].join('\n'),
            preferredAnchor: 'bottom',
            lineHeight: 1.35,
          }),
        ),
      ],
    }),
  );
}

/** Where the two differ most, there their names stand; of equal places the least sparse. */
function labelPoint(points: readonly PrunedPoint[], measure: Measure): PrunedPoint | undefined {
  const gap = ({ pruned, renormalised }: PrunedPoint) =>
    Math.abs((renormalised?.[measure] ?? pruned[measure]) - pruned[measure]) || 0;
  return points.reduce<PrunedPoint | undefined>(
    (best, point) => (best && gap(best) >= gap(point) ? best : point),
    undefined,
  );
}

/** From the least to the highest sparsity; one alone has room on both sides. */
function sparsityDomain(points: readonly PrunedPoint[]): [number, number] {
  const all = points.map(({ sparsity }) => sparsity);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return low < high ? [low, high] : [Math.max(0, low - 0.1), Math.min(1, high + 0.1)];
}
