import { describe, expect, test } from 'vitest';
import { reportHtml } from '../../../src/report/page.ts';
import { syntheticDemo, syntheticMatch } from './synthetic-result.ts';

const hostile = '</script><script>alert(1)</script><!--<script>"&\'';

/** What an HTML parser takes as the text of the element that begins with `open`: all up to the next `</script`. */
function scriptContent(html: string, open: string): string {
  const from = html.indexOf(open) + open.length;
  return html.slice(from, html.indexOf('</script', from));
}

describe('reportHtml', () => {
  const result = syntheticDemo({
    command: hostile,
    adapter: hostile,
    match: { ...syntheticMatch, permutations: { [hostile]: [1, 0] } },
  });
  const html = reportHtml(result, `const a = '</script>', b = "<!--"; // $& $1`);

  test('holds the result as JSON, whatever is in it', () => {
    expect(JSON.parse(scriptContent(html, '<script type="application/json" id="result">'))).toEqual(result);
  });

  test('lets no text of the result become markup', () => {
    expect(html.match(/<script/gi)).toHaveLength(2); // the JSON and the view
    expect(html.match(/<\/script/gi)).toHaveLength(2);
    expect(html).not.toContain('<!--');
    expect(html).toContain('<title>rebasin &lt;/script&gt;');
  });

  test('holds the bundle so that it means the same', () => {
    expect(scriptContent(html, '<script>')).toBe(`const a = '\\x3c/script>', b = "\\x3c!--"; // $& $1`);
  });

  test('refers to nothing outside itself', () => {
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(html).not.toMatch(/url\(|@import/);
  });

  test('says the result without JavaScript too', () => {
    const spoken = html.slice(html.indexOf('<noscript>'), html.indexOf('</noscript>'));
    expect(spoken).toContain('the test loss rises by 2.11');
    expect(spoken).toContain('over the mean');
  });
});
