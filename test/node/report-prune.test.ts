/** The report of pruning in a real Chromium: its pictures and table, wide and narrow, without a word on the console. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildReportBundle } from '../../scripts/build-report.mjs';
import { reportHtml } from '../../src/report/page.ts';
import type { PruneResult } from '../../src/report/prune-result.ts';
import { syntheticPrune, syntheticRawPrune } from '../pure/report/synthetic-prune.ts';
import { chromiumLaunch } from '../support/chromium.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-report-prune-'));
let browser: Browser;
let bundle: string;

beforeAll(async () => {
  bundle = await buildReportBundle();
  browser = await chromium.launch(await chromiumLaunch());
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function open(result: PruneResult, width = 1280): Promise<{ page: Page; messages: string[] }> {
  const file = join(folder, 'index.html');
  writeFileSync(file, reportHtml(result, bundle));
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  onTestFinished(() => page.close());
  const messages: string[] = [];
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  await page.goto(pathToFileURL(file).href);
  await page.waitForFunction(() => document.querySelectorAll('.drawing:not(:has(svg))').length === 0);
  return { page, messages };
}

test('shows both lines over the sparsities, the numbers to take away, and every point in a table', async () => {
  const { page, messages } = await open(syntheticPrune());
  const figures = page.locator('svg[role=img]');
  expect(await figures.evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-label')))).toEqual([
    'Accuracy against sparsity',
    'Loss against sparsity',
  ]);
  expect(await figures.first().getAttribute('aria-description')).toBe(
    '50%: reset 70.85%, pruned 66.70%. 70%: reset 70.05%, pruned 23.65%. 90%: reset 60.90%, pruned 11.05%.',
  );
  expect(await figures.first().locator('circle').count()).toBe(2 * 3);
  expect(await page.locator('.facts').textContent()).toContain('11.05% → 60.90%');
  expect(await page.locator('section table').first().locator('tbody tr').count()).toBe(4);
  expect(await page.locator('.run').textContent()).toContain('colours: 2,000 test images');
  expect(messages).toEqual([]);
});

test('shows a network that nothing corrected, and a single sparsity', async () => {
  const raw = await open(syntheticRawPrune());
  expect(await raw.page.locator('svg[role=img]').first().locator('circle').count()).toBe(3);
  const single = await open(syntheticPrune({ curve: syntheticPrune().curve.slice(0, 1) }));
  expect(await single.page.locator('svg[role=img]').first().locator('circle').count()).toBe(2);
  expect([...raw.messages, ...single.messages]).toEqual([]);
});

test.each([320, 1280])('does not scroll sideways on a screen of %i pixels', async (width) => {
  const { page, messages } = await open(syntheticPrune(), width);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  expect(messages).toEqual([]);
});
