/** The report of an analysis in a real Chromium: its pictures and tables, wide and narrow, without a word on the console. */
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { syntheticAnalysis, syntheticTrio } from '../pure/report/synthetic-analysis.ts';
import { figureNames, useReports } from '../support/report-page.ts';

const { open } = useReports();

const headings = (page: Page) => page.locator('h2').allTextContents();

test('of two networks shows lines beside their estimates, scores as bars, every layer, and tables', async () => {
  const { page, messages } = await open(syntheticAnalysis());
  expect(await page.locator('h1').textContent()).toMatch(
    /^Weight matching brings the networks 14\.6% closer/,
  );
  expect(await page.locator('.facts').textContent()).toContain('Alignment R(0.3)0.013→0.325');
  expect(await headings(page)).toEqual([
    'Is it a matter of distance?',
    'Are the singular vectors the same?',
    'Singular values',
    'Where inputs point',
    'Matching',
    'What was run',
  ]);
  const layers = ['fc1', 'fc2', 'fc3', 'fc4'];
  expect((await figureNames(page)).slice(0, 12)).toEqual([
    'Loss over the straight line, As they are',
    'Loss over the straight line, Weight matching',
    'Alignment score R(γ)',
    'Alignment score R(γ)',
    ...layers.map((name) => `Singular values of ${name}`),
    ...layers.map((name) => `Input directions of ${name}`),
  ]);
  // Two bars at each of ten gammas; a dot a singular pair for A and for B.
  expect(await page.getByLabel('Alignment score R(γ)').first().locator('rect').count()).toBe(2 * 10);
  expect(await page.getByLabel('Input directions of fc4').locator('circle').count()).toBe(2 * 10);
  const tables = page.locator('section table');
  expect(await tables.nth(0).locator('tbody tr').count()).toBe(2);
  expect(await tables.nth(1).locator('tbody tr').count()).toBe(10);
  expect(await tables.nth(2).locator('tbody tr').count()).toBe(4);
  expect(await page.locator('.run').textContent()).toContain('MNIST: 10,000 test images');
  expect(messages).toEqual([]);
});

test('of three shows the barriers among them, six of many layers, and the matching of B and of C', async () => {
  const { page, messages } = await open(syntheticTrio());
  expect(await headings(page)).toEqual(
    expect.arrayContaining(['Three networks', 'Matching of B', 'Matching of C']),
  );
  expect(await page.getByLabel('Test loss barrier').locator('circle').count()).toBe(9);
  const names = await figureNames(page);
  expect(names.filter((name) => name?.startsWith('Singular values of'))).toEqual(
    [1, 3, 4, 6, 7, 9].map((layer) => `Singular values of layer${layer}`),
  );
  expect(await page.getByText('6 of 9 layers.').count()).toBe(2);
  expect(messages).toEqual([]);
});

test('shows what there is where singular vectors were left out and a loss was not finite', async () => {
  const { singular: _, ...result } = syntheticAnalysis();
  const broken = {
    ...result,
    matchings: result.matchings.map((each) => ({
      ...each,
      taylor: { ...each.taylor, barrier: Number.NaN, loss: each.taylor.loss.map(() => Number.NaN) },
    })),
  };
  const { page, messages } = await open(broken);
  expect(await headings(page)).toEqual(['Is it a matter of distance?', 'Matching', 'What was run']);
  expect(await page.locator('.facts').textContent()).toContain('not finite');
  expect(messages).toEqual([]);
});

test.each([320, 1280])('does not scroll sideways on a screen of %i pixels', async (width) => {
  const { page, messages } = await open(syntheticTrio(), { width });
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(sideways).toBeLessThanOrEqual(0);
  expect(messages).toEqual([]);
});
