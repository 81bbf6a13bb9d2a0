/**
 * The two 16-bit floating-point formats of checkpoints, to and from float32: IEEE binary16 ("F16") and bfloat16 ("BF16",
 * the upper half of a float32). Widening is exact; narrowing rounds to the nearest, ties to even, and keeps NaN a NaN.
 */

const TWO_POW_MINUS_24 = 1 / 16777216;

/** Widens binary16 bit patterns. */
export function float16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const mantissa = half & 0x3ff;
    if (exponent === 0) {
      values[i] = mantissa * TWO_POW_MINUS_24;
      words[i]! |= sign;
    } else {
      words[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13);
    }
  }
  return values;
}

/** Narrows to binary16 bit patterns; from 65520 on the result is infinite. */
export function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = words[i]!;
    const sign = (word >>> 16) & 0x8000;
    const size = word & 0x7fffffff;
    if (size > 0x7f800000) {
      bits[i] = sign | 0x7e00 | ((size >>> 13) & 0x3ff);
    } else if (size >= 0x477ff000) {
      bits[i] = sign | 0x7c00;
    } else if (size >= 0x38800000) {
      // Normal: rebias the exponent; a carry out of the mantissa moves into it, as it should.
      bits[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
    } else {
      // Subnormal: multiples of 2^-24. The product is exact, so only this rounding happens.
      bits[i] = sign | roundHalfToEven(Math.abs(values[i]!) * 16777216);
    }
  }
  return bits;
}

/** Widens bfloat16 bit patterns. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return values;
}

/** Narrows to bfloat16 bit patterns. */
export function float32ToBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = words[i]!;
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    bits[i] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
