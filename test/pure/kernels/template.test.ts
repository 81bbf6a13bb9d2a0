import { describe, expect, test } from 'vitest';
import { expand } from '../../../src/kernels/matmul/template.ts';

describe('expand', () => {
  test('writes a block once for each value, inner blocks inside', () => {
    const text = [
      'a',
      '// {{for i < N}}',
      '  // {{for j < 2}}',
      'c{i}_{j}',
      '  // {{end}}',
      '// {{end}}',
      'z',
    ].join('\n');
    expect(expand(text, { N: 2 })).toBe('a\nc0_0\nc0_1\nc1_0\nc1_1\nz');
  });

  test('computes from left to right', () => {
    expect(expand('// {{for i < 6}}\n{i*4+1} {i/4} {i%4} {N}\n// {{end}}', { N: 9 }).split('\n')[5]).toBe(
      '21 1 1 9',
    );
  });

  test('keeps or drops a conditional block', () => {
    const text = '// {{if YES}}\nx\n// {{end}}\n// {{if NO}}\n// {{for i < 3}}\ny\n// {{end}}\n// {{end}}';
    expect(expand(text, { YES: true, NO: false })).toBe('x');
  });

  test('a condition may be an expression: not 0', () => {
    const text = '// {{for i < 3}}\n// {{if i+1%3}}\n{i},\n// {{end}}\n// {{end}}';
    expect(expand(text, {})).toBe('0,\n1,');
  });

  test('leaves comments and WGSL braces alone', () => {
    const text = '// row {i}\nfn f() { return; }\nif (x) {y = 1;}';
    expect(expand(text, {})).toBe(text);
  });

  test('names what is missing', () => {
    expect(() => expand('let x = {WIDTH};', {})).toThrow('no value for WIDTH');
    expect(() => expand('// {{for i < 2}}\nx', {})).toThrow('line 1 has no end');
  });
});
