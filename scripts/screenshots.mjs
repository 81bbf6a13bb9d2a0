/**
 * Photographs the page, as it tells its default story on whatever adapter a headless Chromium finds.
 *
 * `node scripts/screenshots.mjs` makes the README's pictures, docs/images/page.png and docs/images/page-dark.png.
 * `node scripts/screenshots.mjs FOLDER` photographs every state into that folder, wide, on a phone and in the dark, to be looked at.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { buildSite } from './build-site.mjs';

const root = join(import.meta.dirname, '..');
const [target] = process.argv.slice(2);
const images = target === undefined ? join(root, 'docs/images') : resolve(target);
mkdirSync(images, { recursive: true });

const site = mkdtempSync(join(tmpdir(), 'rebasin-screenshots-'));
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const file = join(site, pathname === '/' ? 'index.html' : pathname);
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
  response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
  response.end(readFileSync(file));
});
let browser;
try {
  await buildSite(site);
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const address = `http://localhost:${server.address().port}/`;
  browser = await chromium.launch(await launchOptions());
  if (target === undefined) await photographForReadme(address);
  else await photographStates(address);
} finally {
  await browser?.close();
  server.close();
  rmSync(site, { recursive: true, force: true });
}

/** The line, the slider and what both mixtures make of the samples: small, as every clone of the repository carries it. */
async function photographForReadme(address) {
  for (const [colorScheme, name] of [
    ['light', 'page.png'],
    ['dark', 'page-dark.png'],
  ]) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 860, height: 2600 } });
    await page.goto(address);
    await told(page);
    const box = async (selector) => await page.locator(selector).boundingBox();
    const [top, bottom] = [await box('.story > .line-part'), await box('.samples')];
    const margin = 16;
    const clip = {
      ...{ x: top.x - margin, y: top.y - margin, width: top.width + 2 * margin },
      height: bottom.y + bottom.height - top.y + 2 * margin,
    };
    await page.screenshot({ path: join(images, name), clip });
    console.log(`docs/images/${name}`);
    await page.close();
  }
}

async function photographStates(address) {
  for (const [look, options] of Object.entries({
    wide: { viewport: { width: 1280, height: 800 } },
    phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
    dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  })) {
    const page = await browser.newPage(options);
    const photograph = async (state) => {
      await page.screenshot({ path: join(images, `${look}-${state}.png`), fullPage: true });
      console.log(join(images, `${look}-${state}.png`));
    };
    await page.goto(address);
    await page.locator('.training svg g[aria-label=line] path').first().waitFor();
    await photograph('1-training');
    await page.locator('.moving-matrix').first().waitFor({ timeout: 300_000 });
    await photograph('2-aligning');
    await told(page);
    await photograph('3-told');
    await page.getByText('The whole report').click();
    await photograph('4-report');
    await page.goto(`${address}#story?model=mlp:50-20-10`);
    await page.locator('.story[data-state=failed]').waitFor();
    await photograph('5-failed');
    await page.goto(`${address}#checkpoints`);
    await photograph('6-checkpoints');
    await page.close();
  }
}

/** The story is at its end, the samples are classified, and nothing moves any more. */
async function told(page) {
  await page.locator('.story[data-state=done]').waitFor({ timeout: 300_000 });
  await page.locator('.said', { hasText: 'λ =' }).waitFor();
  await page.waitForTimeout(700);
}

/** Node cannot import TypeScript: the function is bundled first, inside node_modules so that it finds its packages. */
async function launchOptions() {
  const cache = join(root, 'node_modules/.cache/rebasin');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'screenshots-'));
  const outfile = join(folder, 'chromium.mjs');
  try {
    await build({
      entryPoints: [join(root, 'test/support/chromium.ts')],
      ...{
        outfile,
        bundle: true,
        format: 'esm',
        platform: 'node',
        packages: 'external',
        logLevel: 'warning',
      },
    });
    const { chromiumLaunch } = await import(pathToFileURL(outfile).href);
    return await chromiumLaunch();
  } finally {
    rmSync(folder, { recursive: true });
  }
}
