/** Tables as text, for terminals and for pages without scripts. */

/** Columns of equal length as text; the first `left` flush left, numbers flush right. */
export function alignColumns(columns: readonly (readonly string[])[], left = 0): string {
  const widths = columns.map((column) => Math.max(...column.map((cell) => cell.length)));
  const rows = columns[0]?.map((_, row) =>
    columns
      .map((column, i) => (i < left ? column[row]!.padEnd(widths[i]!) : column[row]!.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return (rows ?? []).join('\n');
}
