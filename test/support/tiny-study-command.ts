/** The command `rebasin` as it is, but for its studies: tests of how jobs are run need some that take seconds. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const TINY_STUDY = fileURLToPath(new URL('./tiny-study.ts', import.meta.url));

export interface TinyStudyCommand {
  /** Of the script, to be run by Node. */
  readonly path: string;
  remove(): void;
}

/** Bundles it inside `node_modules`, where it finds its packages. The caller removes it. */
export async function buildTinyStudyCommand(): Promise<TinyStudyCommand> {
  const cache = resolve('node_modules/.cache/rebasin');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'tiny-study-'));
  const path = join(folder, 'main.mjs');
  await build({
    entryPoints: ['src/cli/main.ts'],
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    loader: { '.wgsl': 'text' },
    logLevel: 'warning',
    plugins: [
      {
        name: 'tiny-study',
        setup({ onResolve }) {
          onResolve({ filter: /studies\/library\/index\.ts$/ }, () => ({ path: TINY_STUDY }));
        },
      },
    ],
  });
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
