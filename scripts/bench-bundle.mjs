/**
 * One archive with the bench suite and all that it needs on a Linux x64 machine without Node, npm or network: `npm run bench:bundle`
 * writes rebasin-bench-VERSION-linux-x64.tar.gz. Unpack it and start `run` in it; `bench/archive/README.md` goes with it.
 *
 * It holds this machine's Node, Dawn of the package `webgpu`, the Vulkan loader and SwiftShader of `@sparticuz/chromium` (its archive as it
 * is: the library unpacks it as it does from an ordinary installation), the suite in one file, and the PyTorch script.
 */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { build } from 'esbuild';
import tar from 'tar-fs';
import { buildBenchView } from './build-bench.mjs';
import { bundledLicences } from './bundle-library.mjs';

const LIMIT_BYTES = 60e6;

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const name = `rebasin-bench-${version}-linux-x64`;
const target = resolve(process.argv[2] ?? join(root, `${name}.tar.gz`));

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `bench-bundle: packs this machine's Node for Linux x64; this is ${process.platform}-${process.arch}`,
  );
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'rebasin-bench-'));
try {
  const folder = join(scratch, name);
  mkdirSync(folder);
  const inputs = await bundleSuite(folder);
  writeFileSync(join(folder, 'THIRD-PARTY.txt'), bundledLicences(root, inputs));
  writeFileSync(join(folder, 'bench-view.js'), await buildBenchView(root));
  copyFileSync(process.execPath, join(folder, 'node'));
  chmodSync(join(folder, 'node'), 0o755);
  copyPackage('webgpu', folder, ['package.json', 'index.js', 'LICENSE.md', 'dist/linux-x64/dawn.node']);
  copyPackage('@sparticuz/chromium', folder, [
    'package.json',
    'LICENSE',
    'build/cjs/index.cjs',
    'bin/swiftshader.tar.br',
  ]);
  for (const dependency of withDependencies('tar-fs')) copyPackage(dependency, folder);
  const names = execFileSync(join(folder, 'node'), [join(folder, 'bench.mjs'), '--list'], {
    cwd: folder,
    encoding: 'utf8',
  });
  writeFileSync(join(folder, 'cases.txt'), names); // for the PyTorch script
  copyFileSync(join(root, 'bench/archive/run'), join(folder, 'run'));
  copyFileSync(join(root, 'bench/archive/README.md'), join(folder, 'README.md'));
  copyFileSync(join(root, 'bench/pytorch/pytorch-bench.py'), join(folder, 'pytorch-bench.py'));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const licence = nodeLicence();
  if (licence) copyFileSync(licence, join(folder, 'LICENSE.node'));

  const partial = `${target}.partial`;
  try {
    await pipeline(
      tar.pack(scratch, { map: anonymous }),
      createGzip({ level: 6 }),
      createWriteStream(partial),
    );
    const bytes = statSync(partial).size;
    if (bytes > LIMIT_BYTES) {
      throw new Error(
        `bench-bundle: the archive has ${bytes} bytes, more than ${LIMIT_BYTES}; leave something out`,
      );
    }
    renameSync(partial, target);
    console.log(`${basename(target)}: ${(bytes / 1e6).toFixed(1)} MB`);
  } finally {
    rmSync(partial, { force: true });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/**
 * The suite, with a file for each family that is loaded when its turn comes. Peers that are plain JavaScript go with it; packages with
 * binaries stay outside: a case that wants one says that it is not there.
 * @param {string} folder
 * @returns {Promise<string[]>} the files that went into it, from the repository
 */
async function bundleSuite(folder) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { bench: 'bench/main.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'suite/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['webgpu', 'onnxruntime-web', 'playwright', 'esbuild', '@sparticuz/chromium'],
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    loader: { '.wgsl': 'text' },
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

/**
 * Copies files of an installed package, or all of it, to the archive's node_modules.
 * @param {string} dependency
 * @param {string} folder
 * @param {readonly string[]} [files]
 */
function copyPackage(dependency, folder, files) {
  const from = join(root, 'node_modules', dependency);
  const to = join(folder, 'node_modules', dependency);
  if (!existsSync(from)) throw new Error(`bench-bundle: ${dependency} is not installed; run npm ci`);
  for (const file of files ?? ['']) cpSync(join(from, file), join(to, file), { recursive: true });
}

/** A package and what it needs in Node, by name. */
function withDependencies(dependency, seen = new Set()) {
  if (seen.has(dependency) || dependency.startsWith('bare-')) return seen; // bare-*: for another JavaScript runtime
  seen.add(dependency);
  const { dependencies = {} } = JSON.parse(
    readFileSync(join(root, 'node_modules', dependency, 'package.json'), 'utf8'),
  );
  for (const needed of Object.keys(dependencies)) withDependencies(needed, seen);
  return seen;
}

/** Where this machine keeps Node's licence, which goes with its binary. */
function nodeLicence() {
  const folder = dirname(process.execPath);
  return [join(folder, '../LICENSE'), join(folder, 'LICENSE'), '/usr/share/doc/nodejs/LICENSE'].find(
    existsSync,
  );
}

/** Headers without the packing user's numbers. */
function anonymous(header) {
  return { ...header, uid: 0, gid: 0 };
}
