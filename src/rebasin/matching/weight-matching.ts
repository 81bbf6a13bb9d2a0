/**
 * Weight matching (Ainsworth, Hayase and Srinivasa 2022, "Git Re-Basin", algorithm 1; ALGORITHMS 2.1): permutes the units of B so that
 * <A, pi(B)> is as large as can be reached one group at a time. The descent is that of `weight-matcher.ts`, which says when a step counts
 * as a gain; here the objective of each sweep is computed in f64 from the weights, and a sweep that did not raise it was noise.
 *
 * Finds a local optimum, which depends on the order of visits. Networks whose objective is quadratic in a group are refused.
 */
import { OptionError, UnsupportedError } from '../../base/errors.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { permuteValues } from '../spec/apply-permutation.ts';
import type { Permutations } from '../spec/axis-index.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { checkValues, scoredDistance, scoredObjective } from './objective.ts';
import { WeightMatcher } from './weight-matcher.ts';

/** Of `weightMatching`. */
export interface WeightMatchingOptions {
  /** Which units may be permuted, from `derivePermutationSpec`. */
  readonly spec: PermutationSpec;
  /** The reference model: f32 by name, exactly the spec's entries. */
  readonly a: HostTensors;
  /** The model to permute. */
  readonly b: HostTensors;
  /** Order of visits: `graph` is the spec's, the same in each sweep; `random` a new one for each sweep. Default: `graph`. */
  readonly order?: 'graph' | 'random';
  /** For random orders. Default: 0. */
  readonly seed?: number;
  /** Default: 100. */
  readonly maxSweeps?: number;
  /** Called after each sweep. */
  readonly onProgress?: (progress: MatchingProgress) => void;
  /** Looked at before each group. */
  readonly signal?: AbortSignal;
}

/** Told after each sweep over the groups. */
export interface MatchingProgress {
  /** Sweeps done. */
  readonly sweep: number;
  /** The most there may be. */
  readonly maxSweeps: number;
  /** <A, pi(B)> over scored entries. */
  readonly objective: number;
  /** Groups whose permutation changed in this sweep. */
  readonly changed: number;
  /** As they are after this sweep. Arrays are never written to afterwards. */
  readonly permutations: Permutations;
}

/** What weight matching found. */
export interface WeightMatchingResult {
  /** For each group, i32: unit i of the permuted B is unit p[i] of B. */
  readonly permutations: Permutations;
  /** <A, B> and <A, pi(B)> over scored entries. */
  readonly objective: { readonly before: number; readonly after: number };
  /** L2 distance over scored entries. */
  readonly distance: { readonly before: number; readonly after: number };
  /** Sweeps made, the last one (which changed nothing, where converged) included. */
  readonly sweeps: number;
  /** Whether it ended by itself, before `maxSweeps`. */
  readonly converged: boolean;
  /** The objective after each sweep. Never falls. */
  readonly objectivePerSweep: readonly number[];
}

/**
 * Matches B to A.
 * @throws FormatError or DataError naming a tensor that does not fit or is not finite; UnsupportedError naming a tensor that makes the
 * objective quadratic; the signal's reason when aborted.
 * @example
 * const spec = derivePermutationSpec([logits]);
 * const { permutations } = await weightMatching(context, { spec, a, b });
 * const aligned = permuteValues(spec, permutations, b);
 */
export async function weightMatching(
  context: Context,
  options: WeightMatchingOptions,
): Promise<WeightMatchingResult> {
  const { spec, a, b, maxSweeps = 100, onProgress, signal } = options;
  checkMaxSweeps(maxSweeps);
  checkMatching('weightMatching', options);
  const layout = new ArenaLayout(spec.entries.filter((entry) => entry.scored));
  const arenas = [new Arena(context, layout, 'model A'), new Arena(context, layout, 'model B')] as const;
  let matcher: WeightMatcher | undefined;
  try {
    arenas[0].write(a);
    arenas[1].write(b);
    const descent = new WeightMatcher(context, { ...options, a: arenas[0], b: arenas[1] });
    matcher = descent;
    const objectivePerSweep: number[] = [];
    const { sweeps, converged } = await descent.match({
      maxSweeps,
      objective: (permutations) => scoredObjective(spec, a, permuteValues(spec, permutations, b)),
      onSweep: (changed, objective) => {
        objectivePerSweep.push(objective!);
        const sweep = objectivePerSweep.length;
        onProgress?.({
          sweep,
          maxSweeps,
          objective: objective!,
          changed,
          permutations: descent.permutations,
        });
      },
      signal,
    });
    const { permutations } = descent;
    return {
      permutations,
      ...scoresOf(spec, permutations, a, b),
      sweeps,
      converged,
      objectivePerSweep,
    };
  } finally {
    matcher?.destroy();
    for (const arena of arenas) arena.destroy();
  }
}

/** Objective and distance before and after permuting B. */
export function scoresOf(
  spec: PermutationSpec,
  permutations: Permutations,
  a: HostTensors,
  b: HostTensors,
): Pick<WeightMatchingResult, 'objective' | 'distance'> {
  const matched = permuteValues(spec, permutations, b);
  return {
    objective: { before: scoredObjective(spec, a, b), after: scoredObjective(spec, a, matched) },
    distance: { before: scoredDistance(spec, a, b), after: scoredDistance(spec, a, matched) },
  };
}

function checkMaxSweeps(maxSweeps: number): void {
  if (!Number.isInteger(maxSweeps) || maxSweeps < 1) {
    throw new OptionError(`weightMatching: maxSweeps must be a positive integer, got ${maxSweeps}`);
  }
}

/**
 * Checks what every matching by weights needs: an order it knows, values of the spec's network, and an objective that is linear in each
 * group. @throws OptionError, UnsupportedError; see also `checkValues`.
 */
export function checkMatching(
  caller: string,
  { spec, a, b, order = 'graph' }: Pick<WeightMatchingOptions, 'spec' | 'a' | 'b' | 'order'>,
): void {
  if (order !== 'graph' && order !== 'random') {
    throw new OptionError(`${caller}: order must be "graph" or "random", got "${String(order)}"`);
  }
  checkValues(caller, 'model A', spec, a);
  checkValues(caller, 'model B', spec, b);
  const [quadratic] = spec.quadratic;
  if (quadratic) {
    throw new UnsupportedError(
      `${caller}: group "${quadratic.group}" lies on the axes ${quadratic.axes.join(' and ')} of "${quadratic.tensor}", ` +
        'which makes the objective quadratic in its permutation; only linear objectives can be matched',
    );
  }
}
