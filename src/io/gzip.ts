/** Gzip files (RFC 1952) of one member, inflated by the platform's DecompressionStream: the same path in Node and browsers. */

import { FormatError } from '../base/errors.ts';
import { inflate, MAX_DEFLATE_RATIO } from './inflate.ts';

const HEADER_AND_TRAILER_BYTES = 18;

/** Whether the bytes start as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Inflates a gzip file; bytes that are not gzip come back as they are (no copy).
 * @param label What messages call the file.
 * @param maxBytes Largest inflated size that is accepted, 1 GiB unless given.
 * @throws FormatError when the file is cut short, damaged, followed by other bytes, made of several members, or larger than
 * `maxBytes` inflated.
 */
export async function gunzip(
  bytes: Uint8Array,
  label = 'gzip file',
  maxBytes = 1073741824,
): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes;
  const fail = (problem: string, cause?: unknown) =>
    new FormatError(`gunzip: ${label}: ${problem}`, cause === undefined ? undefined : { cause });
  const damaged = 'The file is cut short or damaged; fetch it anew.';
  if (bytes.length < HEADER_AND_TRAILER_BYTES) {
    throw fail(`expected at least ${HEADER_AND_TRAILER_BYTES} bytes, got ${bytes.length}. ${damaged}`);
  }
  // The last four bytes state the inflated size. Where other bytes follow the member, they state something else.
  const stated = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4, true);
  if (stated > MAX_DEFLATE_RATIO * bytes.length) {
    throw fail(
      `expected a size of at most ${MAX_DEFLATE_RATIO} times the file in its last 4 bytes, got ${stated}. ${damaged}`,
    );
  }
  if (stated > maxBytes) {
    throw fail(
      `expected at most ${maxBytes} bytes inflated, got ${stated}. Raise the limit or split the file.`,
    );
  }
  return inflate(bytes, 'gzip', stated, 'as the last 4 bytes of the file state', fail);
}
