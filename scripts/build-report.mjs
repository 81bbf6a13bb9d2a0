/**
 * Bundles the report's view as one minified classic script, for `reportHtml(result, bundle)` to embed.
 * `node scripts/build-report.mjs` writes dist/report-view.js; the build does the same through `buildReportBundle()`.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleView } from './bundle-view.mjs';

const root = join(import.meta.dirname, '..');

/**
 * Returns the script's text; writes it too where `outfile` is given (relative to the repository).
 * @param {string} [outfile]
 */
export async function buildReportBundle(outfile) {
  const text = await bundleView(root, 'src/report/browser-entry.ts');
  if (outfile) {
    const path = join(root, outfile);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return text;
}

if (process.argv[1] === import.meta.filename) {
  const text = await buildReportBundle('dist/report-view.js');
  console.log(`dist/report-view.js: ${(text.length / 1024).toFixed(0)} KiB`);
}
