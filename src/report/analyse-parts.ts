/** What the sections of an analysis share: tables of its columns, and how a way of matching is called. */

import type { AnalysisColumn } from './analyse-summary.ts';
import { headingRow, table } from './elements.ts';
import { shown } from './format.ts';
import { METHOD_WORDS } from './method-words.ts';
import type { MatchingMethod } from './results.ts';

export function analysisTable(caption: string, columns: readonly AnalysisColumn[]): HTMLElement {
  const rows = columns[0]!.cells.map((_, row) => columns.map(({ cells }) => shown(cells[row]!)));
  return table(caption, [headingRow(columns.map(({ heading }) => ({ text: heading })))], rows);
}

/** "As they are", "Weight matching". */
export function matchingName(align: MatchingMethod): string {
  const words = align === 'none' ? 'as they are' : METHOD_WORDS[align];
  return words.charAt(0).toUpperCase() + words.slice(1);
}
