/** Matrix products in float64 by plain loops. */

export interface MatmulReference {
  /** The product, in float64. */
  readonly values: Float64Array;
  /** Sum over k of |a| |b| (+ |bias|) for each output: the scale of its rounding error. */
  readonly magnitudes: Float64Array;
}

export interface MatmulCase {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** [m, k], or [k, m] with `transposeA`. */
  readonly a: Float32Array;
  /** [k, n], or [n, k] with `transposeB`. */
  readonly b: Float32Array;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** [n] */
  readonly bias?: Float32Array;
  readonly relu?: boolean;
}

/** `relu(a b + bias)` in float64. */
export function matmulReference(operands: MatmulCase): MatmulReference {
  const { m, n, k, a, b, transposeA, transposeB, bias, relu } = operands;
  const values = new Float64Array(m * n);
  const magnitudes = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let value = bias ? bias[j]! : 0;
      let magnitude = Math.abs(value);
      for (let l = 0; l < k; l++) {
        const product = a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
        value += product;
        magnitude += Math.abs(product);
      }
      values[i * n + j] = relu ? Math.max(value, 0) : value;
      magnitudes[i * n + j] = magnitude;
    }
  }
  return { values, magnitudes };
}

/** The same product in float32, operation by operation in the order that matmul_naive.wgsl states, without fused rounding. */
export function matmulInChunks(operands: MatmulCase): Float32Array {
  const { m, n, k, a, b, transposeA, transposeB, bias, relu } = operands;
  const output = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let total = 0;
      for (let start = 0; start < k; start += 512) {
        let sum = 0;
        for (let l = start; l < Math.min(start + 512, k); l++) {
          const product = a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
          sum = Math.fround(Math.fround(product) + sum);
        }
        total = start === 0 ? sum : Math.fround(total + sum);
      }
      if (bias) total = Math.fround(total + bias[j]!);
      output[i * n + j] = relu && total <= 0 ? 0 : total;
    }
  }
  return output;
}
