/** What the report shows of an analysis: the numbers to take away, lines beside their estimates, three networks, and tables. */

import { taylorFigure } from './analyse-figure.ts';
import type { AnalyseResult } from './analyse-result.ts';
import {
  type AnalysisColumn,
  beforeAndAfter,
  formatReduction,
  matchingColumns,
  pairColumns,
} from './analyse-summary.ts';
import { element, figure, headingRow, responsive, section, table } from './elements.ts';
import { formatBarrier, formatNumber, shown } from './format.ts';
import { METHOD_WORDS } from './method-words.ts';

const panelHeight = 230;

/** The sections of an analysis, from the facts under the headline on. */
export function analyseSections(result: AnalyseResult): HTMLElement[] {
  return [facts(result), estimates(result), ...(result.matchings[0]!.pairs ? [three(result)] : [])];
}

function facts(result: AnalyseResult): HTMLElement {
  const { before, after } = beforeAndAfter(result);
  const where = result.data.split === 'test' ? 'Test' : 'Training';
  const both = (of: (matching: typeof before) => string) => [of(before), ...(after ? [of(after)] : [])];
  const rows: [string, string[]][] = [
    ['Distance', both(({ distance }) => formatNumber(distance))],
    ...(after ? ([['Closer by', [formatReduction(after.reduction)]]] as [string, string[]][]) : []),
    [`${where} loss barrier`, both(({ curve }) => formatBarrier(curve.barrier.loss))],
    ['Its Taylor estimate', both(({ taylor }) => formatBarrier(taylor.barrier))],
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...rows.map(([name, values]) => {
      const definition = element('dd');
      for (const [i, value] of values.entries()) {
        if (i > 0) definition.append(element('span', { class: 'arrow', 'aria-label': 'to' }, '→'));
        const plain = values.length === 1;
        definition.append(element('span', plain ? {} : { class: i === 0 ? 'naive' : 'aligned' }, value));
      }
      return element('div', {}, element('dt', {}, name), definition);
    }),
  );
}

function estimates(result: AnalyseResult): HTMLElement {
  const { lambda, matchings, data, renormalise } = result;
  const panels = matchings.map((matching) => {
    const title = matching.align === 'none' ? 'As they are' : capitalised(METHOD_WORDS[matching.align]);
    const drawing = responsive(panelHeight, (width) =>
      taylorFigure({ lambda, matching, title, width, height: panelHeight }),
    );
    return figure(title, drawing, `${data.split} loss`);
  });
  const corrected =
    renormalise === 'none'
      ? ''
      : ` What is measured is corrected by ${renormalise}; the estimate is of the line that is not.`;
  return section(
    'Is it distance that matters?',
    element('div', { class: 'pair' }, ...panels),
    element(
      'p',
      { class: 'note' },
      'Solid: the loss on the straight line, measured. Dashed: what it would be if the loss were quadratic about both networks as far as the other, ' +
        'from exact gradients and Hessian-vector products. Where the two are far apart, the networks are not close in the sense in which curvature decides, ' +
        `and what matching does is not explained by the distance it takes away. Each picture has its own scale.${corrected}`,
    ),
    asTable('Distances, barriers and estimates', matchingColumns(result)),
  );
}

function three(result: AnalyseResult): HTMLElement {
  return section(
    'Three networks',
    element(
      'div',
      { class: 'compared' },
      asTable('Barriers between every two of three networks', pairColumns(result)),
    ),
    element(
      'p',
      { class: 'note' },
      'B and C were each matched to A. Nothing looked at B and C together: if their barrier is gone as well, all three came into one basin.',
    ),
  );
}

function asTable(caption: string, columns: readonly AnalysisColumn[]): HTMLElement {
  const rows = columns[0]!.cells.map((_, row) => columns.map(({ cells }) => shown(cells[row]!)));
  return table(caption, [headingRow(columns.map(({ heading }) => ({ text: heading })))], rows);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
