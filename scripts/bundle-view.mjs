/** What pages that are one file run: their view as one minified classic script, to be embedded. */

import { build } from 'esbuild';

/**
 * Bundles a view. Nothing is written.
 * @param {string} root the repository
 * @param {string} entryPoint from the repository
 * @returns {Promise<string>} the script's text
 */
export async function bundleView(root, entryPoint) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    banner: { js: '/* With Observable Plot and D3, (c) Observable, Inc. and Mike Bostock, ISC licence. */' },
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}
