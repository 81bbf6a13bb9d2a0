/** The report's view, built beside the command (`dist/report-view.js`), as text to put into a page. */
import { readFile } from 'node:fs/promises';

export function reportBundle(): Promise<string> {
  return readFile(new URL('../report-view.js', import.meta.url), 'utf8');
}
