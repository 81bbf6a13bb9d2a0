/** What the report shows of an analysis: the numbers to take away, lines beside their estimates, three networks, and tables. */

import { taylorFigure } from './analyse-figure.ts';
import { analysisTable, matchingName } from './analyse-parts.ts';
import type { AnalysedMatching, AnalyseResult, SingularFields } from './analyse-result.ts';
import {
  beforeAndAfter,
  formatReduction,
  formatScore,
  matchingColumns,
  pairColumns,
  tellingGamma,
} from './analyse-summary.ts';
import { element, figure, responsive, section } from './elements.ts';
import { formatBarrier, formatNumber, shown } from './format.ts';
import { type Lane, laneFigure, laneHeight } from './lane-figure.ts';
import { colourOf, ink } from './plot-style.ts';
import { singularSections } from './singular-view.ts';

const panelHeight = 200;

/** The sections of an analysis, from the facts under the headline on. */
export function analyseSections(result: AnalyseResult): HTMLElement[] {
  const { singular, matchings } = result;
  return [
    facts(result),
    estimates(result),
    ...(singular ? singularSections(result, singular) : []),
    ...(matchings[0]!.pairs ? [three(result)] : []),
  ];
}

function facts(result: AnalyseResult): HTMLElement {
  const { before, after } = beforeAndAfter(result);
  const where = result.data.split === 'test' ? 'Test' : 'Training';
  const both = (of: (matching: AnalysedMatching) => string) => [of(before), ...(after ? [of(after)] : [])];
  const rows: [string, string[]][] = [
    ['Distance', both(({ distance }) => formatNumber(distance))],
    ...(after ? ([['Closer by', [formatReduction(after.reduction)]]] as [string, string[]][]) : []),
    [`${where} loss barrier`, both(({ curve }) => formatBarrier(curve.barrier.loss))],
    ['Its Taylor estimate', both(({ taylor }) => formatBarrier(taylor.barrier))],
    ...alignmentFact(result.singular, both),
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

function alignmentFact(
  singular: SingularFields | undefined,
  both: (of: (matching: AnalysedMatching) => string) => string[],
): [string, string[]][] {
  if (!singular) return [];
  const at = tellingGamma(singular);
  return [
    [`Alignment R(${singular.gammas[at]!})`, both(({ alignment }) => formatScore(alignment?.score[at]))],
  ];
}

function estimates(result: AnalyseResult): HTMLElement {
  const { lambda, matchings, renormalise } = result;
  const panels = matchings.map((matching) => {
    const title = matchingName(matching.align);
    const drawing = responsive(panelHeight, (width) =>
      taylorFigure({ lambda, matching, title, width, height: panelHeight }),
    );
    return figure(title, drawing);
  });
  const corrected =
    renormalise === 'none'
      ? ''
      : ` What is measured is corrected by ${renormalise}; the estimate is of the line that is not.`;
  return section(
    'Is it a matter of distance?',
    element('div', { class: panels.length > 2 ? 'triple' : 'pair' }, ...panels),
    element(
      'p',
      { class: 'note' },
      'Loss over the straight line between the ends, each picture on its own scale. Solid: measured. Dashed: what it would be if the loss were ' +
        'quadratic about both networks as far as the other, from exact gradients and Hessian-vector products (the Taylor estimate). Where the two ' +
        `differ, the networks are not so close that curvature decides, and the distance that matching takes away does not explain the barrier.${corrected}`,
    ),
    analysisTable('Distances, barriers and estimates', matchingColumns(result)),
  );
}

function three(result: AnalyseResult): HTMLElement {
  const lanes = result.matchings.flatMap(({ align, pairs = [] }) =>
    pairs.map(({ networks, barrier: { loss } }, i): Lane => {
      const colour = align === 'none' ? colourOf('naive') : i < 2 ? colourOf('aligned') : ink;
      const value = Number.isFinite(loss) ? { mean: loss, min: loss, max: loss } : undefined;
      return { group: matchingName(align), name: shown(networks.join(' – ')), value, colour };
    }),
  );
  const title = `${result.data.split === 'test' ? 'Test' : 'Training'} loss barrier`;
  const description = lanes
    .map(({ group, name, value }) => `${group}, ${name}: ${formatBarrier(value?.mean ?? Number.NaN)}.`)
    .join(' ');
  const references = [{ name: 'no barrier', value: 0, isDashed: false }];
  const drawing = responsive(laneHeight(lanes, references), (width) =>
    laneFigure({
      ...{ lanes, references, title, description, format: formatBarrier, tickFormat: String, width },
      isSquareRoot: true,
    }),
  );
  return section(
    'Three networks',
    figure(title, drawing, 'on a square-root axis'),
    element(
      'p',
      { class: 'note' },
      'B and C were each matched to A (blue); no matching looked at B and C together (black). If their barrier is as low, all three came into one basin; ' +
        'if not, each was only made to go with A.',
    ),
    element(
      'div',
      { class: 'compared' },
      analysisTable('Barriers between every two of three networks', pairColumns(result)),
    ),
  );
}
