/** Our sources keep the rules of test/support/source-rules.ts, and each rule is shown to notice what it is there for. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { forbiddenImports, importCircles, inexactMath, type Sources } from '../support/source-rules.ts';

const root = new URL('../../', import.meta.url);
const paths = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .map((path) => `src/${path}`)
  .filter((path) => path.endsWith('.ts'));
const ours: Sources = new Map(paths.map((path) => [path, readFileSync(new URL(path, root), 'utf8')]));
const pagePaths = readdirSync(new URL('playground', root), { recursive: true, encoding: 'utf8' })
  .map((path) => `playground/${path}`)
  .filter((path) => path.endsWith('.ts'));
const page: Sources = new Map(pagePaths.map((path) => [path, readFileSync(new URL(path, root), 'utf8')]));
const source = (path: string, text: string): Sources => new Map([[path, text]]);

describe('who may import whom', () => {
  test('our sources keep to it', () => {
    expect(paths).toContain('src/runtime/platform.ts'); // the files were found
    expect(forbiddenImports(ours)).toEqual([]);
    expect(pagePaths).toContain('playground/worker/tasks.ts');
    expect(forbiddenImports(page)).toEqual([]);
  });

  test.each([
    [
      'src/runtime/context.ts',
      "import { matmul } from '../kernels/matmul/matmul.ts'",
      'runtime may import base',
    ],
    [
      'src/kernels/matmul/matmul.ts',
      "import type { Graph } from '../../nn/graph.ts'",
      'kernels may import base, runtime',
    ],
    ['src/io/npz.ts', "import { Tensor } from '../runtime/tensor.ts'", 'io may import base'],
    ['src/base/hash.ts', "export * from '../io/npz.ts'", 'base may import nothing'],
    ['src/report/view.ts', "import { curve } from '../rebasin/barrier.ts'", 'report knows nothing but types'],
    [
      'src/report/view.ts',
      "import { type Curve, curve } from '../rebasin/barrier.ts'",
      'report knows nothing but types',
    ],
    ['src/nn/graph.ts', "const x = await import('../rebasin/barrier.ts')", 'nn may import'],
    ['src/nn/graph.ts', "type Curve = import('../rebasin/barrier.ts').Curve", 'nn may import'],
    ['src/nn/graph.ts', "import { Context } from '../entry-node.ts'", 'it is for Node'],
    ['src/nn/graph.ts', "import { x } from '../../test/support/x.ts'", 'outside src'],
    ['src/cli/info.ts', "import { create } from 'webgpu'", 'only src/runtime/platform-node.ts'],
    ['src/nn/graph.ts', "import { readFileSync } from 'node:fs'", 'no node: modules'],
    ['src/runtime/context.ts', "import { nodePlatform } from './platform-node.ts'", 'it is for Node'],
    ['src/nn/graph.ts', "import { readBytes } from '../io/node-files.ts'", 'it is for Node'],
    ['playground/main.ts', "import { fit } from '../src/nn/train/fit.ts'", 'by its name, rebasin'],
    ['src/new/thing.ts', "import { hash } from '../base/hash.ts'", 'no rule yet'],
  ])('%s: %s is noticed', (path, text, reason) => {
    expect(forbiddenImports(source(path, text))).toEqual([expect.stringContaining(reason)]);
  });

  test.each([
    ['src/runtime/platform-node.ts', "const dawn = () => import('webgpu')"],
    ['src/cli/main.ts', "import { readFileSync } from 'node:fs'; import { version } from '../version.ts'"],
    ['src/io/node-files.ts', "import { readFileSync } from 'node:fs'"],
    ['src/report/view.ts', "import type { Curve } from '../rebasin/barrier.ts'"],
    [
      'src/rebasin/match.ts',
      "import { hash } from '../base/hash.ts'; import { Graph } from '../nn/graph.ts'",
    ],
  ])('%s: %s is allowed', (path, text) => {
    expect(forbiddenImports(source(path, text))).toEqual([]);
  });
});

describe('import circles', () => {
  test('our sources have none', () => {
    expect(importCircles(new Map([...ours, ...page]))).toEqual([]);
  });

  const three = (kind: string): Sources =>
    new Map([
      ['src/nn/a.ts', "import { b } from './b.ts'"],
      ['src/nn/b.ts', `${kind} { C } from './ops/c.ts'`],
      ['src/nn/ops/c.ts', "export { a } from '../a.ts'"],
      ['src/nn/d.ts', "import { a } from './a.ts'"],
    ]);

  test('a circle of three is noticed once', () => {
    const circle = 'src/nn/a.ts -> src/nn/b.ts -> src/nn/ops/c.ts -> src/nn/a.ts';
    expect(importCircles(three('import'))).toEqual([circle]);
  });

  test('a circle that is one of types only is none', () => {
    expect(importCircles(three('import type'))).toEqual([]);
  });
});

describe('mathematics with the same bits everywhere', () => {
  test('our sources use no other', () => {
    expect(inexactMath(ours)).toEqual([]);
  });

  test.each([
    ['const y = Math.exp(x)', 'Math.exp'],
    ['const seed = Math.random()', 'Math.random'],
    ['const { sin } = Math', 'only as Math.<name>'],
    ["const y = Math['cos'](x)", 'only as Math.<name>'],
    ['const y = x ** 2', '**'],
    ['y **= 0.5', '**'],
  ])('%s is noticed', (text, reason) => {
    expect(inexactMath(source('src/rebasin/x.ts', text))).toEqual([expect.stringContaining(reason)]);
  });

  test.each([
    'Math.sqrt(x) + Math.PI',
    'const limit = 2 ** 20',
    '// Math.exp in a comment',
    'other.Math.exp(x)',
  ])('%s is allowed', (text) => {
    expect(inexactMath(source('src/rebasin/x.ts', text))).toEqual([]);
  });

  test('views and printing may use it', () => {
    expect(inexactMath(source('src/report/x.ts', 'Math.log10(x)'))).toEqual([]);
  });
});
