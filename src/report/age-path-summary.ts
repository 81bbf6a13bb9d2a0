/** An age path in words and plain tables. Pure, and free of HTML. */
import type { AgePathResult, ErrorCurve } from './age-path-result.ts';
import { formatCount, formatNumber, formatPercent, formatSeconds, plural } from './format.ts';
import type { CommonResult } from './results.ts';
import { alignColumns } from './text-table.ts';

const PROBLEMS = { svm: 'support vector machine', lasso: 'Lasso', logistic: 'logistic regression' } as const;

export function isAgePath(result: CommonResult): result is AgePathResult {
  return 'regulariser' in result;
}

export function problemInWords({ problem }: AgePathResult): string {
  return PROBLEMS[problem];
}

/** The path in a sentence or two, with its numbers. */
export function agePathHeadline(result: AgePathResult): string {
  const { path, events, heldOut } = result;
  const changes = events.filter(({ kind }) => kind === 'set').length;
  const what = `The ${problemInWords(result)} from age ${formatNumber(result.from)} to ${formatNumber(result.to)}: ${plural(changes, 'change')} of sets and ${plural(path.jumps, 'jump')}.`;
  if (!heldOut) return what;
  const best = lowest(heldOut.path);
  const grid = lowest(heldOut.grid);
  return `${what} The held-out ${heldOut.measure} is least at age ${formatNumber(best.age)}, ${formatError(result, best.error)}; on the grid ${formatError(result, grid.error)}, at full age and all samples ${formatError(result, heldOut.plain)}.`;
}

/** The work and what it found, path beside grid. */
export function agePathRows(result: AgePathResult): string[][] {
  const { path, grid, heldOut } = result;
  const rows = [
    ['', 'whole path', `grid of ${formatCount(grid.ages)}`],
    ['linear solves', formatCount(path.linearSolves), formatCount(grid.linearSolves)],
    ['time', formatTime(path.seconds), formatTime(grid.seconds)],
  ];
  if (heldOut) {
    const [onPath, onGrid] = [lowest(heldOut.path), lowest(heldOut.grid)];
    rows.push(
      [
        `least held-out ${heldOut.measure}`,
        formatError(result, onPath.error),
        formatError(result, onGrid.error),
      ],
      ['at age', formatNumber(onPath.age), formatNumber(onGrid.age)],
    );
  }
  return rows;
}

/** Path beside grid, and the events that end branches, as text. */
export function agePathTable(result: AgePathResult): string {
  const rows = agePathRows(result);
  const columns = rows[0]!.map((_, j) => rows.map((row) => row[j]!));
  const jumps = result.events.filter(({ jump }) => jump !== undefined);
  if (jumps.length === 0) return alignColumns(columns, 1);
  const table = alignColumns(
    [
      ['jump at age', ...jumps.map(({ age }) => formatNumber(age, 5))],
      ['why', ...jumps.map(({ kind }) => kind)],
      ['size', ...jumps.map(({ jump }) => formatNumber(jump!, 3))],
    ],
    2,
  );
  return `${alignColumns(columns, 1)}\n\n${table}`;
}

export function formatError({ heldOut }: AgePathResult, error: number): string {
  return heldOut?.measure === 'error rate' ? formatPercent(error) : formatNumber(error);
}

/** The first age of the least error. */
export function lowest({ age, error }: ErrorCurve): { age: number; error: number } {
  let at = 0;
  for (const [i, each] of error.entries()) if (each < error[at]!) at = i;
  return { age: age[at] ?? Number.NaN, error: error[at] ?? Number.NaN };
}

/** Both are often far below a second. */
function formatTime(seconds: number): string {
  return seconds < 1 ? `${formatNumber(1000 * seconds, 3)} ms` : formatSeconds(seconds);
}
