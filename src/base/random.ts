/**
 * Counter-based random numbers: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3", SC 2011). The n-th number is a pure function of (key, n), so any element can be made anywhere, in
 * any order, on the host or on the GPU, with the same bits.
 *
 * Layout, which the WGSL twin follows:
 * - A stream is a key of two 32-bit words, `stream.key0` and `stream.key1`.
 * - Word `i` of a stream is word `i & 1` of threefry2x32(key, counter), counter = [low 32 bits of i >> 1, the bits above].
 * - Uniform `i` is `(word i >>> 8) * 2^-24`: exact in float32, 0 <= u < 1.
 * - A key is made by absorbing: first the seed, then the purpose. The counters used to absorb have their highest bit
 *   set, those of elements never do, so a derived key never equals an element of its parent.
 */

import { OptionError } from './errors.ts';
import { cos, log, sin } from './portable.ts';

const TWO_POW_32 = 4294967296;
const TWO_POW_MINUS_24 = 1 / 16777216;
const TWO_POW_MINUS_32 = 1 / TWO_POW_32;
const TWO_PI = 6.283185307179586;

/** Words of the second counter while a key absorbs: a character at a position, the end of a text, a number. */
const ABSORB_CHARACTER = 0x80000000;
const ABSORB_END = 0xa0000000;
const ABSORB_NUMBER = 0xc0000000;

/**
 * One block: encrypts the counter under the key and writes the two 32-bit words to `out[0]` and `out[1]`.
 * All four inputs are taken modulo 2^32. Allocates nothing.
 */
export function threefry2x32(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Uint32Array,
): void {
  const k0 = key0 | 0;
  const k1 = key1 | 0;
  const k2 = 0x1bd11bda ^ k0 ^ k1;
  let a = (counter0 + k0) | 0;
  let b = (counter1 + k1) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 1) | 0;
  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k2) | 0;
  b = (b + k0 + 2) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k0) | 0;
  b = (b + k1 + 3) | 0;
  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 4) | 0;
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  out[0] = a + k2;
  out[1] = b + k0 + 5;
}

/**
 * An endless stream of random words, fixed by a seed and a purpose. A stream has no position: element `i` is always the
 * same. Two uses of one stream therefore see the same numbers; give each use its own with `derive`.
 */
export class RandomStream {
  /** The key, two words in 0 .. 2^32 - 1: all that the WGSL twin needs. */
  readonly key0: number;
  /** The second half of the key. */
  readonly key1: number;
  readonly #block = new Uint32Array(2);
  /** Which counter `#block` holds, so that neighbours cost one block. */
  #blockPair = -1;

  /**
   * @param seed An integer, 0 .. 2^53 - 1 as a number or 0 .. 2^64 - 1 as a bigint. Equal values give equal streams.
   * @param purpose What the numbers are for: a text, or an integer 0 .. 2^53 - 1. Different purposes give independent streams.
   * @throws OptionError when either is out of range.
   */
  constructor(seed: number | bigint, purpose: string | number) {
    const key = seedKey(seed);
    absorb(key, purpose);
    this.key0 = key[0]!;
    this.key1 = key[1]!;
  }

  /** A stream independent of this one and of those derived for other purposes. `a.derive(x)` is a pure function of both. */
  derive(purpose: string | number): RandomStream {
    return new RandomStream((BigInt(this.key1) << 32n) | BigInt(this.key0), purpose);
  }

  /** Word `index` (0 .. 2^53 - 1), an integer 0 .. 2^32 - 1. */
  uint32(index: number): number {
    const pair = Math.floor(index / 2);
    if (pair !== this.#blockPair) {
      threefry2x32(this.key0, this.key1, pair % TWO_POW_32, Math.floor(pair / TWO_POW_32), this.#block);
      this.#blockPair = pair;
    }
    return this.#block[index % 2]!;
  }

  /** Uniform `index` in [0, 1): the upper 24 bits of the word times 2^-24, exact in float32. */
  uniform(index: number): number {
    return (this.uint32(index) >>> 8) * TWO_POW_MINUS_24;
  }

  /** Fills `out` with words 0, 1, 2, ... */
  fillUint32(out: Uint32Array): void {
    const block = this.#block;
    this.#blockPair = -1;
    for (let i = 0; i < out.length; i += 2) {
      threefry2x32(this.key0, this.key1, i / 2, 0, block);
      out[i] = block[0]!;
      if (i + 1 < out.length) out[i + 1] = block[1]!;
    }
  }

  /**
   * Fills `out` with `low + (high - low) * uniform(i)`, computed in float64 and rounded once to the type of `out`. With the
   * default range, and whenever `high - low` is a power of two and `low` 0 or -(high - low) / 2, nothing is rounded and f32
   * arithmetic gives the same bits. In other ranges rounding may reach `high` itself.
   */
  fillUniform(out: Float32Array | Float64Array, low = 0, high = 1): void {
    const block = this.#block;
    const width = high - low;
    this.#blockPair = -1;
    for (let i = 0; i < out.length; i += 2) {
      threefry2x32(this.key0, this.key1, i / 2, 0, block);
      out[i] = low + width * ((block[0]! >>> 8) * TWO_POW_MINUS_24);
      if (i + 1 < out.length) out[i + 1] = low + width * ((block[1]! >>> 8) * TWO_POW_MINUS_24);
    }
  }

  /**
   * Fills `out` with normal numbers of the given mean and standard deviation (Box-Muller, host only): elements 2j and
   * 2j + 1 are the cosine and sine branch of words 2j (radius) and 2j + 1 (angle). |z| <= 6.66 before scaling.
   */
  fillNormal(out: Float32Array | Float64Array, mean = 0, standardDeviation = 1): void {
    const block = this.#block;
    this.#blockPair = -1;
    for (let i = 0; i < out.length; i += 2) {
      threefry2x32(this.key0, this.key1, i / 2, 0, block);
      // (word + 1) * 2^-32 is in (0, 1]: the logarithm is finite.
      const radius = Math.sqrt(-2 * log((block[0]! + 1) * TWO_POW_MINUS_32)) * standardDeviation;
      const angle = block[1]! * TWO_POW_MINUS_32 * TWO_PI;
      out[i] = mean + radius * cos(angle);
      if (i + 1 < out.length) out[i + 1] = mean + radius * sin(angle);
    }
  }

  /** A random order of 0 .. n - 1 (Fisher-Yates with rejection: every order is equally likely). @throws OptionError */
  permutation(n: number): Uint32Array<ArrayBuffer> {
    if (!Number.isSafeInteger(n) || n < 0 || n >= TWO_POW_32) {
      throw new OptionError(
        `RandomStream.permutation: expected a length, an integer 0 .. 2^32 - 1, got ${n}.`,
      );
    }
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    let next = 0;
    for (let i = n - 1; i > 0; i--) {
      const bound = i + 1;
      // Words from the largest multiple of `bound` on would favour small remainders.
      const limit = TWO_POW_32 - (TWO_POW_32 % bound);
      let word = this.uint32(next++);
      while (word >= limit) word = this.uint32(next++);
      const j = word % bound;
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }
}

function seedKey(seed: number | bigint): Uint32Array {
  const good =
    typeof seed === 'bigint' ? seed >= 0n && seed < 1n << 64n : Number.isSafeInteger(seed) && seed >= 0;
  if (!good) {
    throw new OptionError(
      `RandomStream: expected a seed that is an integer 0 .. 2^53 - 1, or a bigint below 2^64, got ${seed}. Pass such an integer.`,
    );
  }
  const wide = BigInt(seed);
  return Uint32Array.of(Number(wide & 0xffffffffn), Number(wide >> 32n));
}

/** Replaces the key by one that depends on it and on the purpose: a chain of blocks, one for each UTF-16 unit and one to end. */
function absorb(key: Uint32Array, purpose: string | number): void {
  if (typeof purpose === 'number') {
    if (!Number.isSafeInteger(purpose) || purpose < 0) {
      throw new OptionError(
        `RandomStream: expected a purpose that is a text or an integer 0 .. 2^53 - 1, got ${purpose}.`,
      );
    }
    const upper = Math.floor(purpose / TWO_POW_32);
    threefry2x32(key[0]!, key[1]!, purpose % TWO_POW_32, ABSORB_NUMBER + upper, key);
    return;
  }
  for (let i = 0; i < purpose.length; i++) {
    threefry2x32(key[0]!, key[1]!, purpose.charCodeAt(i), ABSORB_CHARACTER + i, key);
  }
  threefry2x32(key[0]!, key[1]!, purpose.length, ABSORB_END, key);
}
