/**
 * Zip archives (PKWARE APPNOTE 6.3) of whole files in memory, as NumPy and PyTorch write them: stored or deflated, with data
 * descriptors and the zip64 records. Strict: what the central directory says must agree with the local headers, entries may
 * not overlap, every checksum is computed. Not read: encryption, several disks, other methods.
 */

import { FormatError } from '../base/errors.ts';
import { crc32 } from './crc32.ts';
import { inflate } from './inflate.ts';
import {
  decodeName,
  type Fail,
  FLAG,
  findDirectory,
  METHOD,
  parseDirectory,
  SIGNATURE,
  type ZipEntry,
  zip64Values,
} from './zip-directory.ts';

/** Options of `readZip`. */
export interface ReadZipOptions {
  /** Largest inflated size of all deflated entries together that is accepted. Default: 2 GiB. */
  readonly maxInflatedBytes?: number;
}

/** Whether the bytes start as a zip file with at least one entry does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * Reads all files of an archive by name, in the order of the central directory. Stored files are views of `bytes`.
 * @param label What messages call the archive.
 * @throws FormatError naming archive and entry, for every departure from the format and for what is not read.
 */
export async function readZip(
  bytes: Uint8Array,
  label = 'zip file',
  options: ReadZipOptions = {},
): Promise<Map<string, Uint8Array>> {
  const { maxInflatedBytes = 2147483648 } = options;
  const fail: Fail = (problem, cause) =>
    new FormatError(`readZip: ${label}: ${problem}`, cause === undefined ? undefined : { cause });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const directory = findDirectory(view, fail);
  const entries = parseDirectory(bytes, view, directory, fail);
  const inflated = entries
    .filter(({ method }) => method === METHOD.deflated)
    .reduce((sum, { size }) => sum + size, 0);
  if (inflated > maxInflatedBytes) {
    throw fail(
      `expected at most ${maxInflatedBytes} bytes inflated, got ${inflated}. Raise the limit or store the files without deflating.`,
    );
  }
  const files = new Map<string, Uint8Array>();
  const starts = locateData(bytes, view, entries, directory.start, fail);
  for (const entry of entries) {
    const failEntry: Fail = (problem, cause) => fail(`${JSON.stringify(entry.name)}: ${problem}`, cause);
    const start = starts.get(entry)!;
    const packed = bytes.subarray(start, start + entry.packed);
    const file =
      entry.method === METHOD.stored
        ? packed
        : await inflate(packed, 'deflate-raw', entry.size, 'as the directory states', failEntry);
    const crc = crc32(file);
    if (crc !== entry.crc) {
      throw failEntry(
        `expected the checksum ${entry.crc.toString(16)}, got ${crc.toString(16)}. The file is damaged (or was saved ` +
          'with checksums turned off); fetch or save it anew.',
      );
    }
    files.set(entry.name, file);
  }
  return files;
}

/** Checks local headers and data descriptors against the directory. @returns where the data of each entry start. */
function locateData(
  bytes: Uint8Array,
  view: DataView,
  entries: readonly ZipEntry[],
  directoryStart: number,
  failFile: Fail,
): Map<ZipEntry, number> {
  const starts = new Map<ZipEntry, number>();
  let covered = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const { name, flags, method, crc, packed, size, offset } = entry;
    const fail: Fail = (problem) =>
      failFile(`${JSON.stringify(name)}: local header: ${problem} The file is damaged; fetch it anew.`);
    if (offset < covered)
      throw fail(`expected it after the entry before, at ${covered} or later, got ${offset}.`);
    if (offset + 30 > directoryStart || view.getUint32(offset, true) !== SIGNATURE.local) {
      throw fail(`expected one at ${offset}, got none.`);
    }
    const extraStart = offset + 30 + view.getUint16(offset + 26, true);
    const extraLength = view.getUint16(offset + 28, true);
    const start = extraStart + extraLength;
    if (start + packed > directoryStart)
      throw fail(`expected data before ${directoryStart}, got ${start} + ${packed}.`);
    const local = [view.getUint16(offset + 6, true), view.getUint16(offset + 8, true)];
    if (
      local[0] !== flags ||
      local[1] !== method ||
      decodeName(bytes.subarray(offset + 30, extraStart), fail) !== name
    ) {
      throw fail('expected name, flags and method of the directory, got others.');
    }
    const stated = [view.getUint32(offset + 14, true)].concat(
      zip64Values(
        view,
        extraStart,
        extraLength,
        [view.getUint32(offset + 22, true), view.getUint32(offset + 18, true)],
        fail,
      ),
    );
    const agrees = stated[0] === crc && stated[1] === size && stated[2] === packed;
    // Where a descriptor follows, the header may hold zeros.
    const deferred = (flags & FLAG.descriptor) !== 0 && stated.every((value) => value === 0);
    if (!agrees && !deferred) throw fail('expected checksum and sizes of the directory, got others.');
    const end = start + packed;
    const descriptor = flags & FLAG.descriptor ? descriptorBytes(view, end, directoryStart, entry) : 0;
    if (descriptor === undefined)
      throw fail(`expected a data descriptor that agrees with the directory, got another.`);
    covered = end + descriptor;
    starts.set(entry, start);
  }
  return starts;
}

/** Length of the data descriptor at `at`: with or without signature, sizes of 4 or 8 bytes; undefined where none agrees. */
function descriptorBytes(view: DataView, at: number, end: number, entry: ZipEntry): number | undefined {
  const { crc, packed, size } = entry;
  for (const signed of [4, 0]) {
    for (const width of [4, 8]) {
      const length = signed + 4 + 2 * width;
      if (at + length > end || (signed && view.getUint32(at, true) !== SIGNATURE.descriptor)) continue;
      const sizeAt = (field: number) => {
        const low = view.getUint32(at + signed + 4 + field * width, true);
        return width === 4 ? low : low + 4294967296 * view.getUint32(at + signed + 8 + field * width, true);
      };
      if (view.getUint32(at + signed, true) === crc && sizeAt(0) === packed && sizeAt(1) === size)
        return length;
    }
  }
  return undefined;
}
