/** Writes zip archives for tests, as NumPy (sizes in the header) or PyTorch (sizes after the data, zip64 records) does. */
import { deflateRawSync } from 'node:zlib';
import { crc32 } from '../../src/io/crc32.ts';

export interface ZipOptions {
  readonly deflate?: boolean;
  /** Zeros in local headers and data descriptors after the data. */
  readonly descriptors?: boolean;
  /** Zip64 end records; sizes and offsets of entries in zip64 fields as well. */
  readonly zip64?: boolean;
}

export function writeZip(
  files: Iterable<readonly [string, Uint8Array]>,
  options: ZipOptions = {},
): Uint8Array {
  const { deflate = false, descriptors = false, zip64 = false } = options;
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  let count = 0;
  const put = (part: Uint8Array) => {
    parts.push(part);
    at += part.length;
  };
  for (const [name, file] of files) {
    const nameBytes = new TextEncoder().encode(name);
    const data = deflate ? new Uint8Array(deflateRawSync(file)) : file;
    const crc = crc32(file);
    const flags = 0x800 | (descriptors ? 8 : 0);
    const offset = at;
    const wide = (values: number[]) =>
      record([1, 2], [8 * values.length, 2], ...values.map((v): [number, number] => [v, 8]));
    const sizes = zip64 ? [0xffffffff, 0xffffffff] : [data.length, file.length];
    const localExtra = zip64 && !descriptors ? wide([file.length, data.length]) : new Uint8Array(0);
    const local = descriptors ? [0, 0, 0] : [crc, ...sizes];
    put(
      record(
        [0x04034b50, 4],
        [45, 2],
        [flags, 2],
        [deflate ? 8 : 0, 2],
        [0, 4],
        ...words(local),
        [nameBytes.length, 2],
        [localExtra.length, 2],
      ),
    );
    put(nameBytes);
    put(localExtra);
    put(data);
    if (descriptors)
      put(record([0x08074b50, 4], [crc, 4], [data.length, zip64 ? 8 : 4], [file.length, zip64 ? 8 : 4]));
    const extra = zip64 ? wide([file.length, data.length, offset]) : new Uint8Array(0);
    directory.push(
      record(
        ...([
          [0x02014b50, 4],
          [45, 2],
          [45, 2],
          [flags, 2],
          [deflate ? 8 : 0, 2],
          [0, 4],
        ] as [number, number][]),
        ...words([crc, ...sizes]),
        ...([
          [nameBytes.length, 2],
          [extra.length, 2],
          [0, 2],
          [0, 2],
          [0, 2],
          [0, 4],
        ] as [number, number][]),
        [zip64 ? 0xffffffff : offset, 4],
      ),
      nameBytes,
      extra,
    );
    count++;
  }
  const start = at;
  directory.forEach(put);
  const size = at - start;
  if (zip64) {
    const record64 = at;
    put(
      record(
        [0x06064b50, 4],
        [44, 8],
        [45, 2],
        [45, 2],
        [0, 4],
        [0, 4],
        [count, 8],
        [count, 8],
        [size, 8],
        [start, 8],
      ),
    );
    put(record([0x07064b50, 4], [0, 4], [record64, 8], [1, 4]));
  }
  put(record([0x06054b50, 4], [0, 4], [count, 2], [count, 2], [size, 4], [start, 4], [0, 2]));
  return joinBytes(parts);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const words = (values: readonly number[]) => values.map((value): [number, number] => [value, 4]);

/** Little-endian fields of [value, bytes]. */
export function record(...fields: readonly (readonly [number, number])[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([value, width]) =>
      Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) % 256),
    ),
  );
}
