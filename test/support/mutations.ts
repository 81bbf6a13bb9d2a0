/** Seeded damage to files: the same mutants in every run. */
import { RandomStream } from '../../src/base/random.ts';
import { joinBytes } from './zip-writer.ts';

/** Values that lengths, counts and offsets like to lie with. */
const LIES = [
  0,
  1,
  2,
  3,
  127,
  128,
  255,
  256,
  32768,
  65535,
  65536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 53 - 1,
  2 ** 53,
];

export class Mutator {
  readonly #stream: RandomStream;
  #next = 0;

  constructor(purpose: string) {
    this.#stream = new RandomStream(20260, purpose);
  }

  /** An integer 0 .. bound - 1. */
  below(bound: number): number {
    return bound < 1 ? 0 : this.#stream.uint32(this.#next++) % bound;
  }

  /** A copy with one to three wounds of random kinds; never equal to the original. */
  mutate(original: Uint8Array): Uint8Array {
    while (true) {
      let bytes: Uint8Array = original.slice();
      for (let wound = this.below(3); wound >= 0; wound--) bytes = this.#wound(bytes);
      if (bytes.length !== original.length || bytes.some((byte, i) => byte !== original[i])) return bytes;
    }
  }

  #wound(bytes: Uint8Array): Uint8Array {
    const [a, b] = [this.below(bytes.length), this.below(bytes.length)];
    const [start, end] = a < b ? [a, b] : [b, a];
    const length = Math.min(end - start, 40);
    switch (this.below(8)) {
      case 0: // a bit
        if (bytes.length > 0) bytes[a]! ^= 1 << this.below(8);
        return bytes;
      case 1: // a byte
        if (bytes.length > 0) bytes[a] = this.below(256);
        return bytes;
      case 2: // cut short
        return bytes.slice(0, a);
      case 3: // a piece missing
        return joinBytes([bytes.subarray(0, start), bytes.subarray(start + length)]);
      case 4: // a piece twice
        return joinBytes([bytes.subarray(0, start + length), bytes.subarray(start)]);
      case 5: // a piece from elsewhere
        bytes.copyWithin(a, b, b + 1 + this.below(16));
        return bytes;
      case 6: // a length that lies: 1, 2, 4 or 8 bytes, either byte order
        return this.#lie(bytes, a);
      default: // another digit, where there is one
        return this.#digit(bytes, a);
    }
  }

  #lie(bytes: Uint8Array, at: number): Uint8Array {
    const width = [1, 2, 4, 8][this.below(4)]!;
    const value = LIES[this.below(LIES.length)]!;
    const bigEndian = this.below(2) === 1;
    for (let i = 0; i < width; i++) {
      const byte = Math.floor(value / 256 ** (bigEndian ? width - 1 - i : i)) % 256;
      if (at + i < bytes.length) bytes[at + i] = byte;
    }
    return bytes;
  }

  #digit(bytes: Uint8Array, from: number): Uint8Array {
    const at = bytes.findIndex((byte, i) => i >= from && byte >= 48 && byte <= 57);
    if (at >= 0) bytes[at] = 48 + this.below(10);
    return bytes;
  }
}
