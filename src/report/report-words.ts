/** A result of any kind in words, for the head of the page and for where there is no JavaScript. */
import { agePathHeadline, agePathTable, isAgePath } from './age-path-summary.ts';
import type { ReportResult } from './results.ts';
import { isStudy, studyHeadline, studyText } from './study-summary.ts';
import { headline, textTables } from './summary.ts';

/** A result in words. */
export interface ReportWords {
  /** The result in a sentence or two. */
  readonly headline: string;
  /** Everything else that can be said without pictures: lines of text. */
  readonly text: string;
}

/** Puts a result into words, as the command line prints them and the report shows them without JavaScript. */
export function wordsOf(result: ReportResult): ReportWords {
  if (isStudy(result)) {
    return { headline: studyHeadline(result), text: result.studies.flatMap(studyText).join('\n') };
  }
  if (isAgePath(result)) return { headline: agePathHeadline(result), text: agePathTable(result) };
  return { headline: headline(result), text: textTables(result) };
}
