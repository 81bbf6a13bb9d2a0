/** Writes npy files with any header, right or wrong. */
import { joinBytes, record } from './zip-writer.ts';

export function npy(header: string, values: Uint8Array, version = 1): Uint8Array {
  const text = new TextEncoder().encode(`${header}\n`);
  return joinBytes([
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0),
    record([text.length, version === 1 ? 2 : 4]),
    text,
    values,
  ]);
}
