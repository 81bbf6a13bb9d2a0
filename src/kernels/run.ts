/** How much one invocation of a kernel computes that goes through vectors one after another. */
import type { Context } from '../runtime/context.ts';
import type { Kernel } from '../runtime/kernel.ts';
import { expand } from './matmul/template.ts';

/**
 * The vec4f of an invocation. Many on software adapters, where what comes before the loop costs as much as a vec4f; on GPUs `hardware`,
 * few, so that there are invocations enough.
 */
export function runOf({ software }: Context, hardware: number): number {
  return software ? 16 : hardware;
}

/**
 * A kernel that stores vec4f, in two texts, each made when it is first asked for: FITS where the count is a multiple of 4, else with a TAIL
 * that stores the last vec4f element by element. SwiftShader computes that tail in every turn, whether it is taken or not: a quarter of an
 * optimizer's step.
 * @returns the kernel for a count of elements.
 */
export function fittingKernels(kernel: Kernel): (count: number) => Kernel {
  const made = new Map<boolean, Kernel>();
  return (count) => {
    const fits = count % 4 === 0;
    let one = made.get(fits);
    if (!one) {
      const wgsl = expand(kernel.wgsl, { FITS: fits, TAIL: !fits });
      one = { ...kernel, name: fits ? `${kernel.name} fits` : kernel.name, wgsl };
      made.set(fits, one);
    }
    return one;
  };
}
