/**
 * The library as it is published: ES modules that share chunks (one copy of every class, so that `instanceof` holds across entries),
 * `.wgsl` files as stripped strings, and nothing that keeps an application's bundler from dropping what the application does not use.
 * Not minified: applications' bundlers do that.
 */

import { build } from 'esbuild';
import { strippedWgsl } from './wgsl.mjs';

/**
 * Bundles entries of `src`. Nothing is written: paths are those that the files will have under `dist`.
 * @param {string} root the repository
 * @param {readonly string[]} entryPoints
 */
export async function bundleLibrary(root, entryPoints) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [...entryPoints],
    outbase: 'src',
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2023',
    packages: 'external', // `webgpu`, npm dependencies and node:*
    plugins: [strippedWgsl],
    sourcemap: true,
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const files = outputFiles.map(({ path, text }) => ({
    path,
    text: path.endsWith('.js') ? withPureNamespaces(text) : text,
  }));
  return { metafile, files };
}

/**
 * esbuild fills the object of an `export * as name` by a call of its own, which no bundler after it dares to drop: all that the namespace
 * names would be part of every application. Here the call makes the object instead, and is marked as free of side effects.
 * The number of lines stays, for the source map.
 * @param {string} text
 */
function withPureNamespaces(text) {
  const helper = /^(var __export = \(target, all\) => \{\n {2}for \(var name in all\)\n .*\n)\};$/m;
  const filling = /^var (\w+) = \{\};\n__export\(\1, \{$/gm;
  const pure = text
    .replace(helper, '$1return target; };')
    .replace(filling, '\nvar $1 = /* @__PURE__ */ __export({}, {');
  if (/^__export\(/m.test(pure) || (/^var __export = /m.test(pure) && !pure.includes('return target; };'))) {
    throw new Error('bundleLibrary: esbuild writes namespaces in another way now; change withPureNamespaces');
  }
  return pure;
}
