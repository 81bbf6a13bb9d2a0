/** Test data, and comparison with a float64 reference. */
import { expect } from 'vitest';
import { RandomStream } from '../../src/base/random.ts';

/** `count` normal numbers, always the same for a purpose. */
export function normals(count: number, purpose: string): Float32Array {
  const values = new Float32Array(count);
  new RandomStream(1, purpose).fillNormal(values);
  return values;
}

/** `count` integers below `bound`, always the same for a purpose. */
export function integers(count: number, bound: number, purpose: string): Uint32Array {
  const stream = new RandomStream(1, purpose);
  return Uint32Array.from({ length: count }, (_, i) => stream.uint32(i) % bound);
}

/** The bits of float32 values. */
export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/**
 * Expects `|actual - expected| <= tolerance` everywhere, and shows the worst place otherwise.
 * @param tolerance one number, or one for each element.
 */
export function expectClose(
  actual: Float32Array,
  expected: ArrayLike<number>,
  tolerance: number | ArrayLike<number>,
): void {
  expect(actual.length).toBe(expected.length);
  let worst = { index: -1, ratio: 1, actual: 0, expected: 0, allowed: 0 };
  for (let index = 0; index < actual.length; index++) {
    const allowed = typeof tolerance === 'number' ? tolerance : tolerance[index]!;
    const difference = Math.abs(actual[index]! - expected[index]!);
    // A NaN on either side is never close.
    const ratio = difference <= allowed ? 0 : difference / allowed;
    if (!(ratio <= worst.ratio)) {
      worst = { index, ratio, actual: actual[index]!, expected: expected[index]!, allowed };
    }
  }
  expect(worst.index, `worst of ${actual.length}: ${JSON.stringify(worst)}`).toBe(-1);
}
