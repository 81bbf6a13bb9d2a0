/** What studies found, in words: for the terminal, for the head of the page, and where there is no JavaScript. */
import { formatNumber, plural } from './format.ts';
import type { CommonResult } from './results.ts';
import type { StudyClaim, StudyFields, StudyResult } from './study-result.ts';

export function isStudy(result: CommonResult): result is StudyResult {
  return result.command === 'study';
}

/** `11 claims in 4 studies: 8 held, 1 did not, 2 are not decided`. */
export function studyHeadline({ studies }: StudyResult): string {
  const claims = studies.flatMap((study) => study.claims);
  const count = (verdict: StudyClaim['verdict']) =>
    claims.filter((claim) => claim.verdict === verdict).length;
  const [held, not, open] = [count('held'), count('not held'), count('not decided')];
  const where = studies.length === 1 ? studies[0]!.title : `${studies.length} studies`;
  return `${plural(claims.length, 'claim')} in ${where}: ${held} held, ${not} did not hold, ${open} not decided`;
}

/** A study's claims with their numbers, a line each. */
export function studyText(study: StudyFields): string[] {
  return [
    `${study.title} (${plural(study.measurements, 'measurement')})`,
    ...study.claims.flatMap((claim) => [
      `  ${claim.verdict.padEnd(12)} ${claim.text}`,
      ...claim.comparisons.map((comparison) => `${' '.repeat(15)}${comparisonText(comparison)}`),
    ]),
  ];
}

/** `none barrier loss, width 16: 1.2 against 0.3 of ...; excess 0.9 ± 0.1 over 3 repetitions`. */
export function comparisonText(comparison: StudyClaim['comparisons'][number]): string {
  const { largerName, smallerName, larger, smaller, atLeastTimes, by, excess, margin, repetitions } =
    comparison;
  const times = atLeastTimes === 1 ? '' : `${formatNumber(atLeastTimes)} times `;
  const plus = by === 0 ? '' : by > 0 ? ` plus ${formatNumber(by)}` : ` less ${formatNumber(-by)}`;
  const other = smallerName === String(smaller) ? smallerName : `${formatNumber(smaller)} (${smallerName})`;
  const spread = margin === undefined ? '' : ` ± ${formatNumber(margin)}`;
  return `${formatNumber(larger)} (${largerName}) against ${times}${other}${plus}: above by ${formatNumber(excess)}${spread} over ${plural(repetitions, 'repetition')}`;
}
