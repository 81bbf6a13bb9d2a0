/**
 * Runs a TypeScript file of this repository in Node: `node scripts/run.mjs bench/main.ts matmul --only 256`.
 * Node 20 knows neither TypeScript nor `.wgsl`; the file is bundled first, its npm packages stay outside.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const [file] = process.argv.splice(2, 1);
if (file === undefined) {
  console.error('run: which file? node scripts/run.mjs <file.ts> [arguments]');
  process.exit(2);
}

// Inside node_modules, so that the bundle finds the packages.
const cache = join(import.meta.dirname, '../node_modules/.cache/rebasin');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'run-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const outfile = join(folder, 'bundle.mjs');
await build({
  entryPoints: [resolve(file)],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  loader: { '.wgsl': 'text' },
  sourcemap: 'inline',
  logLevel: 'warning',
});
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);
