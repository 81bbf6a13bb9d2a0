/**
 * Lengths of arrays, known before a kernel's loops and branches.
 *
 * Bounds checks need the length of an array. SwiftShader finds it by four divisions, in every loop and branch anew unless it was found
 * on all ways that lead there. So on software adapters kernels begin with a branch that needs all lengths and is never taken.
 */
import type { Kernel } from './kernel.ts';

/** @returns the kernel's text, every line where it was, with the branch behind the opening brace of `main`. */
export function withKnownLengths({ wgsl, bindings }: Kernel): string {
  const code = wgsl.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, (comment) => ' '.repeat(comment.length));
  // Arrays of a size that is known have a comma. Those that are not bound must not be used.
  const arrays = code.matchAll(/@binding\((\d+)\)\s*var<storage[^>]*>\s*(\w+)\s*:\s*array<[^,;]*>;/g);
  const lengths = [...arrays].flatMap(([, binding, name]) =>
    Number(binding) > bindings.length ? [] : `arrayLength(&${name})`,
  );
  const main = code.search(/\bfn main\s*\(/);
  const body = code.indexOf('{', main) + 1;
  return lengths[0] && main >= 0
    ? `${wgsl.slice(0, body)}if((${lengths.join('|')})==0u){return;}${wgsl.slice(body)}`
    : wgsl;
}
