/** What the report file runs: shows the result that the page holds. Bundled by scripts/build-report.mjs. */

import { isAgePath } from './age-path-summary.ts';
import { renderAgePath } from './age-path-view.ts';
import { renderReport } from './view.ts';

const root = document.getElementById('report');
const embedded = document.getElementById('result');
if (root && embedded) {
  const result = JSON.parse(embedded.textContent);
  if (isAgePath(result)) renderAgePath(root, result);
  else renderReport(root, result);
}
