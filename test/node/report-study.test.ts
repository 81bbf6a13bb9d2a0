/** The report of studies in a real Chromium: every verdict, every mark of every figure, by keyboard and on a phone. */
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import type { StudyFigure, StudyResult } from '../../src/report/study-result.ts';
import { syntheticStudies } from '../pure/report/synthetic-study.ts';
import { useReports } from '../support/report-page.ts';

const { open } = useReports();

/** Studies of which the first has these figures alone. */
function withFigures(...figures: StudyFigure[]): StudyResult {
  const [first, ...rest] = syntheticStudies().studies;
  return syntheticStudies({ studies: [{ ...first!, figures }, ...rest] });
}

const countMarks = (page: Page, index: number, mark: string) =>
  page
    .locator('.figures figure')
    .nth(index)
    .locator(`svg .${mark}`)
    .locator('path, circle, line, rect')
    .count();

test('shows each verdict in words and by a shape of its own, at a glance and on its card', async () => {
  const { page, messages, requests } = await open(syntheticStudies());
  const verdicts = ['held', 'not held', 'not decided', 'held'];
  expect(await page.locator('h1').textContent()).toMatch(/^4 claims in 2 studies: 2 held/);
  expect(await page.locator('.claims-table tbody .verdict').allTextContents()).toEqual(verdicts);
  expect(await page.locator('.claim > .verdict').allTextContents()).toEqual([
    ...['Held', 'Not held', 'Not decided', 'Held'],
  ]);
  // Of a claim with several comparisons each says its own.
  expect(await page.locator('.comparison .verdict').allTextContents()).toEqual(['not held', 'held']);
  const shapes = await page
    .locator('.claim > .verdict .area')
    .evaluateAll((all) => all.map((path) => path.getAttribute('d')));
  expect(new Set(shapes.slice(0, 3)).size).toBe(3);
  expect(await page.locator('.comparison').last().locator('p').allTextContents()).toEqual([
    ...['0.2500 both barrier', 'against 0.1', 'above by 0.15 over 1 repetition'],
  ]);
  expect([...messages, ...requests]).toEqual([]);
});

test('draws every mean, interval and repetition of every figure', async () => {
  const { page, messages, requests } = await open(syntheticStudies());
  const names = await page
    .locator('.figures svg[role=img]')
    .evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-label')));
  expect(names).toEqual([
    'Loss barrier against width of the hidden layers',
    'Accuracy half-way against sparsity',
    'Test loss half-way against matching',
    'Steps until 95 % are right against where training starts',
  ]);
  const drawn = await Promise.all(
    names.map((_, i) =>
      Promise.all(['line', 'mean', 'interval', 'repetition', 'bar'].map((mark) => countMarks(page, i, mark))),
    ),
  );
  expect(drawn).toEqual([
    [2, 8, 8, 24, 0],
    [1, 5, 5, 15, 0],
    [0, 10, 10, 30, 10],
    // A logarithmic axis has no place for bars; one place was measured once.
    [0, 4, 3, 10, 0],
  ]);
  // A logarithmic axis names every width, evenly; a share is a percentage.
  const widths = page.locator('.figures figure').first().locator('[aria-label="x-axis tick label"] text');
  expect(await widths.allTextContents()).toEqual(['16', '32', '64', '128']);
  const shares = page.locator('.figures figure').nth(1).locator('[aria-label="y-axis tick label"]');
  expect(await shares.textContent()).toMatch(/^\d+%/);
  expect([...messages, ...requests]).toEqual([]);
});

test('has the numbers of every figure in a table', async () => {
  const { page } = await open(syntheticStudies());
  const tables = page.locator('details.numbers');
  const rows = [0, 1, 2, 3].map((i) => tables.nth(i).locator('tbody tr').count());
  expect(await Promise.all(rows)).toEqual([8, 5, 10, 4]);
  const cells = (row: number) =>
    tables.last().locator('tbody tr').nth(row).locator('th, td').allTextContents();
  expect(await cells(0)).toEqual(['none', 'steps', '40.00', '10.20', '34.00', '41.50', '44.50']);
  expect(await cells(3)).toEqual(['scratch', 'steps', '180.0', '–', '180.0', '–', '–']);
  expect(await tables.nth(1).locator('tbody td').nth(1).textContent()).toBe('97.00%');
});

test('leads from the overview to each claim, by keyboard alone', async () => {
  const { page } = await open(syntheticStudies());
  await page.keyboard.press('Tab'); // the table, which scrolls where it is narrow
  for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(new URL(page.url()).hash).toBe('#study-width-claim-2');
  expect(await page.locator(':target h3').textContent()).toBe('Matching takes away at least half of it.');
  const links = await page
    .locator('.claims-table a')
    .evaluateAll((all) => all.map((link) => document.querySelector(link.getAttribute('href')!) !== null));
  expect(links).toEqual(Array(8).fill(true));
});

test('says what it took and what was run', async () => {
  const { page } = await open(syntheticStudies());
  expect(await page.locator('.work-table tbody tr').first().locator('th, td').allTextContents()).toEqual([
    ...['Barrier against width', '24', '48', '4 min 1 s', '5 minutes on 2 cores', 'cccccccccccc'],
  ]);
  expect(await page.locator('.run').textContent()).toMatch(/^SizesmallAdaptertestTime12 sVersion/);
});

test.each([320, 1280])('does not scroll sideways on a screen of %i pixels', async (width) => {
  const { page, messages, requests } = await open(syntheticStudies(), { width });
  for (const summary of await page.locator('summary').all()) await summary.click();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  expect([...messages, ...requests]).toEqual([]);
});

test('is dark where the reader wants it dark', async () => {
  const { page } = await open(syntheticStudies(), { colorScheme: 'dark' });
  const colours = await page
    .locator('.claim > .verdict')
    .evaluateAll((all) => all.map((verdict) => getComputedStyle(verdict).color));
  expect(colours.slice(0, 3)).toEqual(['rgb(76, 201, 160)', 'rgb(245, 139, 76)', 'rgb(152, 162, 173)']);
});

test('draws what is all zero, negative, measured once, or has no place on a logarithmic axis', async () => {
  const once = (x: number | string, mean: number) => ({ x, mean, values: [mean] });
  const axes = { x: { label: 'epochs', isLogarithmic: true }, y: { label: 'barrier' } };
  const { page, messages, requests } = await open(
    withFigures(
      { ...axes, title: 'Zero', lines: [{ name: 'a', points: [once(1, 0), once(10, 0)] }] },
      { ...axes, title: 'Negative', lines: [{ name: 'a', points: [once('x', -1), once('y', -2)] }] },
      { ...axes, title: 'One place', lines: [{ name: 'a', points: [once(3, 1)] }] },
      { ...axes, title: 'From 0', lines: [{ name: 'a', points: [once(0, 1), once(5, 2)] }] },
      {
        ...axes,
        title: 'Logarithmic',
        y: { label: 'loss', isLogarithmic: true },
        lines: [
          { name: 'a', points: [once(1, 0), once(2, 0.5), { x: 3, mean: 1, margin: 2, values: [-1, 3] }] },
        ],
      },
      { ...axes, title: 'Nothing', lines: [] },
    ),
  );
  const means = [0, 1, 2, 3, 4, 5].map((i) => countMarks(page, i, 'mean'));
  expect(await Promise.all(means)).toEqual([2, 2, 1, 2, 2, 0]);
  const wrong = await page
    .locator('svg')
    .evaluateAll((all) => all.filter((svg) => svg.outerHTML.includes('NaN')).length);
  expect(wrong).toBe(0);
  expect([...messages, ...requests]).toEqual([]);
});

test('says everything without JavaScript', async () => {
  const { page } = await open(syntheticStudies(), { javaScriptEnabled: false });
  const text = await page.locator('body').innerText();
  for (const { claims } of syntheticStudies().studies) {
    for (const claim of claims) expect(text).toContain(`${claim.verdict.padEnd(12)} ${claim.text}`);
  }
});
