/**
 * Draws the README's picture, the two interpolation lines of a demo, from its result:
 * `node scripts/readme-figure.mjs report/result.json` writes docs/images/barrier.png and docs/images/barrier-dark.png.
 *
 * It is the first figure of the report on the test data, photographed in a headless Chromium, so picture and report cannot differ.
 * GitHub shows the right one by `<picture>` with a `<source media="(prefers-color-scheme: dark)">`.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { buildReportBundle } from './build-report.mjs';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('readme-figure: which result? node scripts/readme-figure.mjs report/result.json');
  process.exit(2);
}

const root = join(import.meta.dirname, '..');
const images = join(root, 'docs/images');
const { reportHtml, chromiumLaunch } = await importSources();
const html = reportHtml(testOnly(JSON.parse(readFileSync(resolve(file), 'utf8'))), await buildReportBundle());

mkdirSync(images, { recursive: true });
const browser = await chromium.launch(await chromiumLaunch());
try {
  for (const [colorScheme, name] of [
    ['light', 'barrier.png'],
    ['dark', 'barrier-dark.png'],
  ]) {
    const page = await browser.newPage({
      colorScheme,
      viewport: { width: 960, height: 800 },
      deviceScaleFactor: 2,
    });
    await page.setContent(html);
    await page.addStyleTag({ content: '.interpolation > .pair:first-of-type { padding: 16px; }' });
    const figure = page.locator('.interpolation > .pair').first();
    await figure.locator('svg').last().waitFor();
    await figure.screenshot({ path: join(images, name) });
    console.log(`docs/images/${name}`);
  }
} finally {
  await browser.close();
}

/** The README needs one curve a line: training data would only double them. */
function testOnly(result) {
  const { naive, aligned } = result;
  const { lambda } = naive;
  return { ...result, naive: { lambda, test: naive.test }, aligned: { lambda, test: aligned.test } };
}

/** Node cannot import TypeScript: the two functions are bundled first, inside node_modules so that they find their packages. */
async function importSources() {
  const cache = join(root, 'node_modules/.cache/rebasin');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'readme-figure-'));
  const outfile = join(folder, 'sources.mjs');
  try {
    await build({
      stdin: {
        contents:
          "export { reportHtml } from './src/report/page.ts'; export { chromiumLaunch } from './test/support/chromium.ts';",
        resolveDir: root,
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
