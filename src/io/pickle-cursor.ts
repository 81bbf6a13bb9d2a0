/** The bytes of a pickle, read from front to back: lengths, numbers and texts, each checked against what is left. */

import { FormatError } from '../base/errors.ts';

const MAX_INTEGER_BYTES = 64;
const UTF_8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads on; every method throws a FormatError where the bytes end too early or are not what they should be. */
export class PickleCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  #at: number;
  #operationAt: number;

  /** @param where Starts the message of an error: function and file. */
  constructor(bytes: Uint8Array, start: number, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#where = where;
    this.#at = start;
    this.#operationAt = start;
  }

  /** Where the next byte is read. */
  get position(): number {
    return this.#at;
  }

  /** The next operation; errors name its position until the next one. */
  operation(): number {
    this.#operationAt = this.#at;
    return this.byte();
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** The length of a frame, which must lie within the file. */
  frame(): void {
    const length = this.uint64();
    const start = this.#at;
    this.#take(length);
    this.#at = start;
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Capped at 2^53 - 1. */
  uint64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    // Every length that does not fit a number does not fit the file either.
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }

  /** A signed integer of so many bytes; a bigint beyond 2^53. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES)
      throw this.error(`integers of at most ${MAX_INTEGER_BYTES} bytes`, `${length}`);
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!);
    const signed = BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  /** A copy of bytes. */
  content(length: number): Uint8Array {
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  text(length: number): string {
    const start = this.#take(length);
    try {
      return UTF_8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.error('texts in UTF-8', 'other bytes');
    }
  }

  /** A text that ends with a line feed. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw this.error('a name and a line feed', 'the end of the file');
    const text = this.text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  /** Moves past `length` bytes. @returns where they start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start)
      throw this.error(`${length} more bytes`, `${this.#bytes.length - start}`);
    this.#at = start + length;
    return start;
  }

  /** An error at the operation at work. */
  error(expected: string, got: string): FormatError {
    return new FormatError(
      `${this.#where}: pickle: expected ${expected}, got ${got} (byte ${this.#operationAt}). ` +
        'Save only the state dict: torch.save(model.state_dict(), path).',
    );
  }
}
