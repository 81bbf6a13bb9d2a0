/** Tables of numbers as text: CSV (RFC 4180 without quoted numbers) and the sparse format of LIBSVM. */
import { FormatError } from '../base/errors.ts';

/** Samples with one target each. */
export interface Table {
  /** f64 [samples, columns], row-major. */
  readonly features: Float64Array;
  /** f64 [samples]. */
  readonly targets: Float64Array;
  /** Numbers in each row of the features. */
  readonly columns: number;
  /** Of the features, as the header says, or "x1", "x2", ... */
  readonly names: readonly string[];
}

/** More cells than this would not be solved anyway, and are most likely a mistaken index. */
const MOST_CELLS = 1e8;

/**
 * Reads comma-separated numbers, one sample a line. A first line that holds anything but numbers is the header.
 * @param target name (of the header) or number (from 1) of the column to predict; the last one by default.
 * @param source what errors call the file.
 * @throws FormatError naming line and column of what is no number, or lines of different length.
 */
export function parseCsv(text: string, target?: string, source = 'parseCsv'): Table {
  const lines = linesOf(text);
  const cells = lines.map(({ text: line }) =>
    line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')),
  );
  const first = cells[0];
  if (first === undefined) throw new FormatError(`${source}: expected lines of numbers, got an empty file`);
  const header = first.some((cell) => numberOf(cell) === undefined) ? first : undefined;
  const width = first.length;
  const names = header ?? first.map((_, j) => `x${j + 1}`);
  const at = target === undefined ? width - 1 : columnOf(target, names);
  if (at < 0 || width < 2) {
    throw new FormatError(
      `${source}: expected ${width < 2 ? 'at least 2 columns' : `a column ${JSON.stringify(target)}`}, got ${names.join(', ')}`,
    );
  }
  const rows = cells.slice(header ? 1 : 0);
  if (rows.length === 0) throw new FormatError(`${source}: expected samples below the header, got none`);
  const features = new Float64Array(rows.length * (width - 1));
  const targets = new Float64Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const { line } = lines[i + (header ? 1 : 0)]!;
    if (row.length !== width) {
      throw new FormatError(`${source}, line ${line}: expected ${width} columns, got ${row.length}`);
    }
    let k = 0;
    for (const [j, cell] of row.entries()) {
      const value = numberOf(cell);
      if (value === undefined) {
        throw new FormatError(
          `${source}, line ${line}, column ${names[j]}: expected a finite number, got ${JSON.stringify(cell)}`,
        );
      }
      if (j === at) targets[i] = value;
      else features[i * (width - 1) + k++] = value;
    }
  }
  return { features, targets, columns: width - 1, names: names.filter((_, j) => j !== at) };
}

/**
 * Reads `target index:value index:value ...`, indices from 1 and ascending, what is left out 0; `#` begins a comment.
 * @throws FormatError naming the line.
 */
export function parseLibsvm(text: string, source = 'parseLibsvm'): Table {
  const rows: { target: number; entries: [number, number][] }[] = [];
  let columns = 0;
  for (const { text: whole, line } of linesOf(text)) {
    const content = whole.replace(/#.*/, '').trim();
    if (content === '') continue;
    const [first, ...rest] = content.split(/\s+/);
    const target = numberOf(first!);
    if (target === undefined) {
      throw new FormatError(
        `${source}, line ${line}: expected a number as target, got ${JSON.stringify(first)}`,
      );
    }
    let before = 0;
    const entries = rest.map((pair): [number, number] => {
      const [index, value] = pair.split(':').map((part) => numberOf(part));
      if (
        !Number.isSafeInteger(index) ||
        value === undefined ||
        index! <= before ||
        pair.split(':').length !== 2
      ) {
        throw new FormatError(
          `${source}, line ${line}: expected index:value with indices from 1, ascending, got ${JSON.stringify(pair)}`,
        );
      }
      before = index!;
      return [index! - 1, value];
    });
    columns = Math.max(columns, before);
    rows.push({ target, entries });
  }
  if (rows.length === 0 || columns === 0) {
    throw new FormatError(`${source}: expected lines such as "1 1:0.5 3:2", got none with a feature`);
  }
  if (rows.length * columns > MOST_CELLS) {
    throw new FormatError(
      `${source}: expected at most ${MOST_CELLS} cells, got ${rows.length} samples of ${columns} features; look for a wrong index`,
    );
  }
  const features = new Float64Array(rows.length * columns);
  for (const [i, { entries }] of rows.entries()) {
    for (const [j, value] of entries) features[i * columns + j] = value;
  }
  return {
    features,
    targets: Float64Array.from(rows, ({ target }) => target),
    columns,
    names: Array.from({ length: columns }, (_, j) => `x${j + 1}`),
  };
}

/** Lines that are not empty, with their number in the file. */
function linesOf(text: string): { text: string; line: number }[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .map((line, i) => ({ text: line, line: i + 1 }))
    .filter(({ text: line }) => line.trim() !== '');
}

/** A finite number, or undefined for anything else (an empty cell, "NA", hexadecimal). */
function numberOf(text: string): number | undefined {
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function columnOf(target: string, names: readonly string[]): number {
  const byName = names.indexOf(target);
  if (byName >= 0) return byName;
  const number = Number(target);
  return Number.isInteger(number) && number >= 1 && number <= names.length ? number - 1 : -1;
}
