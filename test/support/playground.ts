/** The page, built as it is published and opened in a real Chromium from a server on localhost. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { buildSite } from '../../scripts/build-site.mjs';
import { chromiumLaunch } from './chromium.ts';

export interface OpenedPlayground {
  readonly page: Page;
  /** Console messages and uncaught errors, as they come. */
  readonly messages: string[];
  /** Addresses asked for on other hosts, as they come; `data:` and `blob:` aside. */
  readonly elsewhere: string[];
}

export interface PlaygroundWindow extends BrowserContextOptions {
  /** JavaScript that the worker runs before its own. */
  readonly beforeWorker?: string;
  /** Stays open until the end of the file, for several tests. Default: false, until the end of the test. */
  readonly keep?: boolean;
}

export interface Playground {
  /** Opens the page at an address, from `#` on. */
  open(address?: string, window?: PlaygroundWindow): Promise<OpenedPlayground>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

/** Call once, at the top of a test file: the built page, a server and a browser for all of its tests. */
export function usePlayground(): Playground {
  const folder = mkdtempSync(join(tmpdir(), 'rebasin-site-'));
  let server: Server;
  let browser: Browser;
  let origin = '';
  beforeAll(async () => {
    await buildSite(folder);
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const file = join(folder, pathname === '/' ? 'index.html' : pathname);
      response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
      response.end(readFileSync(file));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    origin = `http://localhost:${typeof address === 'object' && address ? address.port : 0}`;
    browser = await chromium.launch(await chromiumLaunch());
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    async open(address = '', { beforeWorker, keep = false, ...window } = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...window });
      if (!keep) onTestFinished(() => context.close());
      const page = await context.newPage();
      const [messages, elsewhere]: [string[], string[]] = [[], []];
      page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => messages.push(String(error)));
      page.on('request', (request) => {
        if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(origin))
          elsewhere.push(request.url());
      });
      if (beforeWorker) {
        await context.route('**/worker.js', (route) => {
          const body = `${beforeWorker}\n${readFileSync(join(folder, 'worker.js'), 'utf8')}`;
          return route.fulfill({ body, contentType: 'text/javascript' });
        });
      }
      await page.goto(`${origin}/${address}`);
      return { page, messages, elsewhere };
    },
  };
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds that the thread computed. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Watches the threads of pages. What counts is the time that a thread itself computed in one task: on a machine that is busy with something
 * else a task takes longer by the clock, through no fault of the page.
 * @returns ends watching, and gives the longest task in milliseconds.
 */
export async function watchPageThreads(page: Page): Promise<() => Promise<number>> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ['toplevel'] });
  return async () => {
    const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    const events = trace.traceEvents;
    const threadOf = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;
    const named = events.filter(
      ({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain',
    );
    const threads = new Set(named.map(threadOf));
    const tasks = events.filter((event) => /RunTask$/.test(event.name) && threads.has(threadOf(event)));
    return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
  };
}
