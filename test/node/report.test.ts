/** The report file in a real Chromium, from file://: complete, silent, narrow enough for a phone, and safe to open. */

import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import type { ReportResult } from '../../src/report/results.ts';
import { syntheticCompare, syntheticMerge } from '../pure/report/synthetic-merges.ts';
import {
  syntheticCalibratedSweep,
  syntheticDemo,
  syntheticMatch,
  syntheticPlane,
  syntheticSweep,
} from '../pure/report/synthetic-result.ts';
import { figureNames, useReports } from '../support/report-page.ts';

const { html, openHtml } = useReports();

describe('a report file', () => {
  test('of a demo shows headline, figures, tables and what was run, without a word on the console', async () => {
    const { page, messages, requests } = await openHtml(html(syntheticDemo()));
    expect(await page.locator('h1').textContent()).toMatch(/rises by 2\.11; after .*, by 0\.0214\.$/);
    expect(await figureNames(page)).toEqual([
      'Loss along the line between the networks',
      'Accuracy along the line between the networks',
      'Loss along the line between the networks',
      'Accuracy along the line between the networks',
      'Objective of matching after each sweep',
      'Permutation of 256 units as a matrix',
      'Permutation of 256 units as a matrix',
      'Training loss of each epoch',
    ]);
    expect(await page.locator('details tbody tr').count()).toBe(25);
    expect(await page.locator('.run').textContent()).toContain('8,000 to train');
    expect(messages).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('of a sweep with one line on one data set shows its two figures', async () => {
    const { train: _, ...sweep } = syntheticSweep({ align: 'weight' });
    const { page, messages } = await openHtml(html(sweep));
    expect(await page.locator('svg[role=img]').count()).toBe(2);
    expect(await page.locator('figcaption').first().textContent()).toBe('Test loss');
    expect(messages).toEqual([]);
  });

  test('of a sweep with lines beside its own names each, apart from the others, in colours of their own', async () => {
    const { page, messages } = await openHtml(html(syntheticCalibratedSweep()));
    const loss = page.locator('.drawing svg').first();
    const boxes = await Promise.all(
      ['naive +1.35', 'calibrated +0.135', 'ensemble'].map((name) =>
        loss.getByText(name, { exact: true }).boundingBox(),
      ),
    );
    const tops = boxes.map((box) => box!.y).sort((a, b) => a - b);
    for (const [i, y] of tops.slice(1).entries()) expect(y - tops[i]!).toBeGreaterThan(12);
    expect(
      await page
        .locator('.drawing svg')
        .nth(1)
        .getByText(/calibrated/)
        .count(),
    ).toBe(0);
    expect(await page.locator('.facts').textContent()).toContain('Test loss barrier, calibrated0.135');
    const colours = await page
      .locator('.facts dd span')
      .evaluateAll((all) => all.map((span) => getComputedStyle(span).color));
    expect(new Set(colours).size).toBe(3);
    expect(messages).toEqual([]);
  });

  test('of a plane shows its pictures with the networks named, levels, and the table', async () => {
    const { page, messages, requests } = await openHtml(html(syntheticPlane()));
    expect(await page.locator('h1').textContent()).toMatch(
      /half-way between A and π\(B\), it does not rise\.$/,
    );
    expect((await figureNames(page)).slice(0, 2)).toEqual([
      'Loss on the plane through three networks',
      'Accuracy on the plane through three networks',
    ]);
    const loss = page.locator('.plane').first();
    for (const name of ['A', 'B', 'π(B)', '0.5', '2', 'distance from A towards B']) {
      expect(await loss.getByText(name, { exact: true }).count()).toBe(1);
    }
    // Equal distances are equally long: the frame has the shape of the grid.
    const [a, b, permuted] = await loss
      .locator('[aria-label=dot] circle')
      .evaluateAll((dots) => dots.map((dot) => dot.getBoundingClientRect()).map(({ x, y }) => ({ x, y })));
    expect((permuted!.x - a!.x) / (b!.x - a!.x)).toBeCloseTo(16.2 / 42.94, 2);
    expect((a!.y - permuted!.y) / (b!.x - a!.x)).toBeCloseTo(32.4 / 42.94, 2);
    expect(await page.locator('table').first().locator('tbody tr').count()).toBe(6);
    // The value under the pointer is the nearest point's: at A the loss of the basin.
    await loss.locator('[aria-label=dot] circle').first().hover();
    expect(await loss.locator('[aria-label=tip]').textContent()).toContain('test loss 0.06');
    expect(messages).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('of a plane leaves blank what is not finite', async () => {
    const { loss, ...rest } = syntheticPlane().test!;
    const broken = loss.map((row, y) => row.map((value, x) => (x > 15 && y > 15 ? Number.NaN : value)));
    const { page, messages } = await openHtml(html(syntheticPlane({ test: { ...rest, loss: broken } })));
    expect(await page.locator('.note').first().textContent()).toMatch(
      /Blank: the loss is not finite there\.$/,
    );
    expect(await page.locator('.plane').first().locator('[aria-label=rect] rect').count()).toBe(25);
    expect(await page.locator('.plane').last().locator('[aria-label=rect] rect').count()).toBe(0);
    const nowhere = loss.map((row) => row.map(() => null as unknown as number));
    const all = await openHtml(html(syntheticPlane({ test: { ...rest, loss: nowhere } })));
    expect(await all.page.locator('.plane').first().locator('[aria-label=rect] rect').count()).toBe(441);
    expect([...messages, ...all.messages]).toEqual([]);
  });

  test('of a merge shows the verdict, every network, its layers, and the order of two', async () => {
    const { page, messages } = await openHtml(html(syntheticMerge()));
    expect(await page.locator('h1').textContent()).toBe(syntheticMerge().verdict[0]);
    expect(await figureNames(page)).toEqual(['Test accuracy', 'Test loss', 'Variance', 'Response']);
    expect(await page.locator('section', { hasText: 'Verdict' }).locator('p').allTextContents()).toEqual(
      syntheticMerge().verdict.slice(1),
    );
    expect(await page.locator('tbody').first().locator('tr').count()).toBe(5);
    const { collapse: _, ...rest } = syntheticMerge({ models: syntheticMerge().models.slice(0, 2) });
    const two = await openHtml(html(rest));
    expect(await figureNames(two.page)).toEqual([
      'Test accuracy',
      'Test loss',
      'Permutation of 256 units as a matrix',
      'Permutation of 256 units as a matrix',
    ]);
    expect([...messages, ...two.messages]).toEqual([]);
  });

  test('of a comparison shows every method as a dot, whiskers over seeds, curves, and the tables', async () => {
    const { page, messages } = await openHtml(html(syntheticCompare()));
    expect(await page.locator('h1').textContent()).toMatch(/^Weight matching with repair does best/);
    expect(await figureNames(page)).toEqual([
      'Test accuracy half-way',
      'Test loss barrier',
      'Loss along the line, none',
      'Loss along the line, random',
      'Loss along the line, weight',
    ]);
    expect(await page.locator('svg').first().locator('[aria-label=dot] circle').count()).toBe(9);
    // As they are, and with the best correction, of one seed, three, and one.
    const curves = page.locator('.triple svg');
    const drawn = [0, 1, 2].map((i) => curves.nth(i).locator('[aria-label=line] path').count());
    expect(await Promise.all(drawn)).toEqual([2, 6, 2]);
    expect(await page.locator('.compared tbody tr').count()).toBe(9);
    expect(await page.locator('.note').first().textContent()).toMatch(/of 3 seeds.*Does not apply: reset/);
    expect(messages).toEqual([]);
  });

  test('of a merge or a comparison shows what is not finite', async () => {
    const nothing = null as unknown as number;
    const broken = { loss: nothing, accuracy: 0.1, calibrated: { loss: nothing, temperature: nothing } };
    const merge = await openHtml(html(syntheticMerge({ test: broken })));
    const svg = merge.page.locator('svg').nth(1);
    expect(await svg.locator('[aria-label=dot] circle').count()).toBe(4);
    expect(await svg.textContent()).toContain('merged: not finite');
    const { rows } = syntheticCompare();
    const spread = { mean: nothing, min: nothing, max: nothing };
    const scores = { ...rows[0]!.test!, barrier: { loss: spread, accuracy: spread } };
    const compare = await openHtml(
      html(syntheticCompare({ rows: [{ ...rows[0]!, test: scores }, ...rows.slice(1)] })),
    );
    expect(await compare.page.locator('svg').nth(1).locator('[aria-label=dot] circle').count()).toBe(8);
    expect([...merge.messages, ...compare.messages]).toEqual([]);
  });

  test('gives its JSON back by the download', async () => {
    const demo = syntheticDemo();
    const { page } = await openHtml(html(demo));
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a[download]')]);
    expect(download.suggestedFilename()).toBe('result.json');
    const text: string[] = [];
    for await (const chunk of await download.createReadStream()) text.push(String(chunk));
    expect(JSON.parse(text.join(''))).toEqual(demo);
  });

  test.each([320, 390, 1280])('does not scroll sideways on a screen of %i pixels', async (width) => {
    const { page } = await openHtml(html(syntheticDemo({ hash: 'f'.repeat(300) })), { width });
    await page.locator('summary').click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const plane = await openHtml(html(syntheticPlane({ train: syntheticPlane().test! })), { width });
    expect(await plane.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const path = `runs/${'long-'.repeat(40)}.safetensors`;
    const models = syntheticMerge().models.map((model, i) => ({ ...model, name: `${i}${path}` }));
    for (const result of [syntheticMerge({ models, checkpoint: path }), syntheticCompare()]) {
      const opened = await openHtml(html(result), { width });
      if (result.command === 'merge') {
        expect(await opened.page.locator('svg').first().textContent()).toMatch(/…\S*\.safetensors/);
      }
      expect(await opened.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
  });

  test('draws again when the window changes', async () => {
    const { page, messages } = await openHtml(html(syntheticDemo()));
    await page.setViewportSize({ width: 500, height: 800 });
    await page.waitForFunction(
      () => document.querySelector('.drawing svg')?.getAttribute('width') === String(500 - 2 * 16),
    );
    expect(messages).toEqual([]);
  });

  test('is dark where the reader wants it dark', async () => {
    const { page } = await openHtml(html(syntheticDemo()), { colorScheme: 'dark' });
    const colours = await page.locator('.rebasin-report').evaluate((report) => {
      const { color, backgroundColor } = getComputedStyle(report);
      return [color, backgroundColor];
    });
    expect(colours).toEqual(['rgb(232, 234, 237)', 'rgb(20, 23, 27)']);
  });

  test('shows a result whose numbers are not finite', async () => {
    const { naive } = syntheticDemo();
    const loss = naive.test!.loss.map((value, i) => (i > 8 && i < 16 ? Number.NaN : value));
    const broken = { ...naive.test!, loss, barrier: { loss: Number.NaN, accuracy: 0.5 } };
    const { page, messages } = await openHtml(html(syntheticDemo({ naive: { ...naive, test: broken } })));
    expect(await page.locator('h1').textContent()).toContain('not finite');
    expect(messages).toEqual([]);
  });
});

describe('text of a result that looks like markup', () => {
  const hostile = `</script><script>window.ran = true</script><img src=x onerror="window.ran = true">`;
  const result: ReportResult = syntheticDemo({
    adapter: hostile,
    model: hostile,
    networks: syntheticDemo().networks.map((network) => ({
      ...network,
      checkpoint: `${hostile}.safetensors`,
    })),
    match: { ...syntheticMatch, assumptions: [hostile], permutations: { [hostile]: [1, 0, 2] } },
  });
  const ran = (page: Page) => page.evaluate(() => 'ran' in window);

  test('is shown and not run', async () => {
    const { page, messages } = await openHtml(html(result));
    expect(await ran(page)).toBe(false);
    expect(await page.locator('.run').textContent()).toContain(hostile);
    expect(messages).toEqual([]);
  });

  test('would run if the JSON were embedded as it is', async () => {
    const { page } = await openHtml(html(result).replaceAll('\\u003c', '<'));
    expect(await ran(page)).toBe(true);
  });
});
