/**
 * Builds dist/: the library as ES modules with source maps (`bundle-library.mjs`), the report's view, and type declarations.
 * `node scripts/build.mjs --if-needed` does nothing when dist/ is newer than every source.
 */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildReportBundle } from './build-report.mjs';
import { bundleLibrary } from './bundle-library.mjs';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist/.built');
const cli = 'src/cli/main.ts';
const entries = ['src/entry-node.ts', 'src/entry-browser.ts', cli].filter((path) =>
  existsSync(join(root, path)),
);

if (process.argv.includes('--if-needed') && existsSync(stamp) && statSync(stamp).mtimeMs > newestSource())
  process.exit(0);

if (entries.includes(cli) && !readFileSync(join(root, cli), 'utf8').startsWith('#!/usr/bin/env node\n')) {
  throw new Error(`build: ${cli} must begin with the line #!/usr/bin/env node`);
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
const { metafile, files } = await bundleLibrary(root, entries);
for (const { path, text } of files) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
await buildReportBundle('dist/report-view.js');
if (entries.includes(cli)) chmodSync(join(root, 'dist/cli/main.js'), 0o755);
checkBrowserEntry();
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1); // it has said why
writeFileSync(stamp, '');

for (const entry of entries) {
  const files = reach(entry.replace(/^src/, 'dist').replace(/ts$/, 'js'));
  const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(root, file))).length, 0);
  console.log(`${entry}: ${(bytes / 1024).toFixed(1)} KiB gzipped in ${files.size} files`);
}

/** When the newest file that the build depends on was changed, in milliseconds. */
function newestSource() {
  const inputs = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const sources = ['src', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((path) => join(folder, path)),
  );
  return Math.max(...[...inputs, ...sources].map((path) => statSync(join(root, path)).mtimeMs));
}

/** The output file and all that it imports, of this package. */
function reach(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { path, external } of metafile.outputs[file].imports) if (!external) reach(path, seen);
  return seen;
}

/** A browser cannot load Node's modules: one import in the wrong place would break every page. */
function checkBrowserEntry() {
  if (!metafile.outputs['dist/entry-browser.js']) return;
  for (const file of reach('dist/entry-browser.js')) {
    const wrong = metafile.outputs[file].imports.find(
      ({ path }) => path.startsWith('node:') || path === 'webgpu',
    );
    if (wrong) throw new Error(`build: dist/entry-browser.js imports ${wrong.path} through ${file}`);
  }
}
