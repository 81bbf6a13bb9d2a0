/** Gathers, as plain loops. */

/** `output[o, i, k] = input[o, index[i], k]`, 0 where the index is `size` or more. */
export function gatherAxis(
  input: Uint32Array,
  outer: number,
  size: number,
  inner: number,
  index: Uint32Array,
): Uint32Array {
  const output = new Uint32Array(outer * index.length * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const source of index) {
      for (let k = 0; k < inner; k++) {
        output[at++] = source < size ? input[(o * size + source) * inner + k]! : 0;
      }
    }
  }
  return output;
}

/** `output[n, p] = table[channel of p][byte p of image n]`. */
export function gatherImages(
  images: Uint8Array,
  pixels: number,
  channels: number,
  table: Float32Array,
  chosen: Uint32Array,
): Float32Array {
  const output = new Float32Array(chosen.length * pixels);
  chosen.forEach((image, n) => {
    for (let p = 0; p < pixels; p++) {
      const channel = Math.floor(p / (pixels / channels));
      output[n * pixels + p] = table[256 * channel + images[image * pixels + p]!]!;
    }
  });
  return output;
}
