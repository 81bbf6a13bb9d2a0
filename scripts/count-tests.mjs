/**
 * Prints `N passed, N failed[, N skipped]` from vitest's JSON report and exits with 1 if anything failed.
 * `node scripts/count-tests.mjs report.json [failures elsewhere]`: those count as well.
 */

import { existsSync, readFileSync } from 'node:fs';

const [path, elsewhere = '0'] = process.argv.slice(2);
if (path === undefined) {
  console.error('count-tests: which report? node scripts/count-tests.mjs report.json');
  process.exit(2);
}
const counts = { passed: 0, failed: Number(elsewhere), skipped: 0 };

if (existsSync(path)) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  for (const file of report.testResults) {
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') counts.failed++;
      else counts.skipped++;
    }
    // A file that did not load has no tests to count, and yet it failed.
    const anyFailed = file.assertionResults.some(({ status }) => status === 'failed');
    if (file.status === 'failed' && !anyFailed) counts.failed++;
  }
  // Errors outside any test: a browser that did not start, a rejection nobody awaited.
  if (!report.success && counts.failed === 0) counts.failed++;
} else {
  console.error(`count-tests: no report at ${path}: the tests did not run to their end`);
  counts.failed++;
}

const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exit(counts.failed > 0 ? 1 : 0);
