import { describe, expect, test } from 'vitest';
import { reportHtml } from '../../../src/report/page.ts';
import {
  comparisonText,
  comparisonWords,
  isStudy,
  studyHeadline,
  studyText,
} from '../../../src/report/study-summary.ts';
import { syntheticSweep } from './synthetic-result.ts';
import { syntheticComparison, syntheticStudies } from './synthetic-study.ts';

describe('studies in words', () => {
  test('the headline counts verdicts, and names a study that stands alone', () => {
    const result = syntheticStudies();
    expect(studyHeadline(result)).toBe('4 claims in 2 studies: 2 held, 1 did not hold, 1 not decided');
    expect(studyHeadline({ ...result, studies: result.studies.slice(1) })).toBe(
      '1 claim in A counterexample to one basin for all: 1 held',
    );
  });

  test('a study tells each claim with its verdict, and each comparison below it', () => {
    const [width] = syntheticStudies().studies;
    expect(studyText(width!)).toEqual([
      'Barrier against width (24 measurements)',
      '  held         The barrier falls as networks get wider.',
      `               ${comparisonText(width!.claims[0]!.comparisons[0]!)}`,
      '  not held     Matching takes away at least half of it.',
      ...width!.claims[1]!.comparisons.map((each) => `               ${comparisonText(each)}`),
      '  not decided  Rescaling is no worse by more than a point.',
      `               ${comparisonText(width!.claims[2]!.comparisons[0]!)}`,
    ]);
  });

  test('a comparison says both sides, what was asked of the smaller, and by how much it is met', () => {
    expect(comparisonText(syntheticComparison())).toBe(
      '1.234 (none barrier loss, width 16) against 0.1230 (none barrier loss, width 128): above by 1.11 ± 0.21 over 3 repetitions',
    );
    const asked = syntheticComparison({ atLeastTimes: 2 / 3, by: -0.01, excess: -0.00300001 });
    expect(comparisonWords(asked).smaller.value).toBe('0.667 times 0.1230 less 0.01');
    expect(comparisonWords(asked).excess).toBe('below by 0.003 ± 0.21 over 3 repetitions');
    expect(comparisonWords(syntheticComparison({ by: 0.5 })).smaller.value).toBe('0.1230 plus 0.5');
  });

  test('a number that was compared with is told as it is', () => {
    const { margin: _, smallerName: __, ...single } = syntheticComparison({ smaller: 0.1, repetitions: 1 });
    expect(comparisonText(single)).toBe(
      '1.234 (none barrier loss, width 16) against 0.1: above by 1.11 over 1 repetition',
    );
  });

  test('are told from other results', () => {
    expect(isStudy(syntheticStudies())).toBe(true);
    expect(isStudy(syntheticSweep())).toBe(false);
  });
});

test('the page holds the studies, says them without JavaScript, and no text of theirs becomes markup', () => {
  const hostile = '</script><script>alert(1)</script>';
  const [width, other] = syntheticStudies().studies;
  const html = reportHtml(
    syntheticStudies({ studies: [{ ...width!, title: hostile, name: hostile }, other!] }),
    'view()',
  );
  expect(html.match(/<\/script/gi)).toHaveLength(2);
  expect(html).toContain('<title>rebasin study: 4 claims in 2 studies');
  const spoken = html.slice(html.indexOf('<noscript>'), html.indexOf('</noscript>'));
  for (const verdict of ['held', 'not held', 'not decided']) {
    expect(spoken).toMatch(new RegExp(`^ {2}${verdict} +[A-Z]`, 'm'));
  }
});
