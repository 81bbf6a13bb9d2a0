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
  const how =
    strategy === 'none'
      ? 'Nothing was matched'
      : `Matched by ${METHOD_WORDS[align]}, strategy ${strategy}, ${plural(rounds, 'round')}${converged ? '' : ' (the most there may be)'}`;
  const moved = `the distance of the ${plural(models.length, 'network')} from their mean went from ${formatNumber(distances[0]!)} to ${formatNumber(distances[distances.length - 1]!)}`;
  const cycles =
    cycleError === undefined || models.length < 3
      ? ''
      : ` Going from one network to another, to a third and back leaves ${formatNumber(100 * cycleError, 3)}% of the units in another place.`;
  const after = renormalise === 'none' ? '' : ` The mean was then corrected: ${renormalise}.`;
  return `${how}${strategy === 'none' ? '' : `: ${moved}`}.${cycles}${after}`;
}
