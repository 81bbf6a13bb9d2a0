/**
 * The library as it is published: ES modules that share chunks (one copy of every class, so that `instanceof` holds across entries),
 * `.wgsl` files as stripped strings, and nothing that keeps an application's bundler from dropping what the application does not use.
 * Not minified: applications' bundlers do that. npm packages that are not dependencies of the package are bundled with it, so that its
 * files for browsers import nothing but each other.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { strippedWgsl } from './wgsl.mjs';

/** @param {string} root */
const manifestOf = (root) => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * The sources behind what package.json exports and runs: `src/entry-node.ts` of `./dist/entry-node.js`.
 * @param {string} root the repository
 * @returns {string[]}
 */
export function libraryEntries(root) {
  const { exports, bin } = manifestOf(root);
  const targets = JSON.stringify([exports, bin]).match(/dist\/[\w/-]+\.js(?=")/g) ?? [];
  const sources = targets.map((path) => path.replace(/^dist/, 'src').replace(/js$/, 'ts'));
  return [...new Set(sources)].filter((path) => existsSync(join(root, path))); // report-view.js is bundled by itself
}

/**
 * Bundles entries of `src`. Nothing is written: paths are those that the files will have under `dist`.
 * @param {string} root the repository
 * @param {readonly string[]} entryPoints
 */
export async function bundleLibrary(root, entryPoints) {
  const { dependencies, peerDependencies } = manifestOf(root);
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
    mainFields: ['module', 'main'],
    external: [...Object.keys({ ...dependencies, ...peerDependencies }), 'node:*'],
    plugins: [strippedWgsl],
    sourcemap: true,
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const files = outputFiles.map(({ path, text }) => ({
    path,
    text: path.endsWith('.js') ? withoutBareImports(withPureNamespaces(text)) : text,
  }));
  return { metafile, files };
}

/**
 * esbuild names every chunk that an entry reaches, `import "./chunks/x.js";`, in case it does something when it is loaded. None does, and
 * applications' bundlers would warn of each. The number of lines stays, for the source map.
 * @param {string} text
 */
const withoutBareImports = (text) => text.replace(/^import "\.\.?\/[^"]+";$/gm, '');

/** The terms of packages that name a licence and bring no copy of it. */
const TERMS = {
  'Apache-2.0': 'Licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0',
  MIT: `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions: The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

/**
 * The licences of the npm packages that were bundled, one after another.
 * @param {string} root the repository
 * @param {readonly string[]} inputs files that were bundled, from the repository
 */
export function bundledLicences(root, inputs) {
  const found = inputs.map((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const packages = [...new Set(found.filter((folder) => folder !== undefined))].sort();
  return packages
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
      const terms = file ? readFileSync(join(root, folder, file), 'utf8').trim() : termsOf(manifest);
      if (!terms)
        throw new Error(`bundledLicences: ${folder} has no licence file, and is part of the bundle`);
      return `${manifest.name} ${manifest.version}\n\n${terms}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** @param {{ license?: string, author?: string | { name: string } }} manifest */
function termsOf({ license = '', author }) {
  const holder = typeof author === 'object' ? author.name : author;
  return TERMS[license] && `${holder ? `Copyright (c) ${holder}\n\n` : ''}${TERMS[license]}`;
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
