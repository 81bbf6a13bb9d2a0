/** What studies found, in words: for the terminal, for the head of the page, and where there is no JavaScript. */
import { formatNumber, plural } from './format.ts';
import type { CommonResult } from './results.ts';
import type { StudyComparison, StudyFields, StudyResult, StudyVerdict } from './study-result.ts';

export function isStudy(result: CommonResult): result is StudyResult {
  return result.command === 'study';
}

/** `11 claims in 4 studies: 8 held, 1 did not hold, 2 not decided`; what there is none of is left out. */
export function studyHeadline({ studies }: StudyResult): string {
  const claims = studies.flatMap((study) => study.claims);
  const counts = Object.entries(VERDICT_WORDS).map(([verdict, words]) => {
    const count = claims.filter((claim) => claim.verdict === verdict).length;
    return count === 0 ? '' : `${count} ${words}`;
  });
  const where = studies.length === 1 ? studies[0]!.title : `${studies.length} studies`;
  return `${plural(claims.length, 'claim')} in ${where}: ${counts.filter((words) => words !== '').join(', ')}`;
}

const VERDICT_WORDS: Readonly<Record<StudyVerdict, string>> = {
  held: 'held',
  'not held': 'did not hold',
  'not decided': 'not decided',
};

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

/** `1.2 (none barrier loss, width 16) against 2 times 0.3 (...): above by 0.9 ± 0.1 over 3 repetitions`. */
export function comparisonText(comparison: StudyComparison): string {
  const { larger, smaller, excess } = comparisonWords(comparison);
  return `${larger.value} (${larger.name}) against ${smaller.value}${smaller.name && ` (${smaller.name})`}: ${excess}`;
}

/** Both sides of a comparison, each what it is and what was measured, and what the larger has above the smaller. */
export interface ComparisonWords {
  readonly larger: { readonly value: string; readonly name: string };
  /** Its value as it is compared: `2 times 0.3 plus 0.1`. No name where it is a mere number. */
  readonly smaller: { readonly value: string; readonly name: string };
  readonly excess: string;
}

export function comparisonWords(comparison: StudyComparison): ComparisonWords {
  const { largerName, smallerName, larger, smaller, atLeastTimes, by, excess, margin, repetitions } =
    comparison;
  const times = atLeastTimes === 1 ? '' : `${shortNumber(atLeastTimes)} times `;
  const plus = by === 0 ? '' : by > 0 ? ` plus ${shortNumber(by)}` : ` less ${shortNumber(-by)}`;
  const spread = margin === undefined ? '' : ` ± ${shortNumber(margin)}`;
  const side = excess < 0 ? 'below' : 'above';
  return {
    larger: { value: formatNumber(larger), name: largerName },
    smaller: {
      value: `${times}${smallerName === undefined ? shortNumber(smaller) : formatNumber(smaller)}${plus}`,
      name: smallerName ?? '',
    },
    excess: `${side} by ${shortNumber(Math.abs(excess))}${spread} over ${plural(repetitions, 'repetition')}`,
  };
}

/** At most three digits, none of them needless: 0.01, 2, 0.667. */
function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}
