/** Runs the suite in Chromium: builds the page, serves it, and hands over what it tells. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { buildBrowserBench } from '../../scripts/build-bench.mjs';
import type { BenchOptionValues } from '../../src/cli/bench.ts';
import { chromiumLaunch } from '../../test/support/chromium.ts';
import { versions } from '../node/peer-host.ts';
import { peerSources } from '../peers/sources.ts';
import type { ResultLine, Surroundings } from '../result-line.ts';
import type { RunEvents } from '../run.ts';
import type { PageEvent, PageRun } from './page.ts';

const PAGE = '<!doctype html><meta charset="utf-8"><title>rebasin bench</title><pre></pre>\n';
const ONNX = 'node_modules/onnxruntime-web/dist';

/** @param root the repository. */
export async function runInBrowser(
  root: string,
  families: readonly string[],
  values: BenchOptionValues,
  events: RunEvents,
  signal: AbortSignal,
): Promise<void> {
  const { chromium } = await import('playwright');
  const cache = join(root, 'node_modules/.cache/rebasin');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'bench-page-'));
  let server: Server | undefined;
  const launch = await chromiumLaunch();
  // Timestamps as the adapter gives them, not in steps of 100 microseconds; and what drives it, which pages are not told otherwise.
  const args = [
    ...launch.args,
    '--disable-dawn-features=timestamp_quantization',
    '--enable-webgpu-developer-features',
  ];
  const browser = await chromium.launch({ ...launch, args });
  const stop = () => void browser.close();
  signal.addEventListener('abort', stop);
  try {
    await buildBrowserBench(root, folder);
    const text = `${PAGE}<script type="module" src="/bench.js"></script>\n`;
    writeFileSync(join(folder, 'index.html'), text);
    server = await serve({ '/': folder, '/onnxruntime/': join(root, ONNX) });
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') process.stderr.write(`bench page: ${message.text()}\n`);
    });
    const name = `chromium ${browser.version()}`;
    const asHere = <T extends Surroundings>(of: T): T => ({ ...of, platform: name });
    await page.exposeFunction('tellBench', async (event: PageEvent) => {
      if ('start' in event) events.onStart?.(asHere(event.start));
      else if ('lines' in event) await events.onLines(event.lines.map((line: ResultLine) => asHere(line)));
      else events.onMissingPeer?.(event.missing, event.reason);
    });
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => 'runBench' in globalThis);
    const { only, peers = false, without, variants, repeats, roofs, targetsOnly = false, budget } = values;
    const packages = peerSources.flatMap((source) => source.packages);
    const chosen = { families, only, peers, without, variants, repeats, roofs, targetsOnly, budget };
    const run: PageRun = { ...chosen, versions: versions(packages) };
    await page.evaluate((given) => globalThis.runBench(given), run);
  } finally {
    signal.removeEventListener('abort', stop);
    await browser.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves folders at prefixes, isolated from other origins: only then does a page's clock tick in 5 microseconds instead of 100. */
async function serve(folders: Readonly<Record<string, string>>): Promise<Server> {
  const prefixes = Object.keys(folders).sort((a, b) => b.length - a.length);
  const server = createServer(async ({ url = '/' }, response) => {
    const path = new URL(url, 'http://localhost').pathname;
    const prefix = prefixes.find((start) => path.startsWith(start))!;
    const file = path === '/' ? 'index.html' : path.slice(prefix.length);
    try {
      if (file.includes('..')) throw new Error('outside');
      const content = await readFile(join(folders[prefix]!, file));
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return server;
}
