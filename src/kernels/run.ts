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
 * Texts of a kernel that stores vec4f, made when first asked for: FITS where the count is a multiple of 4, else with a TAIL that stores the
 * last vec4f element by element. SwiftShader computes that tail in every turn, whether it is taken or not: a quarter of an optimizer's step.
 * @returns the text for a count of elements.
 */
export function fittingTexts(template: string): (count: number) => string {
  const texts = new Map<boolean, string>();
  return (count) => {
    const fits = fitsVectors(count);
    let text = texts.get(fits);
    if (text === undefined) {
      text = expand(template, { FITS: fits, TAIL: !fits });
      texts.set(fits, text);
    }
    return text;
  };
}

/** As `fittingTexts`, of a whole kernel: ` fits` in its name. */
export function fittingKernels(kernel: Kernel): (count: number) => Kernel {
  const textOf = fittingTexts(kernel.wgsl);
  return (count) => ({ ...kernel, name: kernel.name + traitOf(count), wgsl: textOf(count) });
}

/** For a kernel's name. */
export const traitOf = (count: number) => (fitsVectors(count) ? ' fits' : '');

const fitsVectors = (count: number) => count % 4 === 0;
