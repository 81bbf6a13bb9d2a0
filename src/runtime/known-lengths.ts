/**
 * Lengths of arrays, known before a kernel's loops and branches.
 *
 * Bounds checks need the length of an array. SwiftShader finds it by four divisions, in every loop and branch anew unless it was found
 * on all ways that lead there. So on software adapters kernels begin with a branch that needs all lengths and is never taken.
 */

const RUNTIME_SIZED = /^\s*@group.*var<storage[^>]*>\s+(\w+)\s*:\s*array<[^,;]*>;/gm;

/** @returns the text, every line where it was, with the branch behind the opening brace of `main`. Texts without loops stay as they are. */
export function withKnownLengths(wgsl: string): string {
  const lengths = Array.from(wgsl.matchAll(RUNTIME_SIZED), ([, name]) => `arrayLength(&${name})`);
  if (lengths.length === 0 || !/\b(?:for|while|loop)\b/.test(wgsl)) return wgsl;
  return wgsl.replace(
    /^\s*fn main\([^{]*\{/m,
    (head) => `${head} if ((${lengths.join(' | ')}) == 0u) { return; }`,
  );
}
