import { expect, test } from 'vitest';
import { syntheticPrune, syntheticRawPrune } from '../pure/report/synthetic-prune.ts';
import { useReports } from '../support/report-page.ts';

const { open } = useReports();

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
  const { page, messages } = await open(syntheticPrune(), { width });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  expect(messages).toEqual([]);
});
