/**
 * Builds dist/: the library as ES modules with source maps (`bundle-library.mjs`), the report's view, the bench suite (`build-bench.mjs`),
 * and type declarations.
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
import { buildPublishedBench } from './build-bench.mjs';
import { buildReportBundle } from './build-report.mjs';
import { bundledLicences, bundleLibrary, libraryEntries } from './bundle-library.mjs';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist/.built');
const cli = 'src/cli/main.ts';
const entries = libraryEntries(root);

if (process.argv.includes('--if-needed') && existsSync(stamp) && statSync(stamp).mtimeMs > newestSource())
  process.exit(0);

if (!readFileSync(join(root, cli), 'utf8').startsWith('#!/usr/bin/env node\n')) {
  throw new Error(`build: ${cli} must begin with the line #!/usr/bin/env node`);
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
const { metafile, files } = await bundleLibrary(root, entries);
for (const { path, text } of files) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
await buildReportBundle('dist/report-view.js');
await buildPublishedBench(root);
writeFileSync(join(root, 'dist/THIRD-PARTY.txt'), bundledLicences(root, Object.keys(metafile.inputs)));
chmodSync(join(root, 'dist/cli/main.js'), 0o755);
for (const entry of entries)
  if (entry !== cli && !/-node\.ts$/.test(entry)) checkBrowserEntry(outputOf(entry));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1); // it has said why
writeFileSync(stamp, '');

for (const entry of entries) {
  const files = reach(outputOf(entry));
  const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(root, file))).length, 0);
  console.log(`${entry}: ${(bytes / 1024).toFixed(1)} KiB gzipped in ${files.size} files`);
}

/** When the newest file that the build depends on was changed, in milliseconds. */
function newestSource() {
  const inputs = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const sources = ['src', 'scripts', 'bench', 'test/reference'].flatMap((folder) =>
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

function outputOf(entry) {
  return entry.replace(/^src/, 'dist').replace(/ts$/, 'js');
}

/** A page without a bundler loads these files as they are: one import of a package or of Node's modules would break it. */
function checkBrowserEntry(entry) {
  for (const file of reach(entry)) {
    const wrong = metafile.outputs[file].imports.find(({ external }) => external);
    if (wrong) throw new Error(`build: ${entry} imports ${wrong.path} through ${file}`);
  }
}
