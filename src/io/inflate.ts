/** Inflating to a size that is known before: the platform's DecompressionStream, the same path in Node and browsers. */

import { FormatError } from '../base/errors.ts';

/** Deflate cannot shrink by more than this factor, so a larger stated size is a lie. */
export const MAX_DEFLATE_RATIO = 1032;

/**
 * Inflates to exactly `size` bytes, and never holds more than that.
 * @param format `gzip` for one gzip member, `deflate-raw` for the data of a zip entry.
 * @param stated Says in a message where `size` comes from, such as `as the last 4 bytes of the file state`.
 * @param fail Makes the error of a problem, naming function and file.
 * @throws what `fail` makes, when the data do not inflate or have another size.
 */
export async function inflate(
  bytes: Uint8Array,
  format: 'gzip' | 'deflate-raw',
  size: number,
  stated: string,
  fail: (problem: string, cause?: unknown) => FormatError,
): Promise<Uint8Array<ArrayBuffer>> {
  const damaged = 'The file is cut short or damaged; fetch it anew.';
  const inflated = new Uint8Array(size);
  let position = 0;
  const stream = new DecompressionStream(format);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  // Failures arrive through the reader; without a handler here they would also count as unhandled.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => {});
  writer.close().catch(() => {});
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      if (position + value.length > size) {
        throw fail(`expected ${size} bytes, ${stated}, got more. ${damaged}`);
      }
      inflated.set(value, position);
      position += value.length;
    }
  } catch (cause) {
    reader.cancel().catch(() => {});
    if (cause instanceof FormatError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const what = format === 'gzip' ? 'one gzip member' : 'deflated data';
    throw fail(`expected ${what}, got data that does not inflate (${reason}). ${damaged}`, cause);
  }
  if (position !== size) throw fail(`expected ${size} bytes, ${stated}, got ${position}. ${damaged}`);
  return inflated;
}
