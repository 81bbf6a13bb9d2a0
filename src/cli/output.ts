/** Where results go: text or JSON on stdout, files written whole or not at all. */
import { join } from 'node:path';
import { expectWritable, makeFolder, writeBytes } from '../io/node-files.ts';
import { reportHtml } from '../report/page.ts';
import type { ReportResult } from '../report/results.ts';
import { reportBundle } from './report-bundle.ts';

/** Prints a result: JSON for machines, or the given lines for people. */
export function printResult(json: boolean | undefined, result: object, lines: readonly string[]): void {
  process.stdout.write(`${json ? JSON.stringify(result) : lines.join('\n')}\n`);
}

/** Checks, before any work, that `writeReport` will be able to write there. @throws OptionError */
export async function prepareReport(target: string): Promise<void> {
  await (target.endsWith('.json') ? expectWritable(target) : makeFolder(target));
}

/** Writes `result.json` and the self-contained `index.html` into a folder; a path that ends in .json gets the JSON alone. */
export async function writeReport(target: string, result: ReportResult): Promise<string[]> {
  const json = new TextEncoder().encode(`${JSON.stringify(result, null, 1)}\n`);
  if (target.endsWith('.json')) {
    await writeBytes(target, json);
    return [target];
  }
  const page = new TextEncoder().encode(reportHtml(result, await reportBundle()));
  const paths = [join(target, 'result.json'), join(target, 'index.html')];
  await writeBytes(paths[0]!, json);
  await writeBytes(paths[1]!, page);
  return paths;
}

/** `0.01234`, `98.21 %`: losses with four decimals or three significant digits, accuracies in per cent. */
export function formatLoss(value: number): string {
  return Math.abs(value) >= 0.001 || value === 0 ? value.toFixed(4) : value.toExponential(2);
}

export function formatAccuracy(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
