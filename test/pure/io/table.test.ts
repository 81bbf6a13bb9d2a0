import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { parseCsv, parseLibsvm } from '../../../src/io/table.ts';

describe('parseCsv', () => {
  test('reads numbers with and without a header', () => {
    const plain = parseCsv('1,2,3\n4,5.5,-6e-1\n');
    expect([...plain.features]).toEqual([1, 2, 4, 5.5]);
    expect([...plain.targets]).toEqual([3, -0.6]);
    expect(plain.names).toEqual(['x1', 'x2']);
    const named = parseCsv('\ufeff"a", b ,c\r\n\r\n1,2,3\r\n4,5,6', 'a');
    expect([...named.targets]).toEqual([1, 4]);
    expect([...named.features]).toEqual([2, 3, 5, 6]);
    expect(named.names).toEqual(['b', 'c']);
    expect([...parseCsv('1,2,3', '2').targets]).toEqual([2]);
  });

  test.each([
    ['', /empty file/],
    ['a,b\n', /got none/],
    ['1\n2\n', /at least 2 columns/],
    ['1,2\n3\n', /line 2: expected 2 columns, got 1/],
    ['a,b\n1,2\n3,NaN\n', /line 3, column b: expected a finite number, got "NaN"/],
    ['a,b\n1,\n', /got ""/],
    ['a,b\n0x10,1\n', /got "0x10"/],
    ['a,b\n1e999,1\n', /1e999/],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsv(text)).toThrow(FormatError);
    expect(() => parseCsv(text)).toThrow(message);
  });

  test('refuses an unknown target, naming the columns', () => {
    expect(() => parseCsv('a,b\n1,2\n', 'c', 'file.csv')).toThrow(
      /file.csv: expected a column "c", got a, b/,
    );
  });
});

describe('parseLibsvm', () => {
  test('reads sparse lines, what is left out is 0', () => {
    const table = parseLibsvm('+1 1:0.5 3:-2 # note\n\n-1 2:1e1\n');
    expect(table.columns).toBe(3);
    expect([...table.targets]).toEqual([1, -1]);
    expect([...table.features]).toEqual([0.5, 0, -2, 0, 10, 0]);
  });

  test.each([
    ['', /got none with a feature/],
    ['1\n', /got none with a feature/],
    ['x 1:2', /line 1: expected a number as target, got "x"/],
    ['1 0:2', /ascending, got "0:2"/],
    ['1 2:1 2:1', /ascending, got "2:1"/],
    ['1 1:a', /got "1:a"/],
    ['1 1:2:3', /got "1:2:3"/],
    ['1 1.5:2', /got "1.5:2"/],
    ['1 999999999:1', /look for a wrong index/],
  ])('refuses %j', (text, message) => {
    expect(() => parseLibsvm(text)).toThrow(FormatError);
    expect(() => parseLibsvm(text)).toThrow(message);
  });
});
