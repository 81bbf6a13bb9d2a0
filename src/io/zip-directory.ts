/** The records of a zip archive: the central directory and what it says of each entry; `zip.ts` reads the entries themselves. */

import type { FormatError } from '../base/errors.ts';
import { MAX_DEFLATE_RATIO } from './inflate.ts';

/** First four bytes of each record, little-endian. */
export const SIGNATURE = {
  local: 0x04034b50,
  descriptor: 0x08074b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
/** How an entry is packed. */
export const METHOD = { stored: 0, deflated: 8 };
/** Bits of the general-purpose flags. Known are: sizes follow the data; names are UTF-8; how hard deflate tried. */
export const FLAG = { encrypted: 1, descriptor: 8, known: 8 | 0x800 | 2 | 4 };
const ZIP64_FIELD = 1;
/** A 32-bit or 16-bit field that says "see the zip64 field". */
const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;

/** What the central directory says of a file. */
export interface ZipEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Where the local header starts. */
  readonly offset: number;
}

/** Makes the error of a problem, naming function and file. */
export type Fail = (problem: string, cause?: unknown) => FormatError;

/** Where the central directory lies and how many entries it has. */
export function findDirectory(view: DataView, fail: Fail): { start: number; end: number; count: number } {
  let at = view.byteLength - 22;
  // A comment of up to 65,535 bytes may follow; the record counts only where its length is exactly right.
  const first = Math.max(0, at - MAX_16);
  while (at >= first && !isEnd(view, at)) at--;
  if (at < first) {
    throw fail(
      'expected an end-of-central-directory record, got none. The file is cut short or no zip file; fetch it anew.',
    );
  }
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const counts = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  let record = at;
  let size = view.getUint32(at + 12, true);
  let start = view.getUint32(at + 16, true);
  let count = counts[0]!;
  if (at >= 20 && view.getUint32(at - 20, true) === SIGNATURE.locator64) {
    record = readSize(view, at - 12, fail);
    const tail = at - 20 - record;
    if (
      tail < 56 ||
      view.getUint32(record, true) !== SIGNATURE.end64 ||
      tail !== 12 + readSize(view, record + 4, fail)
    ) {
      throw fail(
        `expected a zip64 record at ${record}, right before its locator, got other bytes. Fetch it anew.`,
      );
    }
    disks.push(view.getUint32(record + 16, true), view.getUint32(record + 20, true));
    const [short, wide] = [
      [counts[0]!, counts[1]!, size, start],
      [24, 32, 40, 48].map((field) => readSize(view, record + field, fail)),
    ];
    short.forEach((value, i) => {
      if (value !== wide[i]! && value !== (i < 2 ? MAX_16 : MAX_32)) {
        throw fail(
          `expected the end record to agree with the zip64 record, got ${value} and ${wide[i]}. Fetch it anew.`,
        );
      }
    });
    [count, counts[1], size, start] = wide as [number, number, number, number];
    counts[0] = count;
  }
  if (disks.some((disk) => disk !== 0) || counts[0] !== counts[1]) {
    throw fail('expected an archive in one part, got one of several. Join the parts first.');
  }
  if (start + size !== record) {
    throw fail(
      `expected a central directory that ends where the end record starts, at ${record}, got one at ${start} of ${size} bytes. ` +
        'The file is cut short or something was put before it; fetch it anew.',
    );
  }
  return { start, end: record, count };
}

function isEnd(view: DataView, at: number): boolean {
  return (
    view.getUint32(at, true) === SIGNATURE.end && at + 22 + view.getUint16(at + 20, true) === view.byteLength
  );
}

export function parseDirectory(
  bytes: Uint8Array,
  view: DataView,
  { start, end, count }: { start: number; end: number; count: number },
  failFile: Fail,
): ZipEntry[] {
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = start;
  for (let i = 0; i < count; i++) {
    const fail: Fail = (problem) => failFile(`entry ${i} of the directory: ${problem} Fetch the file anew.`);
    if (at + 46 > end || view.getUint32(at, true) !== SIGNATURE.central)
      throw fail('expected a header, got none.');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    );
    const extraStart = at + 46 + nameLength!;
    const next = extraStart + extraLength! + commentLength!;
    if (next > end) throw fail(`expected a header within the directory, got one that ends at ${next}.`);
    const name = decodeName(bytes.subarray(at + 46, extraStart), fail);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const [packed32, size32, disk, offset32] = [
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
      view.getUint16(at + 34, true),
      view.getUint32(at + 42, true),
    ];
    const wide = zip64Values(view, extraStart, extraLength!, [size32, packed32, offset32], fail);
    const [size, packed, offset] = wide as [number, number, number];
    const entry = { name, flags, method, crc: view.getUint32(at + 16, true), packed, size, offset };
    checkEntry(entry, disk, (problem) => failFile(`${JSON.stringify(name)}: ${problem}`));
    if (names.has(name)) throw fail(`expected each name once, got ${JSON.stringify(name)} twice.`);
    names.add(name);
    // A folder is an entry of its own, without content.
    if (!name.endsWith('/') || size > 0) entries.push(entry);
    at = next;
  }
  if (at !== end) {
    throw failFile(
      `expected ${count} entries in the directory, got ${end - at} bytes after them. Fetch the file anew.`,
    );
  }
  return entries;
}

function checkEntry({ flags, method, packed, size }: ZipEntry, disk: number, fail: Fail): void {
  if (flags & FLAG.encrypted) throw fail('expected an entry that is not encrypted. Decrypt it first.');
  if (flags & ~FLAG.known)
    throw fail(`expected no flags but 2, 4, 8 and 2048, got ${flags}. Write the archive anew.`);
  if (method !== METHOD.stored && method !== METHOD.deflated) {
    throw fail(`expected a stored (0) or deflated (8) entry, got method ${method}. Write the archive anew.`);
  }
  if (disk !== 0) throw fail('expected an archive in one part, got one of several. Join the parts first.');
  if (method === METHOD.stored ? size !== packed : size > MAX_DEFLATE_RATIO * packed) {
    throw fail(
      `expected ${packed} bytes to hold the entry, which is ${size} bytes. The file is damaged; fetch it anew.`,
    );
  }
}

/** The values of 32-bit fields, those that are all ones taken from the zip64 extra field, in the format's order. */
export function zip64Values(
  view: DataView,
  start: number,
  length: number,
  fields: readonly number[],
  fail: Fail,
): number[] {
  const wanted = fields.filter((value) => value === MAX_32).length;
  if (wanted === 0) return [...fields];
  const end = start + length;
  let at = start;
  while (at + 4 <= end && view.getUint16(at, true) !== ZIP64_FIELD) at += 4 + view.getUint16(at + 2, true);
  if (at + 4 + 8 * wanted > end || view.getUint16(at + 2, true) < 8 * wanted) {
    throw fail('expected a zip64 field with the sizes that do not fit 32 bits, got none.');
  }
  at += 4;
  return fields.map((value) => {
    if (value !== MAX_32) return value;
    at += 8;
    return readSize(view, at - 8, fail);
  });
}

/** A 64-bit size or offset that must be an exact number. */
function readSize(view: DataView, at: number, fail: Fail): number {
  const value = at + 8 <= view.byteLength ? view.getBigUint64(at, true) : 1n << 63n;
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw fail('expected a 64-bit size below 2^53, got a larger one.');
  return Number(value);
}

export function decodeName(bytes: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail('expected a name in UTF-8, got other bytes.');
  }
}
