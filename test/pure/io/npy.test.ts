import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { parseNpy } from '../../../src/io/npy.ts';
import { parseNpz } from '../../../src/io/npz.ts';
import { npy } from '../../support/npy-writer.ts';

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
const bytesOf = (values: ArrayBufferView) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const swapped = (bytes: Uint8Array, width: number) =>
  Uint8Array.from(bytes, (_, i) => bytes[i - (i % width) + (width - 1 - (i % width))]!);

describe('parseNpy', () => {
  const types: [string, ArrayBufferView, string, unknown[]][] = [
    ['b1', Uint8Array.of(1, 0), 'BOOL', [1, 0]],
    ['i1', Int8Array.of(-128, 127), 'I8', [-128, 127]],
    ['u1', Uint8Array.of(0, 255), 'U8', [0, 255]],
    ['i2', Int16Array.of(-32768, 5), 'I32', [-32768, 5]],
    ['u2', Uint16Array.of(65535, 5), 'I32', [65535, 5]],
    ['i4', Int32Array.of(-(2 ** 31), 5), 'I32', [-(2 ** 31), 5]],
    ['u4', Uint32Array.of(2 ** 32 - 1, 5), 'I64', [4294967295n, 5n]],
    ['i8', BigInt64Array.of(-(2n ** 63n), 5n), 'I64', [-(2n ** 63n), 5n]],
    ['u8', BigUint64Array.of(2n ** 63n - 1n, 5n), 'I64', [2n ** 63n - 1n, 5n]],
    ['f2', Uint16Array.of(0x3c00, 0xc000), 'F16', [1, -2]],
    ['f4', Float32Array.of(1.5, -2), 'F32', [1.5, -2]],
    ['f8', Float64Array.of(0.1, -2), 'F64', [Math.fround(0.1), -2]],
  ];

  test.each(types)(
    'reads %s in both byte orders',
    (type, values: ArrayBufferView, dtype, expected: unknown[]) => {
      const bytes = bytesOf(values);
      const width = bytes.length / 2;
      for (const [order, data] of [
        ['<', bytes],
        ['>', swapped(bytes, width)],
        ['|', bytes],
      ] as const) {
        if (order === '|' && width > 1) continue;
        const { tensor, descr } = parseNpy(npy(header(order + type, '(2,)'), data));
        expect(descr).toBe(order + type);
        expect([tensor.dtype, tensor.shape, Array.from(tensor.data as ArrayLike<unknown>)]).toEqual([
          dtype,
          [2],
          expected,
        ]);
      }
    },
  );

  test.each([1, 2, 3])('reads version %i, with its header in any order of keys', (version) => {
    const text = "{'shape': (3L, 1), 'fortran_order': False, 'descr': '<i4'}  \n";
    expect(parseNpy(npy(text, bytesOf(Int32Array.of(7, 8, 9)), version)).tensor).toEqual({
      dtype: 'I32',
      shape: [3, 1],
      data: Int32Array.of(7, 8, 9),
    });
  });

  test('reads scalars, empty arrays, and Fortran order with three axes and 8-byte elements', () => {
    expect(parseNpy(npy(header('<f4', '()'), bytesOf(Float32Array.of(3)))).tensor).toMatchObject({
      shape: [],
    });
    expect(parseNpy(npy(header('<f4', '(0, 4)'), new Uint8Array(0))).tensor).toMatchObject({ shape: [0, 4] });
    // Element [i, j, k] of [2, 3, 4] lies at i + 2 j + 6 k.
    const data = BigInt64Array.from({ length: 24 }, (_, at) => BigInt(at) << 33n);
    const { tensor } = parseNpy(npy(header('<i8', '(2, 3, 4)', 'True'), bytesOf(data)));
    const expected: bigint[] = [];
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 3; j++) for (let k = 0; k < 4; k++) expected.push(BigInt(i + 2 * j + 6 * k) << 33n);
    }
    expect(tensor.data).toEqual(BigInt64Array.from(expected));
  });

  const four = new Uint8Array(4);
  const good = npy(header('<f4', '(1,)'), four);
  const cases: [string, Uint8Array, RegExp][] = [
    ['another magic', npy(header('<f4', '(1,)'), four).fill(0, 0, 1), /start with 147 "NUMPY"/],
    ['version 4', npy(header('<f4', '(1,)'), four, 4), /version 1\.0, 2\.0 or 3\.0, got 4\.0/],
    ['a header beyond the file', good.subarray(0, 40), /within the file/],
    ['values cut short', good.subarray(0, -1), /expected 4 bytes .*got 3\. The file is cut short/],
    ['values too many', Uint8Array.from([...good, 0]), /Bytes follow/],
    ['Python objects', npy(header('|O', '(1,)'), four), /Python objects/],
    ['complex numbers', npy(header('<c8', '(1,)'), four), /got "<c8"/],
    ['texts', npy(header('<U4', '(1,)'), four), /got "<U4"/],
    ['a type without byte order', npy(header('|f4', '(1,)'), four), /got "\|f4"/],
    ['a property of Object as type', npy(header('<constructor', '(1,)'), four), /got "<constructor"/],
    [
      'a structure',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", four),
      /structure of several/,
    ],
    [
      'a call in the header',
      npy("{'descr': str('<f4'), 'fortran_order': False, 'shape': (1,), }", four),
      /a header such as/,
    ],
    [
      'a key twice',
      npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", four),
      /a header such as/,
    ],
    ['a key missing', npy("{'descr': '<f4', 'shape': (1,), }", four), /a header such as/],
    [
      'a key more',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': (), }", four),
      /a header such as/,
    ],
    ['text after the header', npy(`${header('<f4', '(1,)')} 1`, four), /a header such as/],
    ['a number as shape', npy(header('<f4', '(1)'), four), /shape of at most 64 integers, got \(1\)/],
    ['a negative size', npy(header('<f4', '(-1,)'), four), /a header such as/],
    ['a size above 2^53', npy(header('<f4', '(9007199254740993,)'), four), /integers, got/],
    ['a product that overflows', npy(header('<f4', '(4294967296, 4294967296)'), four), /expected \d+ bytes/],
    ['booleans other than 0 and 1', npy(header('|b1', '(4,)'), four.with(1, 2)), /bytes 0 and 1/],
    ['unsigned integers of 2^63', npy(header('<u8', '(1,)'), new Uint8Array(8).fill(255)), /below 2\^63/],
    ['a header in version 3 that is not UTF-8', npy(header('<f4', '(1,)'), four, 3).with(15, 255), /UTF-8/],
  ];

  test.each(cases)('refuses %s', (_, bytes, message) => {
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(FormatError);
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(message);
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(/^parseNpy: x\.npy: /);
  });
});

describe('parseNpz', () => {
  test('names tensors after their files and tells what was widened', () => {
    const files = new Map([
      ['a.npy', npy(header('<u2', '(1,)'), Uint8Array.of(1, 1))],
      ['layer/b.npy', npy(header('<f4', '()'), new Uint8Array(4))],
    ]);
    const { tensors, notes } = parseNpz(files);
    expect([...tensors.keys()]).toEqual(['a', 'layer/b']);
    expect(notes).toEqual(['a: <u2 widened to int32']);
    files.set('readme.txt', new Uint8Array(0));
    expect(() => parseNpz(files, 'x.npz')).toThrow(
      /x\.npz: expected files that end in \.npy, got "readme\.txt"/,
    );
  });
});
