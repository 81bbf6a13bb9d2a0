import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { crc32 } from '../../../src/io/crc32.ts';
import { isZip, readZip } from '../../../src/io/zip.ts';
import { writeZip, type ZipOptions } from '../../support/zip-writer.ts';

const text = (value: string) => new TextEncoder().encode(value);
const FILES: [string, Uint8Array][] = [
  ['a.txt', text('first, first, first, first')],
  ['folder/', new Uint8Array(0)],
  ['folder/\u00e9.bin', Uint8Array.from({ length: 300 }, (_, i) => i * 7)],
  ['empty', new Uint8Array(0)],
];

/** A copy with little-endian values at positions. */
function patched(bytes: Uint8Array, ...changes: [at: number, value: number][]): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) copy[at < 0 ? copy.length + at : at] = value;
  return copy;
}

function findLast(bytes: Uint8Array, ...signature: number[]): number {
  for (let at = bytes.length - 4; at >= 0; at--)
    if (signature.every((byte, i) => bytes[at + i] === byte)) return at;
  throw new Error('no such record');
}

describe('crc32', () => {
  test('gives the published check value, at every length modulo 4', () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
    expect([1, 2, 3].map((length) => crc32(text('abc').subarray(0, length)))).toEqual([
      0xe8b7be43, 0x9e83486d, 0x352441c2,
    ]);
  });
});

describe('readZip', () => {
  const layouts: ZipOptions[] = [];
  for (const deflate of [false, true]) {
    for (const descriptors of [false, true])
      for (const zip64 of [false, true]) layouts.push({ deflate, descriptors, zip64 });
  }

  test.each(layouts)('reads files, without folders: %j', async (layout) => {
    const bytes = writeZip(FILES, layout);
    expect(isZip(bytes)).toBe(true);
    const files = await readZip(bytes);
    expect([...files.keys()]).toEqual(['a.txt', 'folder/\u00e9.bin', 'empty']);
    for (const [name, file] of files)
      expect(Array.from(file), name).toEqual(Array.from(FILES.find(([key]) => key === name)![1]));
    // At an odd address, in a larger buffer.
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(await readZip(moved.subarray(3))).toEqual(files);
  });

  test('a comment after the end record is no harm', async () => {
    const bytes = writeZip(FILES);
    const commented = patched(new Uint8Array([...bytes, 1, 2, 3]), [-5, 3]);
    expect((await readZip(commented)).size).toBe(3);
    await expect(readZip(new Uint8Array([...bytes, 1, 2, 3]))).rejects.toThrow(/end-of-central-directory/);
  });

  const plain = writeZip(FILES.slice(0, 1));
  const described = writeZip(FILES.slice(0, 1), { descriptors: true });
  const wide = writeZip(FILES.slice(0, 1), { zip64: true });
  const central = findLast(plain, 0x50, 0x4b, 1, 2);
  const wideCentral = findLast(wide, 0x50, 0x4b, 1, 2);
  const cases: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /end-of-central-directory record, got none/],
    ['a file cut short', plain.subarray(0, -1), /end-of-central-directory/],
    ['a file with bytes before it', new Uint8Array([0, ...plain]), /something was put before it/],
    [
      'an encrypted entry',
      patched(plain, [central + 8, 1], [6, 1]),
      /"a\.txt": expected an entry that is not encrypted/,
    ],
    ['unknown flags', patched(plain, [central + 8, 32], [6, 32]), /flags/],
    ['another method', patched(plain, [central + 10, 12], [8, 12]), /method 12/],
    ['another disk', patched(plain, [central + 34, 1]), /one of several/],
    ['a directory of more entries', patched(plain, [-14, 2], [-12, 2]), /expected a header, got none/],
    ['counts that differ', patched(plain, [-14, 2]), /one of several/],
    ['a changed byte', patched(plain, [40, 0]), /expected the checksum/],
    [
      'another checksum in the local header',
      patched(plain, [14, 0]),
      /local header: expected checksum and sizes/,
    ],
    ['another name in the local header', patched(plain, [30, 98]), /name, flags and method of the directory/],
    [
      'another size in the directory',
      patched(plain, [central + 24, 1]),
      /expected 26 bytes to hold the entry, which is 1/,
    ],
    ['a local header elsewhere', patched(plain, [central + 42, 1]), /expected one at 1, got none/],
    [
      'a wrong descriptor',
      patched(described, [findLast(described, 0x50, 0x4b, 7, 8) + 4, 0]),
      /data descriptor/,
    ],
    ['a zip64 record elsewhere', patched(wide, [-34, 1]), /expected a zip64 record/],
    ['a zip64 size of 2^56', patched(wide, [wideCentral + 46 + 5 + 4 + 7, 1]), /below 2\^53/],
    ['a zip64 field missing', patched(wide, [wideCentral + 46 + 5, 2]), /expected a zip64 field/],
    ['an end record against its zip64 record', patched(wide, [-14, 5]), /agree with the zip64 record/],
    ['a name twice', writeZip([FILES[0]!, FILES[0]!]), /"a\.txt" twice/],
    ['a name that is not UTF-8', patched(plain, [central + 46, 255], [30, 255]), /UTF-8/],
  ];

  test.each(cases)('refuses %s', async (_, bytes, message) => {
    await expect(readZip(bytes, 'x.zip')).rejects.toThrow(FormatError);
    await expect(readZip(bytes, 'x.zip')).rejects.toThrow(message);
    await expect(readZip(bytes, 'x.zip')).rejects.toThrow(/^readZip: x\.zip: /);
  });

  test('refuses entries that overlap', async () => {
    const two = writeZip([
      ['a', text('same')],
      ['b', text('same')],
    ]);
    const second = findLast(two, 0x50, 0x4b, 1, 2);
    await expect(readZip(patched(two, [second + 42, 0]))).rejects.toThrow(
      /expected it after the entry before/,
    );
  });

  test('refuses sizes that deflate cannot reach, more than allowed, and other than stated', async () => {
    const bomb = writeZip([['zeros', new Uint8Array(100000)]], { deflate: true });
    expect((await readZip(bomb)).get('zeros')!.length).toBe(100000);
    await expect(readZip(bomb, 'x', { maxInflatedBytes: 99999 })).rejects.toThrow(
      /at most 99999 bytes inflated, got 100000/,
    );
    const at = findLast(bomb, 0x50, 0x4b, 1, 2);
    await expect(readZip(patched(bomb, [at + 27, 127], [25, 127]))).rejects.toThrow(/to hold the entry/);
    await expect(readZip(patched(bomb, [at + 24, 0], [22, 0]))).rejects.toThrow(
      /expected 99840 bytes, .*got more/,
    );
    await expect(readZip(patched(bomb, [at + 24, 255], [22, 255]))).rejects.toThrow(
      /expected 100095 bytes, .*got 100000/,
    );
    await expect(readZip(patched(bomb, [35, 255]))).rejects.toThrow(/does not inflate/);
  });
});
