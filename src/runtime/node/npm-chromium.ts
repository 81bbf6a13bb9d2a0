/**
 * The npm package `@sparticuz/chromium` as a source of a Vulkan driver that needs no GPU, no root and no system package:
 * it holds SwiftShader (and the Vulkan loader) as a brotli archive. This file finds the package and unpacks archives once.
 * It starts no browser and touches no GPU.
 */

import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import type tarFs from 'tar-fs';

/** The exact version whose contents this library was measured with; later ones need a newer Node. */
export const npmChromiumInstall = 'npm install @sparticuz/chromium@147.0.0';

/** An installed copy of the package. */
export interface NpmChromium {
  /** Its version, part of the cache folder's name so that an update unpacks anew. */
  version: string;
  /** The folder that holds the `.br` archives. */
  archives: string;
  /** Where unpacked files are kept: `.cache/rebasin` in the `node_modules` that holds the package. */
  cache: string;
  /** Its entry file, from which its own dependencies resolve. */
  entry: string;
}

/** The installed package, looked up from this library and then from the working folder; undefined when it is not there. */
export function findNpmChromium(): NpmChromium | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined; // its binaries are for Linux x64
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json'))]) {
    let entry: string;
    try {
      entry = createRequire(from).resolve('@sparticuz/chromium');
    } catch {
      continue; // not installed here; the caller says so if nothing else is found either
    }
    let root = dirname(entry);
    const holdsArchives = () => existsSync(join(root, 'bin', 'swiftshader.tar.br'));
    while (!holdsArchives() && root !== dirname(root)) root = dirname(root);
    if (!holdsArchives()) continue; // a version without them
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const archives = join(root, 'bin');
    return { version, archives, cache: join(root, '..', '..', '.cache', 'rebasin'), entry };
  }
  return undefined;
}

/** The folder with this package's `libvulkan.so.1` and `vk_swiftshader_icd.json`, unpacked when needed, or why there is none. */
export async function npmSwiftShader(): Promise<{ folder: string } | { missing: string }> {
  const found = findNpmChromium();
  if (found === undefined) return { missing: 'not installed (it exists for Linux x64)' };
  try {
    return { folder: await unpackSwiftShader(found) };
  } catch (error) {
    return { missing: `could not be unpacked: ${error instanceof Error ? error.message : error}` };
  }
}

/** Unpacks SwiftShader (once) and returns its folder. */
export function unpackSwiftShader(found: NpmChromium): Promise<string> {
  return unpackOnce(found.cache, `swiftshader-${found.version}`, (folder) =>
    unpackTar(found, 'swiftshader.tar.br', folder),
  );
}

/** Unpacks one `.tar.br` of the package into an existing folder. */
export async function unpackTar(found: NpmChromium, archive: string, folder: string): Promise<void> {
  const tar = createRequire(found.entry)('tar-fs') as typeof tarFs;
  // Without `chown: false` root would hand the files to the user ids recorded in the archive.
  const extract = tar.extract(folder, { chown: false } as tarFs.ExtractOptions);
  await pipeline(createReadStream(join(found.archives, archive)), createBrotliDecompress(), extract);
}

/**
 * The folder `name` inside `cache`, made by `fill` when it is not there yet. Several processes may ask at once: each fills
 * a folder of its own and renames it, which is atomic, so a folder that exists is complete. Where `cache` cannot be written,
 * a folder in the system's temporary folder that belongs to this user takes its place.
 */
export async function unpackOnce(
  cache: string,
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  if (existsSync(join(cache, name))) return join(cache, name);
  let base = cache;
  let scratch: string;
  try {
    await mkdir(base, { recursive: true });
    scratch = await mkdtemp(join(base, 'unpacking-'));
  } catch {
    base = await privateTemporaryFolder();
    if (existsSync(join(base, name))) return join(base, name);
    scratch = await mkdtemp(join(base, 'unpacking-'));
  }
  const target = join(base, name);
  try {
    await fill(scratch);
    await chmod(scratch, 0o755); // temporary folders are closed to other users; what was unpacked by root need not be
    await rename(scratch, target);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // otherwise another process was first, and its copy is as good
  }
  return target;
}

/** A temporary folder that no other user can have filled: code is loaded from it. */
async function privateTemporaryFolder(): Promise<string> {
  const user = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `rebasin-${user}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const status = await lstat(folder);
  if (!status.isDirectory() || status.uid !== user || (status.mode & 0o022) !== 0) {
    throw new Error(`${folder} belongs to, or can be written by, another user: remove it`);
  }
  return folder;
}
