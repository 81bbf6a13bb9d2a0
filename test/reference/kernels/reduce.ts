/** Sums in float64, and the same sums in float32 in the order that the kernels document. */

/** [outer, size, inner] summed over its middle axis, with the sum of magnitudes for error bounds. */
export function sumMiddle(
  input: ArrayLike<number>,
  outer: number,
  size: number,
  inner: number,
): { sums: Float64Array; magnitudes: Float64Array } {
  const sums = new Float64Array(outer * inner);
  const magnitudes = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < size; k++) {
      for (let i = 0; i < inner; i++) {
        const value = input[(o * size + k) * inner + i]!;
        sums[o * inner + i]! += value;
        magnitudes[o * inner + i]! += Math.abs(value);
      }
    }
  }
  return { sums, magnitudes };
}

/** One sum in float32: chunks of 256, each from 0 in order, their sums added from left to right. */
export function sumInOrder(values: Float32Array): number {
  let total = 0;
  for (let start = 0; start < values.length; start += 256) {
    let partial = 0;
    for (const value of values.subarray(start, start + 256)) partial = Math.fround(partial + value);
    total = Math.fround(total + partial);
  }
  return total;
}

/** Partial sums of blocks of 1024 in float32, in the order of src/kernels/reduce/partials.wgsl. */
export function partialsInOrder(values: Float32Array): Float32Array {
  const partials = new Float32Array(Math.ceil(values.length / 1024));
  for (let block = 0; block < partials.length; block++) {
    const total = new Float32Array(4);
    for (let strand = 0; strand < 16; strand++) {
      const sum = new Float32Array(4);
      for (let row = 0; row < 16; row++) {
        for (let c = 0; c < 4; c++) sum[c]! += values[1024 * block + 4 * (16 * row + strand) + c] ?? 0;
      }
      for (let c = 0; c < 4; c++) total[c]! += sum[c]!;
    }
    partials[block] = Math.fround(total[0]! + total[1]!) + Math.fround(total[2]! + total[3]!);
  }
  return partials;
}

/** Sums of blocks of 1024 terms in float64, with the sums of magnitudes. */
export function blockSums(
  count: number,
  term: (i: number) => number,
): { sums: number[]; magnitudes: number[] } {
  const sums: number[] = Array(Math.ceil(count / 1024)).fill(0);
  const magnitudes = [...sums];
  for (let i = 0; i < count; i++) {
    sums[Math.floor(i / 1024)]! += term(i);
    magnitudes[Math.floor(i / 1024)]! += Math.abs(term(i));
  }
  return { sums, magnitudes };
}
