/**
 * Result lines as one HTML file that needs nothing else: the lines, the bundled view and its styles inside. Without JavaScript it shows
 * the table of the command line.
 */
import { escapeHtml, scriptJson, scriptText } from '../src/report/page.ts';
import { reportStyles } from '../src/report/styles.ts';
import type { ResultLine } from './result-line.ts';
import { caseTable, headline } from './table.ts';

/** @param bundle the view as a classic script, from `scripts/build-bench.mjs`. */
export function benchPage(lines: readonly ResultLine[], bundle: string): string {
  const [first] = lines;
  if (!first) throw new RangeError('benchPage: there are no result lines');
  const cases = [...new Set(lines.map((line) => line.case))];
  const tables = cases.map((name) => caseTable(lines.filter((line) => line.case === name)));
  const title = `rebasin bench: ${first.adapter}`;
  const software = first.software
    ? '<p><strong>This adapter computes on the processor: its times say nothing about GPUs.</strong></p>'
    : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>body { margin: 0; } @media (prefers-color-scheme: dark) { body { background: #14171b; } }${reportStyles}
.rebasin-report figure + figure { margin-top: 24px; }
.rebasin-report .keys { margin-top: 4px; }</style>
</head>
<body>
<main class="rebasin-report">
<p class="kicker">rebasin bench</p>
<h1>${escapeHtml(first.adapter)}</h1>
<p class="note">${escapeHtml(headline(first).split('\n').slice(1).join(' '))}</p>
${software}
<p class="note">Every result was checked before it was timed. A time is the least of those from recording to completion, of each engine with
the wait that serves it better; all engines ran in one process on this adapter and took turns. In Node on such an adapter as computes on the processor, peers' WebAssembly is not
optimised, which would take its cores; elsewhere it is.</p>
<div id="bench"></div>
<noscript><pre>${escapeHtml(tables.join('\n'))}</pre></noscript>
</main>
<script type="application/json" id="lines">${scriptJson(lines.map((line) => JSON.stringify(line)).join('\n'))}</script>
<script>${scriptText(bundle)}</script>
</body>
</html>
`;
}
