/** What the report shows of pruning: the numbers to take away, accuracy and loss against sparsity, and the table. */
import { element, type Fact, factList, figure, headingRow, responsive, section, table } from './elements.ts';
import { formatPercent } from './format.ts';
import { pruneFigure } from './prune-figure.ts';
import type { PruneResult } from './prune-result.ts';
import {
  type PrunedState,
  pruneColumns,
  pruneSentence,
  shareText,
  sparsestWithin,
  tellingPoint,
} from './prune-summary.ts';

const panelHeight = 270;

/** The sections of pruning, from the facts under the headline on. */
export function pruneSections(result: PruneResult): HTMLElement[] {
  return [facts(result), pictures(result), all(result)];
}

function facts(result: PruneResult): HTMLElement {
  const { dense, renormalise } = result;
  const within = (state: PrunedState) => {
    const sparsest = sparsestWithin(result, state);
    return sparsest === undefined ? 'none' : shareText(sparsest);
  };
  const point = tellingPoint(result);
  const parts: Fact[] = [
    ['Test accuracy, dense', formatPercent(dense.accuracy)],
    ['Sparsest within a point of it', within('pruned')],
    ...(renormalise === 'none'
      ? []
      : ([[`The same after ${renormalise}`, within('renormalised')]] as Fact[])),
    ...(point?.renormalised
      ? ([
          [
            `At ${shareText(point.sparsity)}, by ${renormalise}`,
            `${formatPercent(point.pruned.accuracy)} → ${formatPercent(point.renormalised.accuracy)}`,
          ],
        ] as Fact[])
      : []),
  ];
  return factList('facts', parts);
}

function pictures(result: PruneResult): HTMLElement {
  const panel = (title: string, measure: 'accuracy' | 'loss') =>
    figure(
      title,
      responsive(panelHeight, (width) => pruneFigure({ result, measure, width, height: panelHeight })),
    );
  return section(
    'Against the share of weights that is gone',
    element('div', { class: 'pair' }, panel('Test accuracy', 'accuracy'), panel('Test loss', 'loss')),
    element('p', { class: 'note' }, 'Dotted: the dense network, as it came.'),
  );
}

function all(result: PruneResult): HTMLElement {
  const columns = pruneColumns(result);
  const cells = columns[0]!.cells.map((_, row) => columns.map((column) => column.cells[row]!));
  return section(
    'Every sparsity',
    element('p', {}, pruneSentence(result)),
    table('Pruned networks', [headingRow(columns.map(({ heading }) => ({ text: heading })))], cells),
    element(
      'p',
      { class: 'note' },
      'Zeros are counted in the network that came out. Sparsities are rounded down to whole weights.',
    ),
  );
}
