/**
 * A result as one HTML file that needs nothing else: the JSON, the bundled view and its styles inside. It works from `file://`, and
 * without JavaScript it still says what came out.
 */
import { wordsOf } from './report-words.ts';
import type { ReportResult } from './results.ts';
import { reportStyles } from './styles.ts';

/**
 * Returns the text of the HTML file.
 * @param bundle the view as a classic script, from `scripts/build-report.mjs` (dist/report-view.js)
 */
export function reportHtml(result: ReportResult, bundle: string): string {
  const { headline, text } = wordsOf(result);
  const sentence = escapeHtml(headline);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${sentence}">
<title>rebasin ${escapeHtml(result.command)}: ${sentence}</title>
<link rel="icon" href="data:,">
<style>body { margin: 0; } @media (prefers-color-scheme: dark) { body { background: #14171b; } }${reportStyles}</style>
</head>
<body>
<main id="report"></main>
<noscript><p>${sentence}</p><pre>${escapeHtml(text)}</pre></noscript>
<script type="application/json" id="result">${scriptJson(result)}</script>
<script>${scriptText(bundle)}</script>
</body>
</html>
`;
}

/** JSON that a `<script>` element can hold: without `<` no tag can begin or end in it, and a parser gives the same value. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

/** JavaScript that a `<script>` element can hold; in code these sequences occur only in strings, where the backslash changes nothing. */
export function scriptText(code: string): string {
  return code.replace(/<(?=\/script|!--)/gi, '\\x3c');
}

/** Text that HTML can hold, between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
