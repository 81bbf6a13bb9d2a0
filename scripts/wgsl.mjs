/**
 * WGSL in bundles: `.wgsl` files as strings, without what only a reader needs.
 *
 * Bundlers of applications shorten JavaScript, but nothing inside a string, so the build does that. Tests, benchmarks and scripts bundle
 * the full texts (esbuild's loader `text`): there a compiler's message points into the file as it is.
 */

import { readFileSync } from 'node:fs';

/**
 * The text without comments, indentation, blank lines and spaces beside signs. What is left keeps its lines, so that a message still
 * shows the statement.
 *
 * Comments that hold `{{` are places where host files and template.ts put text, aliases may be replaced: their lines stay as they are.
 * Nothing else is special: WGSL has no strings, `//` ends with its line, and block comments nest.
 * @param {string} text
 */
export function stripWgsl(text) {
  let output = '';
  for (let i = 0; i < text.length; ) {
    const end = text.startsWith('//', i)
      ? endOfLine(text, i)
      : text.startsWith('/*', i)
        ? endOfBlock(text, i)
        : undefined;
    if (end === undefined) {
      output += text[i++];
      continue;
    }
    const comment = text.slice(i, end);
    output += /^\/[/*] \{\{/.test(comment) ? comment : ' ';
    i = end;
  }
  const lines = output.split('\n').map((line) => withoutSpaces(line.trim()));
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

/**
 * Brackets, commas and semicolons are never part of a longer sign. Between two other signs spaces stay: they may be what keeps `- -` from
 * being `--`.
 * @param {string} line
 */
function withoutSpaces(line) {
  if (/\{\{|^alias /.test(line)) return line;
  return line.replace(/(?<=\w) +(?=[^\w\s])|(?<=[^\w\s]) +(?=\w)| *([(){}[\],;]) */g, '$1');
}

/** @param {string} text @param {number} start */
function endOfLine(text, start) {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end;
}

/** Where the block comment that begins at `start` ends. @param {string} text @param {number} start */
function endOfBlock(text, start) {
  let depth = 0;
  let i = start;
  do {
    if (i >= text.length) throw new SyntaxError('stripWgsl: a block comment never ends');
    const here = text.slice(i, i + 2);
    depth += here === '/*' ? 1 : here === '*/' ? -1 : 0;
    i += here === '/*' || here === '*/' ? 2 : 1;
  } while (depth > 0);
  return i;
}

/** For esbuild: a `.wgsl` file is its stripped text. @type {import('esbuild').Plugin} */
export const strippedWgsl = {
  name: 'stripped-wgsl',
  setup({ onLoad }) {
    onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({
      contents: stripWgsl(readFileSync(path, 'utf8')),
      loader: 'text',
    }));
  },
};
