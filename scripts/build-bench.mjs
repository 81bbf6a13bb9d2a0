/** Bundles for the bench suite: the view of its page, the suite for a browser, and the suite as it is published. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleView } from './bundle-view.mjs';
import { strippedWgsl } from './wgsl.mjs';

/**
 * The page's view as one minified classic script, for `benchPage(lines, bundle)` to embed.
 * @param {string} root the repository
 */
export function buildBenchView(root) {
  return bundleView(root, 'bench/page/view.ts');
}

/**
 * The suite with its peers for a browser: ES modules in a folder, peers in files of their own.
 * @param {string} root the repository
 * @param {string} folder
 */
export async function buildBrowserBench(root, folder) {
  await build({
    absWorkingDir: root,
    entryPoints: { bench: 'bench/browser/page.ts' },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    conditions: ['onnxruntime-web-use-extern-wasm'], // its WebAssembly is served beside it
    loader: { '.wgsl': 'text' },
    logLevel: 'warning',
  });
}

/**
 * What `rebasin bench` loads, `dist/bench`: the suite with the float64 references it checks against, apart from the library, whose files
 * it leaves as they are. npm packages stay outside.
 * @param {string} root the repository
 */
export async function buildPublishedBench(root) {
  const outfile = join(root, 'dist/bench/entry.js');
  await build({
    absWorkingDir: root,
    entryPoints: ['bench/node/entry.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: [strippedWgsl],
    logLevel: 'warning',
  });
  writeFileSync(join(root, 'dist/bench/bench-view.js'), await buildBenchView(root));
}
