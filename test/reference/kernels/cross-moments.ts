/** Cross moments by plain loops: in float64, and in float32 in the order that the kernels document. */

export interface CrossMomentsCase {
  readonly outer: number;
  readonly channelsA: number;
  readonly channelsB: number;
  readonly inner: number;
  /** [outer, channelsA, inner], [outer, channelsB, inner]. */
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly shiftA: Float32Array;
  readonly shiftB: Float32Array;
}

/** The values of channel `c`, less `shift`, in the order k = n * inner + p. */
function channelOf(
  values: Float32Array,
  { outer, inner }: CrossMomentsCase,
  channels: number,
  c: number,
  shift: number,
): Float64Array {
  const list = new Float64Array(outer * inner);
  for (let k = 0; k < list.length; k++) {
    const n = Math.floor(k / inner);
    list[k] = values[(n * channels + c) * inner + (k % inner)]! - shift;
  }
  return list;
}

function forEachPair(
  given: CrossMomentsCase,
  visit: (at: number, x: Float64Array, y: Float64Array) => void,
): void {
  const { channelsA, channelsB, a, b, shiftA, shiftB } = given;
  const columns = Array.from({ length: channelsB }, (_, j) => channelOf(b, given, channelsB, j, shiftB[j]!));
  for (let i = 0; i < channelsA; i++) {
    const row = channelOf(a, given, channelsA, i, shiftA[i]!);
    columns.forEach((column, j) => {
      visit(i * channelsB + j, row, column);
    });
  }
}

/** Sums in float64, and the sums of magnitudes, for error bounds. */
export function crossMomentsReference(given: CrossMomentsCase): {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
} {
  const size = given.channelsA * given.channelsB;
  const [values, magnitudes] = [new Float64Array(size), new Float64Array(size)];
  forEachPair(given, (at, x, y) => {
    let [value, magnitude] = [0, 0];
    for (let k = 0; k < x.length; k++) {
      value += x[k]! * y[k]!;
      magnitude += Math.abs(x[k]! * y[k]!);
    }
    values[at] = value;
    magnitudes[at] = magnitude;
  });
  return { values, magnitudes };
}

/** The same sums in float32, operation by operation as cross_moments_naive.wgsl says, without fused rounding. */
export function crossMomentsInOrder(given: CrossMomentsCase): Float32Array {
  const output = new Float32Array(given.channelsA * given.channelsB);
  forEachPair(given, (at, x, y) => {
    let total = 0;
    for (let start = 0; start < x.length; start += 512) {
      let sum = 0;
      for (let k = start; k < Math.min(start + 512, x.length); k++) {
        const product = Math.fround(Math.fround(x[k]!) * Math.fround(y[k]!));
        sum = Math.fround(product + sum);
      }
      total = start === 0 ? sum : Math.fround(total + sum);
    }
    output[at] = total;
  });
  return output;
}
