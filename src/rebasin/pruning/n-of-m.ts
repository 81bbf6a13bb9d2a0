/** N:M sparsity (Zhou et al. 2021, "Learning N:M fine-grained structured sparse neural networks from scratch"): what hardware skips. */
import { elementCount } from '../../runtime/kernel.ts';

/**
 * Marks all but the n largest |w| of each m neighbours along the input axis (axis 1); of equal ones those that come first are marked.
 * Where m does not divide the inputs, those left over stay.
 * @param shape [out, in] or [out, in, KH, KW]; neighbours have one output and one position of the kernel.
 * @returns fresh, 1 where marked.
 */
export function markNofM(values: Float32Array, shape: readonly number[], n: number, m: number): Uint8Array {
  const marked = new Uint8Array(values.length);
  const [outputs, inputs] = shape as readonly [number, number];
  const inner = elementCount(shape.slice(2));
  for (let output = 0; output < outputs; output++) {
    for (let first = 0; first + m <= inputs; first += m) {
      for (let position = 0; position < inner; position++) {
        const start = (output * inputs + first) * inner + position;
        for (let k = 0; k < m; k++) {
          // How many of its neighbours go first.
          const size = Math.abs(values[start + k * inner]!);
          let before = 0;
          for (let other = 0; other < m; other++) {
            const otherSize = Math.abs(values[start + other * inner]!);
            if (otherSize < size || (otherSize === size && other < k)) before++;
          }
          if (before < m - n) marked[start + k * inner] = 1;
        }
      }
    }
  }
  return marked;
}
