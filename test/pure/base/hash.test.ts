import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/base/errors.ts';
import { hashBytes, hashResult } from '../../../src/base/hash.ts';

describe('hashBytes', () => {
  test('is SHA-256: the two known answers of FIPS 180', () => {
    const text = (value: string) => new TextEncoder().encode(value);
    expect(hashBytes(text('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hashBytes(text(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});

describe('hashResult', () => {
  test('does not depend on the order of keys, on undefined properties, or on where a typed array lies in its buffer', () => {
    expect(hashResult({ a: 1, b: [2, { c: 3, d: 4 }] })).toBe(hashResult({ b: [2, { d: 4, c: 3 }], a: 1 }));
    expect(hashResult({ a: 1, b: undefined })).toBe(hashResult({ a: 1 }));
    const wide = Float32Array.of(9, 1, 2, 9);
    expect(hashResult(wide.subarray(1, 3))).toBe(hashResult(Float32Array.of(1, 2)));
    expect(hashResult(0 / 0)).toBe(hashResult(NaN));
  });

  test('tells apart values that a sloppy serialisation would confuse', () => {
    const values = [
      null,
      false,
      true,
      0,
      -0,
      1,
      1 + 2 ** -52,
      1n,
      NaN,
      Infinity,
      '',
      '1',
      '0',
      'null',
      '\ud800',
      '\ud801',
      '\ufffd',
      [],
      {},
      [[]],
      [{}],
      [1],
      ['1'],
      [null],
      [1, 2],
      [[1], 2],
      [1, [2]],
      [[1, 2]],
      ['ab', 'c'],
      ['a', 'bc'],
      { a: 1 },
      { a: [1] },
      { b: 1 },
      { a: { b: 1 } },
      { a: {}, b: 1 },
      { 'a:1': 1 },
      new Float32Array(0),
      new Float64Array(0),
      Float32Array.of(1),
      Float32Array.of(0),
      Float32Array.of(-0),
      Uint32Array.of(0x3f800000),
      Int32Array.of(0x3f800000),
      Uint8Array.of(0, 0, 128, 63),
      BigInt64Array.of(1n),
      Float64Array.of(1),
    ];
    expect(new Set(values.map(hashResult)).size).toBe(values.length);
  });

  test('is equal for equal JSON and differs for different JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(hashResult(a)).toBe(hashResult(structuredClone(a)));
        if (canonicalJson(a) !== canonicalJson(b)) expect(hashResult(a)).not.toBe(hashResult(b));
      }),
    );
  });

  test('keeps its value from release to release', () => {
    expect(hashResult({ loss: [0.5, -0], name: 'ü', perms: Int32Array.of(1, 0) })).toBe(
      'ddd600b18d28f76345d515694b23775303e1321c2f79a5e3daa563a3e252f64e',
    );
  });

  test('names the path of what it cannot hash', () => {
    const circle: { inner: unknown[] } = { inner: [] };
    circle.inner.push(circle);
    expect(() => hashResult({ a: [1, () => 1] })).toThrow(/value\.a\[1\].*got a function/);
    expect(() => hashResult({ a: new Map() })).toThrow(/value\.a.*an instance of Map/);
    expect(() => hashResult([undefined])).toThrow(DataError);
    expect(() => hashResult(circle)).toThrow(/value\.inner\[0\].*contains itself/);
    const shared = [1];
    expect(hashResult([shared, shared])).toBe(hashResult([[1], [1]]));
  });
});

/** JSON with sorted keys; -0 is kept apart from 0 as the hash does. */
function canonicalJson(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
