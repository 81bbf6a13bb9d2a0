/**
 * Lengths of arrays, known before a kernel's loops and branches.
 *
 * Bounds checks need the length of an array. SwiftShader finds it by four divisions, in every loop and branch anew unless it was found
 * on all ways that lead there. So on software adapters kernels begin with a branch that needs all lengths and is never taken.
 */

/** @returns the text, every line where it was, with the branch behind the opening brace of `main`. */
export function withKnownLengths(wgsl: string): string {
  // Arrays of a size that is known have a comma.
  const lengths = Array.from(
    wgsl.matchAll(/> ?(\w+): ?array<[^,;]*>;/g),
    ([, name]) => `arrayLength(&${name})`,
  );
  if (lengths.length === 0) return wgsl;
  return wgsl.replace(/fn main\([^{]*{/, `$& if ((${lengths.join(' | ')}) == 0u) { return; }`);
}
