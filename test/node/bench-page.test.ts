/** The bench suite in Chromium: the same cases with the same lines, and the page that shows lines. */
import { describe, expect, it } from 'vitest';
import { runInBrowser } from '../../bench/browser/run.ts';
import { benchPage } from '../../bench/html-page.ts';
import { pageView } from '../../bench/node/page-view.ts';
import { parseResultLines, type ResultLine } from '../../bench/result-line.ts';
import { figureNames, useReports } from '../support/report-page.ts';

describe('npm run bench -- --browser', () => {
  it('runs cases in Chromium and hands their lines over', async () => {
    const lines: ResultLine[] = [];
    const values = { only: 'log/512x10', without: [], variants: ['default'], repeats: 1, roofs: false };
    const events = { onLines: (found: readonly ResultLine[]) => void lines.push(...found) };
    const { signal } = new AbortController();
    await runInBrowser(process.cwd(), ['softmax'], values, events, signal);
    expect(lines.map(({ case: name, engine, error }) => [name, engine, error])).toEqual([
      ['softmax/log/512x10', 'rebasin', undefined],
    ]);
    expect(parseResultLines(JSON.stringify(lines[0]))).toEqual(lines);
    expect(lines[0]!.platform).toMatch(/^chromium \d/);
    expect(lines[0]!.minMs).toBeGreaterThan(0);
  });
});

describe('the page of result lines', () => {
  const reports = useReports();
  const line = (name: string, engine: string, minMs: number, more: Partial<ResultLine> = {}): ResultLine => ({
    ...{ case: name, engine, wait: 'own', repeats: 3, minMs, medianMs: minMs, spread: 0 },
    ...{
      adapter: 'google <swiftshader>',
      driver: 'a driver',
      software: true,
      platform: 'node 20',
      versions: {},
    },
    ...more,
  });

  it('shows times, ratios, shares of the roof and targets without asking anyone for anything', async () => {
    const lines = [
      line('roof/copy', 'adapter', 1, { gigabytesPerSecond: 3 }),
      line('matmul/NN/256x256x256', 'rebasin', 2, { ratioToBestPeer: 4, roofShare: 0.5 }),
      line('matmul/NN/256x256x256', 'jax-js', 8, { ratioToBestPeer: 1 }),
      ...[512, 1024].map((n) => line(`matmul/NN/${n}x${n}x${n}`, 'rebasin', 20, { ratioToBestPeer: 4 })),
      line('conv/forward/a', 'rebasin', 2, { error: 'wrong result: <b>', failed: true }),
      { ...line('size/core', 'rebasin', 1), figures: { gzipBytes: 116_000 } },
    ];
    const { page, messages, requests } = await reports.openHtml(benchPage(lines, await pageView()));
    expect(messages).toEqual([]);
    expect(requests).toEqual([]);
    expect(await page.title()).toBe('rebasin bench: google <swiftshader>');
    const names = await figureNames(page);
    expect(names).toContain('Least time of each engine in each case, in milliseconds');
    expect(names).toContain('times as fast as the best peer');
    const text = await page.locator('main').innerText();
    for (const words of [
      'computes on the processor',
      '3 GB/s',
      'met matmul 256',
      'missed kB, gzipped: the core',
    ])
      expect(text).toContain(words);
    expect(await page.locator('td', { hasText: 'wrong result: <b>' }).count()).toBe(1);
  });

  it('says what it holds without JavaScript, too', async () => {
    const html = benchPage([line('matmul/NN/256x256x256', 'rebasin', 2)], await pageView());
    const { page } = await reports.openHtml(html, { javaScriptEnabled: false });
    expect(await page.locator('noscript').innerText()).toContain('matmul/NN/256x256x256');
  });
});
