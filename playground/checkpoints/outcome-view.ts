/** What an analysis found, as the report shows it, with its files and the command that gives the same. */
import { element, factList, headingRow, table } from '../../src/report/elements.ts';
import { filtersHeadline, filtersParts } from '../../src/report/filters-view.ts';
import { formatCount, formatNumber, plural, shown } from '../../src/report/format.ts';
import type { Line, SplitName } from '../../src/report/lines.ts';
import type {
  CommonResult,
  MatchResult,
  NetworkResult,
  ReportResult,
  SweepResult,
} from '../../src/report/results.ts';
import { singularSections } from '../../src/report/singular-view.ts';
import { headline } from '../../src/report/summary.ts';
import { lineSections, matchSection, networkSections } from '../../src/report/view.ts';
import type { Outcome, SpecFacts } from './outcome.ts';

/** A result that can be saved, and which of an analysis's lines it is. */
export interface SavedResult {
  /** Of its files. */
  readonly name: string;
  readonly result: CommonResult;
  /** Where there is a page for it. */
  readonly report?: ReportResult;
  /** The images that it is about. */
  readonly on: SplitName;
  /** What was done to the networks between. */
  readonly renormalise: string;
  readonly part?: 'naive' | 'aligned' | 'corrected';
}

export interface OutcomeView {
  /** A sentence or two with the numbers. */
  readonly headline: string;
  readonly parts: readonly HTMLElement[];
  readonly results: readonly SavedResult[];
  /** Networks that can be saved. */
  readonly checkpoints: readonly ('merged' | 'permuted')[];
}

export function outcomeView(outcome: Outcome): OutcomeView {
  switch (outcome.analysis) {
    case 'spec':
      return plain(specHeadline(outcome.spec), specParts(outcome.spec));
    case 'match':
      return {
        ...plain(matchHeadline(outcome.result), [matchSection(outcome.result, 'How it went')]),
        results: [{ name: 'match', result: outcome.result, on: 'test', renormalise: 'none' }],
        checkpoints: ['permuted'],
      };
    case 'units':
      return plain(filtersHeadline(outcome.filters), filtersParts(outcome.filters));
    case 'line':
      return linesView(outcome);
    case 'singular':
      if ('result' in outcome) return networkView('analyse', outcome.result, outcome.result.data.split);
      return plain(
        'Singular vectors by the weights alone; with images, their layers’ inputs, barriers and Taylor estimates are looked at as well.',
        outcome.vectors.singular ? singularSections(outcome.vectors, outcome.vectors.singular) : [],
      );
    case 'merge':
      return { ...networkView('merge', outcome.result, 'test'), checkpoints: ['merged'] };
    case 'layers':
      return networkView('stats', outcome.result, outcome.result.data.split);
    case 'pruning':
      return networkView('prune', outcome.result, 'test');
    case 'plane':
      return networkView('plane', outcome.result, outcome.result.test ? 'test' : 'train');
  }
}

function plain(sentence: string, parts: readonly HTMLElement[]): OutcomeView {
  return { headline: sentence, parts, results: [], checkpoints: [] };
}

/** As the report has it, but for how the networks were matched: that stands by itself. */
function networkView(name: string, result: NetworkResult, on: SplitName): OutcomeView {
  const matching = new Set(['Matching', 'Matching of B']);
  const parts = networkSections(result).filter(
    (part) => !matching.has(part.querySelector('h2')?.textContent ?? ''),
  );
  const renormalise = ('renormalise' in result ? result.renormalise : undefined) ?? 'none';
  const saved: SavedResult = { name, result, report: result, on, renormalise };
  return { ...plain(shown(headline(result)), parts), results: [saved] };
}

function linesView({
  naive,
  aligned,
  corrected,
  uncorrected,
}: Extract<Outcome, { analysis: 'line' }>): OutcomeView {
  const both = ['loss', 'accuracy'] as const;
  const all = [
    ['naive', naive],
    ['aligned', aligned],
    ['corrected', corrected],
  ] as const;
  const there = all.flatMap(([name, result]) => (result ? [{ name, result }] : []));
  const lines = there.map(({ name, result }): Line => ({ name, curves: result, measures: both }));
  const split: SplitName = naive.test ? 'test' : 'train';
  const barrier = (result: SweepResult) => formatNumber(result[split]!.barrier.loss, 3);
  const parts = lineSections(lines);
  if (uncorrected) parts.push(element('p', { class: 'note' }, `No corrected line: ${uncorrected}.`));
  return {
    ...plain(
      `Straight between the networks the ${split} loss rises by ${barrier(naive)}${aligned ? `, after matching by ${barrier(aligned)}` : ''}` +
        `${corrected ? `, corrected by ${corrected.renormalise} by ${barrier(corrected)}` : ''}.`,
      parts,
    ),
    results: there.map(({ name, result }) => ({
      ...{ name: `sweep-${name}`, result, report: result, on: split, part: name },
      renormalise: result.renormalise,
    })),
  };
}

function matchHeadline({ distance, permutations }: MatchResult): string {
  const units = Object.values(permutations);
  const moved = units.flatMap((p) => p.filter((from, to) => from !== to)).length;
  const all = units.reduce((sum, p) => sum + p.length, 0);
  return (
    `The distance between the networks goes from ${formatNumber(distance.before)} to ${formatNumber(distance.after)} ` +
    `by moving ${formatCount(moved)} of ${formatCount(all)} hidden units; what B computes stays the same.`
  );
}

function specHeadline({ groups, equivalence }: SpecFacts): string {
  const units = groups.reduce((sum, { size }) => sum + size, 0);
  const check = equivalence.passed ? 'passed' : 'FAILED';
  return (
    `${plural(units, 'hidden unit')} in ${plural(groups.length, 'group')} can be permuted without changing what the network computes. ` +
    `Checked on it with random permutations of all groups: ${check}, largest difference ${equivalence.maxDifference.toExponential(1)} of the largest output (at most 1e-4 passes).`
  );
}

function specParts({ groups, pinned }: SpecFacts): HTMLElement[] {
  const head = headingRow([{ text: 'group' }, { text: 'units' }, { text: 'lies on (tensor and axis)' }]);
  const rows = groups.map(({ name, size, places }) => [name, formatCount(size), places.join(', ')]);
  const list = element('div', { class: 'places' }, table('Groups of units', [head], rows));
  if (pinned.length === 0) return [list];
  return [
    list,
    element(
      'details',
      {},
      element('summary', {}, `${plural(pinned.length, 'place')} that cannot be permuted, and why`),
      factList(
        'run',
        pinned.map((text) => text.split(': ', 2) as [string, string]),
      ),
    ),
  ];
}
