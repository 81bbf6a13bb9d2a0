/** A merge in words and plain tables: the networks, what they were merged into, and how they were brought into one order. */

import { formatNumber, formatPercent, plural } from './format.ts';
import { METHOD_WORDS } from './method-words.ts';
import type { MergeResult, ScoreFields } from './results.ts';
import { alignColumns } from './text-table.ts';

/** One network, or several together, on the test images. */
export interface MergeRow {
  readonly kind: 'model' | 'ensemble' | 'merged';
  readonly name: string;
  readonly score: ScoreFields;
  /** Its part in the mean, as a percentage; empty for the merged network and the ensemble. */
  readonly share: string;
}

/** The models as they came, the mean of their logits, and the merged network. */
export function mergeRows({ models, ensemble, test }: MergeResult): MergeRow[] {
  return [
    ...models.map(({ name, coefficient, test: score }) => ({
      kind: 'model' as const,
      name,
      score,
      share: `${formatNumber(100 * coefficient, 3)}%`,
    })),
    { kind: 'ensemble', name: 'mean of their logits', score: ensemble, share: '' },
    { kind: 'merged', name: 'merged', score: test, share: '' },
  ];
}

/** The columns of the table, each with its heading. */
export function mergeColumns(result: MergeResult): { readonly heading: string; readonly cells: string[] }[] {
  const rows = mergeRows(result);
  const column = (heading: string, cell: (row: MergeRow) => string) => ({ heading, cells: rows.map(cell) });
  return [
    column('network', ({ name }) => name),
    column('share', ({ share }) => share),
    column('test accuracy', ({ score }) => formatPercent(score.accuracy)),
    column('test loss', ({ score }) => formatNumber(score.loss)),
    column('calibrated loss', ({ score }) => formatNumber(score.calibrated.loss)),
    column('temperature', ({ score }) => formatNumber(score.calibrated.temperature, 3)),
  ];
}

/** The table as text. */
export function mergeTable(result: MergeResult): string {
  return alignColumns(
    mergeColumns(result).map(({ heading, cells }) => [heading, ...cells]),
    1,
  );
}

/** What came out, in one sentence: the verdict's first. */
export function mergeHeadline({ verdict }: MergeResult): string {
  return verdict[0] ?? 'A merge of networks.';
}

/** How the networks were brought into one order and what was done to their mean. */
export function mergeSentence({ strategy, align, renormalise, merging, models }: MergeResult): string {
  const { rounds, converged, distances, cycleError } = merging;
  const networks = plural(models.length, 'network');
  const [before, after] = [distances[0]!, distances[distances.length - 1]!].map((value) =>
    formatNumber(value),
  );
  const isMatched = strategy !== 'none' && align !== 'none';
  const order = isMatched
    ? `Matched by ${METHOD_WORDS[align]}, strategy ${strategy}, in ${plural(rounds, 'round')}${converged ? '' : ', the most there may be'}: ` +
      `the distance of the ${networks} from their mean went from ${before} to ${after}.`
    : `Nothing was matched: the distance of the ${networks} from their mean is ${after}.`;
  const corrected = renormalise === 'none' ? '' : ` The mean was then corrected: ${renormalise}.`;
  if (!isMatched || cycleError === undefined || models.length < 3) return order + corrected;
  const round =
    cycleError === 0
      ? 'brings every unit back to where it was'
      : `leaves ${formatNumber(100 * cycleError, 3)}% of the units in another place`;
  return `${order} Going from one network to another, to a third and back ${round}.${corrected}`;
}
