import { expect, test } from 'vitest';
import { syntheticCollapse, syntheticStats } from '../pure/report/synthetic-stats.ts';
import { figureNames, useReports } from '../support/report-page.ts';

const { open } = useReports();

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
    const { page, messages } = await open(syntheticCollapse(), { width });
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
