/** Kernels whose text depends on whether a size is a multiple of 4. */
import type { Kernel } from '../runtime/kernel.ts';
import { expand } from './matmul/template.ts';

/**
 * A kernel in two texts, each made when it is first asked for: FITS where the size is a multiple of 4, so that it can be gone through by
 * vectors alone, else TAIL; what a tail is, the text says. SwiftShader computes a tail in every turn, whether it is taken or not: it was a
 * quarter of an optimizer's step.
 * @returns the kernel for a size.
 */
export function fittingKernels(kernel: Kernel): (size: number) => Kernel {
  const made = new Map<boolean, Kernel>();
  return (size) => {
    const fits = size % 4 === 0;
    let one = made.get(fits);
    if (!one) {
      const wgsl = expand(kernel.wgsl, { FITS: fits, TAIL: !fits });
      one = { ...kernel, name: fits ? `${kernel.name} fits` : kernel.name, wgsl };
      made.set(fits, one);
    }
    return one;
  };
}
