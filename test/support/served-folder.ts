/** A folder served over HTTP to a real Chromium: for pages of applications, which modules and workers need an address for. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { chromiumLaunch } from './chromium.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
};

/** Without a GPU, a canvas with WebGPU needs the rest of the browser on SwiftShader's Vulkan too: else the GPU process ends at the first frame. */
const WITH_CANVAS = ['--use-angle=swiftshader', '--enable-features=Vulkan', '--use-vulkan=swiftshader'];

export interface OpenedPage {
  readonly page: Page;
  /** Console messages and uncaught errors, as they come. */
  readonly messages: string[];
}

/**
 * Call once, at the top of a test file.
 * @returns opens a page of `folder` by its path, after running `script` in it where given; it is closed after the test.
 */
export function useServedFolder(folder: string): (path: string, script?: string) => Promise<OpenedPage> {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    server = createServer(async ({ url }, response) => {
      const path = decodeURIComponent(new URL(url ?? '/', 'http://localhost').pathname);
      try {
        const bytes = await readFile(join(folder, path.endsWith('/') ? `${path}index.html` : path));
        response.setHeader('Content-Type', TYPES[extname(path) || '.html'] ?? 'application/octet-stream');
        response.end(bytes);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const launch = await chromiumLaunch();
    browser = await chromium.launch({ ...launch, args: [...launch.args, ...WITH_CANVAS] });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  return async (path, script) => {
    const page = await browser.newPage();
    if (script) await page.addInitScript(script);
    onTestFinished(() => page.close());
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(String(error)));
    page.on('requestfailed', (request) => messages.push(`${request.url()} failed`));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`);
    return { page, messages };
  };
}
