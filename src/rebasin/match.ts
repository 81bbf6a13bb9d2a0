/** Matching two models from end to end: derive the spec, prove it on the network, match, permute. */
import { UnsupportedError } from '../base/errors.ts';
import { forwardGraph, type Model } from '../nn/models/model.ts';
import type { MatchFields } from '../report/results.ts';
import type { HostTensors } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { permuteValues } from './apply-permutation.ts';
import { checkGraphEquivalence } from './equivalence.ts';
import { derivePermutationSpec } from './permutation-spec.ts';
import { type MatchingProgress, weightMatching } from './weight-matching.ts';

export interface MatchOptions {
  readonly model: Model;
  /** The reference. */
  readonly a: HostTensors;
  /** The model to permute. */
  readonly b: HostTensors;
  /** See `weightMatching`. Default: `graph`. */
  readonly order?: 'graph' | 'random';
  /** Of random orders and of the equivalence check. Default: 0. */
  readonly seed?: number;
  readonly onProgress?: (progress: MatchingProgress) => void;
  readonly signal?: AbortSignal;
}

export interface Match {
  readonly fields: MatchFields;
  /** B with its units permuted: fresh arrays, the caller's. */
  readonly aligned: Map<string, Float32Array>;
}

/**
 * Matches B to A by weight matching.
 * @throws UnsupportedError when a random permutation by the derived spec changes the outputs; see also `weightMatching`.
 */
export async function matchModels(context: Context, options: MatchOptions): Promise<Match> {
  const { model, b, seed = 0 } = options;
  const { logits } = forwardGraph(model);
  const spec = derivePermutationSpec([logits]);
  const equivalence = await checkGraphEquivalence(context, spec, [logits], { seed });
  if (!equivalence.passed) {
    throw new UnsupportedError(
      `matchModels: a random permutation by the spec of ${model.name} changes its outputs by ${equivalence.maxDifference} of the largest; ` +
        'an operation states wrong axes, please report it',
    );
  }
  const matched = await weightMatching(context, { ...options, spec });
  const { permutations, objective, distance, sweeps, converged, objectivePerSweep } = matched;
  return {
    fields: {
      model: model.name,
      assumptions: model.assumptions,
      objective,
      distance,
      sweeps,
      converged,
      objectivePerSweep,
      equivalence,
      permutations: Object.fromEntries(Object.entries(permutations).map(([name, p]) => [name, [...p]])),
    },
    aligned: permuteValues(spec, permutations, b),
  };
}
