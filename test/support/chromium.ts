/**
 * A real Chromium for tests and benchmarks, from npm alone: unpacked from `@sparticuz/chromium`, with the very SwiftShader that
 * `platform-node.ts` uses linked beside it, so that Node and the browser run the same driver and results can be compared bit by bit.
 * REBASIN_BROWSER=/path/to/chrome takes another browser; without either, Playwright's own is used.
 */

import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import {
  findNpmChromium,
  type NpmChromium,
  unpackOnce,
  unpackSwiftShader,
  unpackTar,
} from '../../src/runtime/node/npm-chromium.ts';

/** Options for Playwright's `chromium.launch()`. */
export interface ChromiumLaunch {
  executablePath?: string;
  env: Record<string, string>;
  args: string[];
}

const args = [
  '--no-sandbox', // containers and root have none
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--metrics-recording-only',
  '--no-first-run',
  '--no-pings',
];

/** How to launch the browser of this machine, unpacked first where that is needed. */
export async function chromiumLaunch(): Promise<ChromiumLaunch> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined),
  );
  const named = process.env.REBASIN_BROWSER;
  if (named) return { executablePath: named, env, args };
  const found = findNpmChromium();
  if (found === undefined) return { env, args };

  const folder = await unpackChromium(found);
  const executablePath = join(folder, 'chromium');
  if (librariesMissing(executablePath)) {
    const before = env.LD_LIBRARY_PATH ? [env.LD_LIBRARY_PATH] : [];
    env.LD_LIBRARY_PATH = [...before, join(folder, 'lib')].join(':');
    const still = librariesMissing(executablePath, env);
    if (still)
      throw new Error(`chromiumLaunch: Chromium needs shared libraries that are not here:\n${still}`);
  }
  return { executablePath, env, args };
}

function unpackChromium(found: NpmChromium): Promise<string> {
  return unpackOnce(found.cache, `chromium-${found.version}`, async (folder) => {
    const packed = createReadStream(join(found.archives, 'chromium.br'));
    const executable = createWriteStream(join(folder, 'chromium'), { mode: 0o755 });
    await pipeline(packed, createBrotliDecompress(), executable);
    await unpackTar(found, 'al2023.tar.br', folder); // into lib/
    // Chromium looks for its graphics libraries beside its executable.
    const driver = await unpackSwiftShader(found);
    const up = relative(folder, driver);
    for (const name of await readdir(driver)) await symlink(join(up, name), join(folder, name));
  });
}

/** The libraries that the dynamic linker does not find for `executable`, as it words them; empty when it finds all. */
function librariesMissing(executable: string, env: NodeJS.ProcessEnv = process.env): string {
  const listing = execFileSync('ldd', [executable], { env, encoding: 'utf8' });
  return listing
    .split('\n')
    .filter((line) => line.includes('not found'))
    .join('\n');
}
