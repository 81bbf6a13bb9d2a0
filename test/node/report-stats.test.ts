/** The report of activation statistics in a real Chromium: its pictures and tables, wide and narrow, without a word on the console. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildReportBundle } from '../../scripts/build-report.mjs';
import { reportHtml } from '../../src/report/page.ts';
import type { StatsResult } from '../../src/report/results.ts';
import { syntheticCollapse, syntheticStats } from '../pure/report/synthetic-stats.ts';
import { chromiumLaunch } from '../support/chromium.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-report-stats-'));
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

async function open(result: StatsResult, width = 1280): Promise<{ page: Page; messages: string[] }> {
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

const figureNames = (page: Page) =>
  page.locator('svg[role=img]').evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-label')));

const matching = [
  'Objective of matching after each sweep',
  ...Array(2).fill('Permutation of 256 units as a matrix'),
];

test('of two networks shows the verdict, what to try, a line for each network, and tables', async () => {
  const result = syntheticCollapse();
  const { page, messages } = await open(result);
  expect(await page.locator('h1').textContent()).toMatch(/^Variance collapse: bn1/);
  expect(await page.getByText('Estimate them anew: --renormalise reset.').count()).toBe(1);
  expect(await figureNames(page)).toEqual(['Variance', 'Response', 'Scale', 'Zeros', ...matching]);
  const variance = page.locator('figure').first();
  expect(await variance.locator('figcaption').textContent()).toBe('Variance beside the ends A π(B) merged');
  expect(await variance.locator('circle').count()).toBe(3 * 8);
  // The logits have no activation function: their place in the picture of zeros is empty.
  expect(await page.locator('figure').nth(3).locator('circle').count()).toBe(3 * 7);
  expect(await page.locator('section table').first().locator('tbody tr').count()).toBe(8);
  expect(await page.locator('details').count()).toBe(3);
  expect(await page.locator('.run').textContent()).toContain('colours: 2,000 test images');
  expect(messages).toEqual([]);
});

test('of one network shows its sizes and the table of its layers', async () => {
  const { page, messages } = await open(syntheticStats());
  expect(await figureNames(page)).toEqual(['Standard deviation', 'Scale', 'Zeros', 'Dead channels']);
  expect(await page.locator('figcaption').first().textContent()).toBe(
    'Standard deviation mean over channels',
  );
  expect(await page.locator('section table').first().locator('tbody tr').count()).toBe(22);
  expect(messages).toEqual([]);
});

test.each([320, 1280])(
  'does not scroll sideways on a screen of %i pixels, layers by many names',
  async (width) => {
    const { page, messages } = await open(syntheticCollapse(), width);
    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    expect(messages).toEqual([]);
  },
);

test('shows networks whose numbers are not finite or 0', async () => {
  const result = syntheticCollapse();
  const [a, b, merged] = result.networks;
  const dead = merged!.layers.map((layer) => ({
    ...layer,
    variance: 0,
    scale: 0,
    featureDistance: Number.NaN,
  }));
  const { page, messages } = await open({
    ...result,
    networks: [a!, b!, { ...merged!, loss: Number.NaN, layers: dead }],
  });
  expect(await page.locator('figure').first().locator('circle').count()).toBe(2 * 8);
  expect(await page.getByText('not finite').count()).toBeGreaterThan(0);
  expect(messages).toEqual([]);
});
