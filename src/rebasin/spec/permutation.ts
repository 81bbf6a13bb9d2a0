/**
 * Permutations as i32 arrays in the gather convention: `y[i] = x[p[i]]`, so `p[i]` is the unit of model B that goes
 * to slot `i`. Every function returns a fresh array and leaves its arguments alone.
 */
import { DataError, ShapeError } from '../../base/errors.ts';

/** Returns `[0, 1, .., n - 1]`. */
export function identityPermutation(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/**
 * Returns the inverse: `q[p[i]] = i`. Gathering by `p` and then by `q` restores the order.
 * @throws DataError if `p` is not a permutation.
 */
export function invertPermutation(p: Int32Array): Int32Array {
  assertPermutation(p, 'invertPermutation');
  const inverse = new Int32Array(p.length);
  for (let i = 0; i < p.length; i++) inverse[p[i]!] = i;
  return inverse;
}

/**
 * Returns `r[i] = p[q[i]]`: gathering by `r` is gathering by `p` first, then the result of that by `q`.
 * @throws ShapeError if the lengths differ; DataError if either is not a permutation.
 */
export function composePermutations(p: Int32Array, q: Int32Array): Int32Array {
  assertPermutation(p, 'composePermutations');
  assertPermutation(q, 'composePermutations');
  checkSameLength('composePermutations', p, q);
  return q.map((i) => p[i]!);
}

/** Says whether `p` holds each of 0 .. p.length - 1 exactly once. */
export function isPermutation(p: ArrayLike<number>): boolean {
  return findOffender(p) === -1;
}

/**
 * Throws unless `p` holds each of 0 .. p.length - 1 exactly once.
 * @param caller named first in the message.
 * @throws DataError naming the first offending index and what stands there.
 */
export function assertPermutation(p: ArrayLike<number>, caller = 'assertPermutation'): void {
  const index = findOffender(p);
  if (index === -1) return;
  throw new DataError(
    `${caller}: expected a permutation of 0..${p.length - 1}, got ${p[index]} at index ${index}, which is out of ` +
      'range, not whole, or there before; every unit must be used exactly once',
  );
}

/** Returns how many entries `p` and `q` differ in; against the identity, how many units `p` moves. */
export function hammingDistance(p: Int32Array, q: Int32Array): number {
  checkSameLength('hammingDistance', p, q);
  let distance = 0;
  for (let i = 0; i < p.length; i++) if (p[i] !== q[i]) distance++;
  return distance;
}

/**
 * Returns a uniformly random permutation (Fisher-Yates, from the last index down).
 * @param uniformInteger gives an integer in 0 .. below - 1, all equally likely; called with below = n, n - 1, .. 2.
 */
export function randomPermutation(n: number, uniformInteger: (below: number) => number): Int32Array {
  const p = identityPermutation(n);
  for (let i = n - 1; i > 0; i--) {
    const j = uniformInteger(i + 1);
    const swapped = p[i]!;
    p[i] = p[j]!;
    p[j] = swapped;
  }
  return p;
}

/** The first index whose entry is out of range, not whole or a repetition; -1 = none. */
function findOffender(p: ArrayLike<number>): number {
  const seen = new Uint8Array(p.length);
  for (let i = 0; i < p.length; i++) {
    // Also catches fractions and NaN: they index nothing.
    if (seen[p[i]!] !== 0) return i;
    seen[p[i]!] = 1;
  }
  return -1;
}

function checkSameLength(caller: string, p: Int32Array, q: Int32Array): void {
  if (p.length === q.length) return;
  throw new ShapeError(`${caller}: expected permutations of one length, got ${p.length} and ${q.length}`);
}
