import { describe, expect, test } from 'vitest';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../../src/io/half.ts';

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

function meaning(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >>> 15 === 0 ? 1 : -1;
  const exponent = (bits >>> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * mantissa * 2 ** (1 - bias) : sign * (1 + mantissa) * 2 ** (exponent - bias);
}

describe.each([
  { name: 'binary16', widen: float16ToFloat32, narrow: float32ToFloat16, exponentBits: 5, mantissaBits: 10 },
  { name: 'bfloat16', widen: bfloat16ToFloat32, narrow: float32ToBfloat16, exponentBits: 8, mantissaBits: 7 },
])('$name', ({ widen, narrow, exponentBits, mantissaBits }) => {
  test('every bit pattern widens to what the format means', () => {
    const values = widen(ALL);
    const wrong = ALL.filter((bits) => !Object.is(values[bits], meaning(bits, exponentBits, mantissaBits)));
    expect(Array.from(wrong)).toEqual([]);
  });

  test('every bit pattern comes back, NaN as a NaN', () => {
    const values = widen(ALL);
    const back = narrow(values);
    const wrong = ALL.filter((bits) =>
      Number.isNaN(values[bits]!)
        ? !Number.isNaN(meaning(back[bits]!, exponentBits, mantissaBits))
        : back[bits] !== bits,
    );
    expect(Array.from(wrong)).toEqual([]);
  });

  test('values between two neighbours go to the nearer one, and to the even one from the middle', () => {
    const largest = 2 ** 15 - 2 ** mantissaBits - 1;
    for (let bits = 0; bits < largest; bits++) {
      const below = meaning(bits, exponentBits, mantissaBits);
      const above = meaning(bits + 1, exponentBits, mantissaBits);
      // Quarters between subnormal bfloat16 neighbours are float32 numbers too.
      const quarters = Float32Array.from([1, 2, 3], (q) => below + ((above - below) * q) / 4);
      expect(Array.from(narrow(quarters))).toEqual([bits, bits + (bits & 1), bits + 1]);
      expect(narrow(Float32Array.of(-quarters[1]!))[0]).toBe((bits + (bits & 1)) | 0x8000);
    }
  });

  test('values beyond the largest become infinite from half a step on', () => {
    const largest = meaning(2 ** 15 - 2 ** mantissaBits - 1, exponentBits, mantissaBits);
    const step = largest - meaning(2 ** 15 - 2 ** mantissaBits - 2, exponentBits, mantissaBits);
    const narrowed = narrow(Float32Array.of(largest + step / 4, largest + step / 2));
    expect(meaning(narrowed[0]!, exponentBits, mantissaBits)).toBe(largest);
    expect(meaning(narrowed[1]!, exponentBits, mantissaBits)).toBe(Infinity);
  });
});
