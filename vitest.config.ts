/**
 * Four projects: `pure` needs no GPU, `node` runs the GPU tests on Dawn, `browser` runs the very same GPU tests in Chromium, `page` opens
 * the page there. One after the other: software adapters want all cores. A fifth, `reference`, is not part of `npm test`.
 */

import { readFileSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type Plugin } from 'vitest/config';
import { chromiumLaunch } from './test/support/chromium.ts';

/** Lets tests import `.wgsl` files as strings, as esbuild's text loader does in the build. */
function wgslText(): Plugin {
  return {
    name: 'wgsl-text',
    enforce: 'pre',
    load(id) {
      const path = id.split('?')[0]!;
      return path.endsWith('.wgsl') ? `export default ${JSON.stringify(readFileSync(path, 'utf8'))};` : null;
    },
  };
}

/** In the browser, `test/support/platform.ts` gives the browser's platform instead of Node's. */
function browserPlatform(): Plugin {
  return {
    name: 'browser-platform',
    enforce: 'pre',
    async resolveId(source, importer) {
      if (!source.endsWith('/platform.ts')) return null;
      const resolved = await this.resolve(source, importer, { skipSelf: true });
      if (!resolved?.id.endsWith('/test/support/platform.ts')) return null;
      return resolved.id.replace(/platform\.ts$/, 'platform-browser.ts');
    },
  };
}

const gpuTimeouts = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig(async () => ({
  plugins: [wgslText()],
  test: {
    projects: [
      {
        extends: true as const,
        test: {
          name: 'pure',
          include: ['test/pure/**/*.test.ts'],
          pool: 'forks' as const,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true as const,
        test: {
          name: 'node',
          include: ['test/gpu/**/*.test.ts', 'test/node/**/*.test.ts'],
          pool: 'forks' as const, // a thread has only a copy of process.env, and a crash in Dawn would end all of them
          maxWorkers: 2,
          ...gpuTimeouts,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // The page, built and opened in Chromium by the tests themselves.
        extends: true as const,
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          pool: 'forks' as const,
          maxWorkers: 1, // each file has a browser and wants the adapter for itself
          ...gpuTimeouts,
          sequence: { groupOrder: 3 },
        },
      },
      {
        // Comparisons with other implementations, which take long or need data: `npm run test:reference`.
        extends: true as const,
        test: {
          name: 'reference',
          include: ['test/reference/**/*.test.ts'],
          pool: 'forks' as const,
          ...gpuTimeouts,
        },
      },
      {
        extends: true as const,
        plugins: [browserPlatform()],
        test: {
          name: 'browser',
          include: ['test/gpu/**/*.test.ts'],
          ...gpuTimeouts,
          sequence: { groupOrder: 2 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: await chromiumLaunch() }),
            instances: [{ browser: 'chromium' as const }],
          },
        },
      },
    ],
  },
}));
