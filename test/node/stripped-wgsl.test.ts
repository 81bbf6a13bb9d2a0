/** Stripping WGSL for the build takes nothing but comments and space: every kernel has the same tokens afterwards. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { expect, it } from 'vitest';
import { strippedWgsl, stripWgsl } from '../../scripts/wgsl.mjs';
import type { Dispatch } from '../../src/runtime/kernel.ts';

/** Words, numbers and signs (those that stand together as one), without comments. Not the stripper's own way: a regular expression on a text whose comments do not nest. */
function tokens(wgsl: string): string[] {
  const code = wgsl.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, ' ');
  return code.match(/[\w.]+|[(){}[\],;]|[^\s\w(){}[\],;]+/g) ?? [];
}

/** The texts of all kernels that host functions make, from a bundle. */
async function kernelTexts(folder: string, name: string, plugins: Plugin[]): Promise<Map<string, string>> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: ['test/pure/kernels/representative-dispatches.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    loader: { '.wgsl': 'text' },
    plugins,
    logLevel: 'warning',
  });
  const { representativeDispatches } = await import(/* @vite-ignore */ pathToFileURL(outfile).href);
  const dispatches: Dispatch[] = representativeDispatches();
  return new Map(dispatches.map(({ kernel }) => [kernel.name, kernel.wgsl]));
}

it('leaves every kernel the tokens it has', async () => {
  const cache = resolve('node_modules/.cache/rebasin');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'wgsl-'));
  try {
    const full = await kernelTexts(folder, 'full', []);
    const stripped = await kernelTexts(folder, 'stripped', [strippedWgsl]);
    expect(full.size).toBeGreaterThan(100);
    expect([...stripped.keys()]).toEqual([...full.keys()]);
    for (const [name, text] of stripped) {
      expect.soft(tokens(text), name).toEqual(tokens(full.get(name)!));
      expect.soft(text.match(/^\s*\/\/(?! \{\{).*$/m)?.[0], name).toBeUndefined();
    }
    const length = (texts: Map<string, string>) => [...texts.values()].join('').length;
    expect(length(stripped)).toBeLessThan(0.9 * length(full));
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('keeps places for text, and takes all other comments, nested ones too', () => {
  const text = [
    '// What it computes.',
    '',
    '// {{if QUAD}}',
    'enable subgroups; // as {{if}} says',
    '// {{end}}',
    'fn f(a: f32) -> f32 {',
    '  let b = a/* nested /* twice */ still */* 2.0;',
    '  return b /* {{more}} */; // {{convert}}',
    '}',
    '/* over',
    'lines */ const c = 1;',
    '',
  ].join('\n');
  expect(stripWgsl(text)).toBe(
    [
      '// {{if QUAD}}',
      'enable subgroups;',
      '// {{end}}',
      'fn f(a:f32)->f32{',
      'let b=a*2.0;',
      'return b /* {{more}} */; // {{convert}}',
      '}',
      'const c=1;',
      '',
    ].join('\n'),
  );
  expect(stripWgsl(stripWgsl(text))).toBe(stripWgsl(text));
  expect(() => stripWgsl('a /* b')).toThrow('never ends');
});
