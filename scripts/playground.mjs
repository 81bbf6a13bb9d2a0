/** Serves the page while one works on it: `npm run playground`, then http://localhost:8000. Rebuilt at every change; reload to see it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context } from 'esbuild';
import { buildReportBundle } from './build-report.mjs';
import { siteOptions } from './build-site.mjs';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-playground-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

writeFileSync(join(folder, 'report-view.js'), await buildReportBundle());
const building = await context({ ...siteOptions, outdir: folder, sourcemap: 'linked' });
await building.watch();
const { port } = await building.serve({
  servedir: folder,
  host: 'localhost',
  port: Number(process.env.PORT ?? 8000),
});
console.log(`http://localhost:${port}`);
