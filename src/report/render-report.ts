/**
 * The view of a result, in words, figures and tables: a headline, the sections that results of its kind have, and what was run. The
 * report file and the page show this same view. It needs `reportStyles` (styles.ts) in the document, follows light and dark by itself,
 * and adapts to the width of `root`.
 */
import { isAgePath } from './age-path-summary.ts';
import { agePathFacts, agePathSections } from './age-path-view.ts';
import { element, type Fact, factList, section } from './elements.ts';
import { formatSeconds, shown } from './format.ts';
import { wordsOf } from './report-words.ts';
import type { ReportResult } from './results.ts';
import { isStudy } from './study-summary.ts';
import { studyFacts, studySections } from './study-view.ts';
import { networkFacts, networkSections } from './view.ts';

/** Shows `result` in `root`, in place of what is there. Drawing follows the width of `root` for as long as it is in a document. */
export function renderReport(root: HTMLElement, result: ReportResult): void {
  const { sections, facts } = partsOf(result);
  const header = element(
    'header',
    {},
    element('p', { class: 'kicker' }, `rebasin ${result.command}`),
    element('h1', {}, shown(wordsOf(result).headline)),
  );
  root.replaceChildren(
    element('article', { class: 'rebasin-report' }, header, ...sections, provenance(result, facts)),
  );
}

/** What only results of this kind have: what is shown, and what was run. */
function partsOf(result: ReportResult): { sections: HTMLElement[]; facts: Fact[] } {
  if (isStudy(result)) return { sections: studySections(result), facts: studyFacts(result) };
  if (isAgePath(result)) return { sections: agePathSections(result), facts: agePathFacts(result) };
  return { sections: networkSections(result), facts: networkFacts(result) };
}

/** What was run, and the numbers to take away. */
function provenance(result: ReportResult, facts: readonly Fact[]): HTMLElement {
  const json = JSON.stringify(result, null, 2);
  const href = `data:application/json;charset=utf-8,${encodeURIComponent(json)}`;
  return section(
    'What was run',
    factList('run', [
      ...facts,
      ['Time', formatSeconds(result.seconds)],
      ['Version', `rebasin ${result.version}`],
      ['Hash', result.hash],
    ]),
    element(
      'p',
      {},
      element('a', { class: 'download', download: 'result.json', href }, 'Download result.json'),
    ),
  );
}
