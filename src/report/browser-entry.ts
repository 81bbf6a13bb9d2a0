/** What the report file runs: shows the result that the page holds. Bundled by scripts/build-report.mjs. */
import { renderReport } from './render-report.ts';

const root = document.getElementById('report');
const embedded = document.getElementById('result');
if (root && embedded) renderReport(root, JSON.parse(embedded.textContent));
