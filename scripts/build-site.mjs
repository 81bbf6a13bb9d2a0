/**
 * Builds the page: static files with relative addresses, for any folder of any host. `npm run build:site` writes dist-site/.
 * `playground/` imports the library by its name; here that name is its sources.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { buildReportBundle } from './build-report.mjs';
import { bundledLicences } from './bundle-library.mjs';
import { strippedWgsl } from './wgsl.mjs';

const root = join(import.meta.dirname, '..');

/** What esbuild makes of the page: the page itself, its worker, its styles. @type {import('esbuild').BuildOptions} */
export const siteOptions = {
  absWorkingDir: root,
  entryPoints: [
    { in: 'playground/index.html', out: 'index' },
    { in: 'playground/main.ts', out: 'main' },
    { in: 'playground/worker/worker.ts', out: 'worker' },
  ],
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  charset: 'utf8',
  alias: { rebasin: join(root, 'src/entry-browser.ts') },
  loader: { '.html': 'copy' },
  plugins: [strippedWgsl],
  logLevel: 'warning',
};

/**
 * Builds the page into a folder, which is emptied first.
 * @param {string} folder
 * @param {{ minify?: boolean }} [options]
 */
export async function buildSite(folder, { minify = true } = {}) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile, outputFiles } = await build({
    ...siteOptions,
    outdir: folder,
    minify,
    write: false,
    metafile: true,
    sourcemap: !minify,
  });
  for (const { path, contents } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  writeFileSync(join(folder, 'THIRD-PARTY.txt'), bundledLicences(root, Object.keys(metafile.inputs)));
  writeFileSync(join(folder, 'report-view.js'), await buildReportBundle());
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.argv[2] ?? join(root, 'dist-site');
  await buildSite(folder);
  console.log(`written: ${folder}`);
}
