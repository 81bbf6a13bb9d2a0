/** Pruning in words and plain tables. */
import { formatColumn, formatCount, formatNumber, formatPercent, plural } from './format.ts';
import type { PrunedPoint, PruneResult } from './prune-result.ts';
import type { LossAndAccuracy } from './results.ts';
import { alignColumns } from './text-table.ts';

/** A network before or after the correction. */
export type PrunedState = 'pruned' | 'renormalised';

/** How methods judge, as sentences name it. */
const JUDGED: Readonly<Record<string, string>> = {
  magnitude: 'by magnitude',
  'magnitude-per-layer': 'by magnitude in each layer',
  random: 'at random',
  fisher: 'by their Fisher information',
  woodfisher: 'by WoodFisher',
  wanda: 'by WANDA',
  channel: 'whole units at a time',
};

export function judgedInWords(method: string): string {
  return JUDGED[method] ?? `${method} along the inputs`;
}

/** The points, least sparse first. */
export function bySparsity({ curve }: PruneResult): PrunedPoint[] {
  return [...curve].sort((a, b) => a.sparsity - b.sparsity);
}

/** The highest sparsity up to which no network is more than `points` (a fraction of 1) of accuracy below the dense one. */
export function sparsestWithin(result: PruneResult, state: PrunedState, points = 0.01): number | undefined {
  let sparsest: number | undefined;
  for (const point of bySparsity(result)) {
    const accuracy = point[state]?.accuracy;
    // Rounding of differences of fractions must not decide.
    if (accuracy === undefined || !(result.dense.accuracy - accuracy <= points + 1e-9)) break;
    sparsest = point.sparsity;
  }
  return sparsest;
}

/** Where the correction gains most; without one, or where it gains nothing, the sparsest. */
export function tellingPoint(result: PruneResult): PrunedPoint | undefined {
  const points = bySparsity(result);
  const gain = ({ pruned, renormalised }: PrunedPoint) => (renormalised?.accuracy ?? 0) - pruned.accuracy;
  const corrected = points.filter((point) => point.renormalised && gain(point) > 0);
  return (
    corrected.reduce<PrunedPoint | undefined>(
      (best, point) => (best && gain(best) >= gain(point) ? best : point),
      undefined,
    ) ?? points[points.length - 1]
  );
}

/**
 * What came out, in a sentence.
 *
 * @example
 * 'With 90% of the weights removed by magnitude the network gets 60.90% of the test images right after reset, 11.05% without and 71.05% before pruning.'
 */
export function pruneHeadline(result: PruneResult): string {
  const point = tellingPoint(result);
  if (!point) return 'A network, and no sparsity to prune it to.';
  const { sparsity, pruned, renormalised } = point;
  const [left, dense] = [renormalised ?? pruned, result.dense].map(({ accuracy }) => formatPercent(accuracy));
  const removed =
    result.method === 'channel'
      ? `${shareText(sparsity)} of the units of each group removed`
      : `${shareText(sparsity)} of the weights removed ${judgedInWords(result.method)}`;
  const beside = renormalised
    ? ` after ${result.renormalise}, ${formatPercent(pruned.accuracy)} without and ${dense} before pruning`
    : `, ${dense} before pruning`;
  return `With ${removed} the network gets ${left} of the test images right${beside}.`;
}

/** The columns of the table of sparsities, each with its heading; the dense network first. */
export function pruneColumns(result: PruneResult): { readonly heading: string; readonly cells: string[] }[] {
  const points = bySparsity(result);
  const states = (['pruned', 'renormalised'] as const).filter((state) =>
    points.some((point) => point[state]),
  );
  const nameOf = (state: PrunedState) => (state === 'pruned' ? 'pruned' : result.renormalise);
  const scores = (state: PrunedState) => points.map((point): LossAndAccuracy | undefined => point[state]);
  return [
    { heading: 'sparsity', cells: ['dense', ...points.map(({ sparsity }) => shareText(sparsity))] },
    { heading: 'zeros', cells: ['', ...points.map(({ zeros }) => formatCount(zeros))] },
    { heading: 'of all', cells: ['', ...points.map(({ achieved }) => formatPercent(achieved))] },
    ...states.map((state) => ({
      heading: `accuracy, ${nameOf(state)}`,
      cells: [
        state === 'pruned' ? formatPercent(result.dense.accuracy) : '',
        ...scores(state).map((score) => (score ? formatPercent(score.accuracy) : '')),
      ],
    })),
    ...states.map((state) => {
      const [dense, ...losses] = formatColumn([
        result.dense.loss,
        ...scores(state).map((score) => score?.loss ?? Number.NaN),
      ]);
      return { heading: `loss, ${nameOf(state)}`, cells: [state === 'pruned' ? dense! : '', ...losses] };
    }),
  ];
}

/** The table as text. */
export function pruneTable(result: PruneResult): string {
  return alignColumns(
    pruneColumns(result).map(({ heading, cells }) => [heading, ...cells]),
    1,
  );
}

/** What was removed, how it was chosen and what was done then, in a sentence or two. */
export function pruneSentence(result: PruneResult): string {
  const { weights, method, scope, samples, renormalise } = result;
  const which =
    scope === 'all'
      ? 'of all linear layers and convolutions'
      : 'of linear layers and convolutions, those of shortcuts excepted';
  const seen = samples === undefined ? '' : `, on ${plural(samples, 'image')}`;
  const counted = `${formatCount(weights)} weights ${which}`;
  const how =
    method === 'channel'
      ? `Units go by the norm of their incoming weights, in each group of units that belong together; sparsity is the share of units that was asked for. Counted are ${counted}.`
      : `Judged were ${counted}, ${judgedInWords(method)}${seen}. Biases and norms stay.`;
  const then =
    renormalise === 'none' ? 'Nothing was corrected' : `What was left was corrected: ${renormalise}`;
  return `${how} ${then}; nothing was trained.`;
}

/** 90%, 99.9%: as it was asked for. */
export function shareText(share: number): string {
  return `${formatNumber(100 * share, 6)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')}%`;
}
