import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { gunzip, isGzip } from '../../../src/io/gzip.ts';

const DATA = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7);
const FILE = new Uint8Array(gzipSync(DATA));

function joined(...parts: (Uint8Array | number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

function changed(position: number): Uint8Array {
  return FILE.map((byte, i) => (i === (position + FILE.length) % FILE.length ? byte ^ 0x55 : byte));
}

describe('gunzip', () => {
  test('inflates what gzip deflated, and passes other bytes through', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (data) => {
        expect(await gunzip(gzipSync(data))).toEqual(data);
      }),
    );
    expect(await gunzip(FILE)).toEqual(DATA);
    const plain = Uint8Array.of(0, 0, 8, 3);
    expect(await gunzip(plain)).toBe(plain);
  });

  test.each([
    ['two bytes', FILE.subarray(0, 2)],
    ['a cut before the trailer', FILE.subarray(0, FILE.length - 8)],
    ['a cut within the trailer', FILE.subarray(0, FILE.length - 3)],
    ['a cut in the middle', FILE.subarray(0, FILE.length >> 1)],
    ['a changed byte in the middle', changed(FILE.length >> 1)],
    ['a changed checksum', changed(-8)],
    ['a changed size', changed(-4)],
    ['an unknown method', changed(2)],
    ['bytes after the end', joined(FILE, [1, 2, 3, 4, 5])],
    ['zeros after the end', joined(FILE, [0, 0, 0])],
    ['a second member', joined(FILE, FILE)],
  ])('refuses %s, naming the file', async (_, bytes) => {
    await expect(gunzip(bytes, 'train.gz')).rejects.toThrow(FormatError);
    await expect(gunzip(bytes, 'train.gz')).rejects.toThrow(/^gunzip: train\.gz: expected .*(fetch|split)/);
  });

  test('refuses files that inflate beyond the bound, before inflating', async () => {
    await expect(gunzip(FILE, 'big.gz', DATA.length - 1)).rejects.toThrow(
      /at most 299999 bytes inflated, got 300000/,
    );
    expect((await gunzip(FILE, 'big.gz', DATA.length)).length).toBe(DATA.length);
  });

  test('a file that states less than it holds is stopped there', async () => {
    const zeros = new Uint8Array(gzipSync(new Uint8Array(10_000_000)));
    new DataView(zeros.buffer).setUint32(zeros.length - 4, 1000, true);
    await expect(gunzip(zeros)).rejects.toThrow(/expected 1000 bytes/);
  });

  test('1,000 damaged files end in a FormatError or the right bytes, or are gzip no more', async () => {
    const small = new Uint8Array(gzipSync(DATA.subarray(0, 2000)));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(small.length - 1),
        fc.nat(255),
        fc.nat(small.length),
        async (at, value, cut) => {
          const bytes = new Uint8Array(small.subarray(0, cut % 3 === 0 ? cut : small.length));
          if (at < bytes.length) bytes[at] = value;
          const result = await gunzip(bytes).catch((error) => error);
          if (!isGzip(bytes)) expect(result).toBe(bytes);
          else if (result instanceof Uint8Array) expect(result).toEqual(DATA.subarray(0, 2000));
          else expect(result).toBeInstanceOf(FormatError);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
