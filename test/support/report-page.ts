/** Report files, opened in a real Chromium from file://. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { buildReportBundle } from '../../scripts/build-report.mjs';
import { reportHtml } from '../../src/report/page.ts';
import { chromiumLaunch } from './chromium.ts';

export interface OpenedReport {
  readonly page: Page;
  /** Console messages and uncaught errors, as they come. */
  readonly messages: string[];
  /** Addresses that the page asked for beside its own, `data:` aside, as they come. */
  readonly requests: string[];
}

export interface ReportWindow {
  /** Pixels. Default: 1280. */
  readonly width?: number;
  /** Default: light. */
  readonly colorScheme?: 'light' | 'dark';
  /** Default: true. */
  readonly javaScriptEnabled?: boolean;
}

export interface Reports {
  /** The HTML file of a result. */
  html(result: Parameters<typeof reportHtml>[0]): string;
  /** Opens an HTML file; figures are drawn when it returns. The page is closed after the test. */
  openHtml(html: string, window?: ReportWindow): Promise<OpenedReport>;
  /** The same of a result. */
  open(result: Parameters<typeof reportHtml>[0], window?: ReportWindow): Promise<OpenedReport>;
}

/** Call once, at the top of a test file: a browser and the report's view for all of its tests. */
export function useReports(): Reports {
  const folder = mkdtempSync(join(tmpdir(), 'rebasin-report-'));
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
  const html: Reports['html'] = (result) => reportHtml(result, bundle);
  const openHtml: Reports['openHtml'] = async (text, window = {}) => {
    const { width = 1280, colorScheme = 'light', javaScriptEnabled = true } = window;
    const file = join(folder, 'index.html');
    writeFileSync(file, text);
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme, javaScriptEnabled });
    onTestFinished(() => page.close());
    const [messages, requests]: [string[], string[]] = [[], []];
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(String(error)));
    const address = pathToFileURL(file).href;
    page.on('request', (request) => {
      const url = request.url();
      if (url !== address && !url.startsWith('data:')) requests.push(url);
    });
    await page.goto(address);
    // Figures are drawn once the layout has given them a width.
    if (javaScriptEnabled)
      await page.waitForFunction(() => document.querySelectorAll('.drawing:not(:has(svg))').length === 0);
    return { page, messages, requests };
  };
  return { html, openHtml, open: (result, window) => openHtml(html(result), window) };
}

/** What each figure is called, in the order of the page. */
export function figureNames(page: Page): Promise<(string | null)[]> {
  return page.locator('svg[role=img]').evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-label')));
}
