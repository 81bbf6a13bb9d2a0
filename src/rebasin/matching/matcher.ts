/** What merging asks of a matching method: permutations of one model's units that bring them into the order of another's. */
import type { HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { Permutations } from '../spec/axis-index.ts';
import { randomPermutations } from '../spec/equivalence.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { type WeightMatchingOptions, weightMatching } from './weight-matching.ts';

/**
 * Matches `b` to `a`: both hold every entry of one spec, f32 by name, and stay the caller's.
 * @returns for each group of the spec, unit i of the permuted `b` is unit p[i] of `b`; fresh arrays.
 */
export type Matcher = (a: HostTensors, b: HostTensors) => Promise<Permutations>;

/** Weight matching as a matcher. @param options see `weightMatching`. */
export function weightMatcher(context: Context, options: Omit<WeightMatchingOptions, 'a' | 'b'>): Matcher {
  return async (a, b) => (await weightMatching(context, { ...options, a, b })).permutations;
}

/** The baseline that knows nothing: other random permutations at each call, the same ones for the same seed and number of calls before. */
export function randomMatcher(spec: PermutationSpec, seed: number): Matcher {
  let calls = 0;
  return async () => randomPermutations(spec, seed + calls++);
}
