/**
 * The bench page's view as text: built beside this file, or above it, where there is no builder; else built now, in
 * the repository.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export async function pageView(): Promise<string> {
  for (const place of ['./bench-view.js', '../bench-view.js']) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(path)) return readFileSync(path, 'utf8');
  }
  const { buildBenchView } = await import('../../scripts/build-bench.mjs');
  return await buildBenchView(process.cwd());
}
