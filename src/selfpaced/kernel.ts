/** Kernels of support vector machines. */
import { OptionError } from '../base/errors.ts';
import { exp } from '../base/portable.ts';

/** `linear`: x.z. `rbf`: e^(-gamma |x - z|^2), gamma above 0. */
export type Kernel = { readonly kind: 'linear' } | { readonly kind: 'rbf'; readonly gamma: number };

/** @throws OptionError for an unknown kind or a gamma that is not above 0. */
export function checkKernel(kernel: Kernel, caller: string): void {
  if (kernel.kind === 'linear') return;
  if (kernel.kind === 'rbf' && kernel.gamma > 0 && kernel.gamma < Infinity) return;
  throw new OptionError(
    `${caller}: expected the kernel "linear", or "rbf" with a gamma above 0, got ${JSON.stringify(kernel)}`,
  );
}

/** k(a_i, b_j) for the rows of a [m, columns] and b [n, columns]: f64 [m, n]. Equal rows give equal bits; of one array with itself, half is computed. */
export function kernelMatrix(
  kernel: Kernel,
  a: Float64Array,
  b: Float64Array,
  columns: number,
): Float64Array {
  const [m, n] = [a.length / columns, b.length / columns];
  const result = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      if (a === b && j < i) {
        result[i * n + j] = result[j * n + i]!;
        continue;
      }
      let sum = 0;
      if (kernel.kind === 'linear') {
        for (let k = 0; k < columns; k++) sum += a[i * columns + k]! * b[j * columns + k]!;
        result[i * n + j] = sum;
      } else {
        for (let k = 0; k < columns; k++) {
          const difference = a[i * columns + k]! - b[j * columns + k]!;
          sum += difference * difference;
        }
        result[i * n + j] = exp(-kernel.gamma * sum);
      }
    }
  }
  return result;
}
