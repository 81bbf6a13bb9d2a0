/**
 * Activation matching (Li et al. 2016; Git Re-Basin, section 3.1; REPAIR, section 3): units of B go to the units of A that behave most
 * alike on the same images. Each group is one linear sum assignment on its similarity matrix, solved exactly and once: permuting one
 * group does not change what the units of another do.
 *
 * What published codes differ in are options: the statistic (Pearson correlation, or the uncentred second moment E[a b], which minimises
 * the distance of activations), before or after the activation function, and which tensors speak for a residual stream.
 */
import { OptionError, UnsupportedError } from '../../base/errors.ts';
import { forwardGraph, type Model, stateEntries } from '../../nn/models/model.ts';
import { findTaps, type Tap } from '../../nn/taps.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { linearSumAssignment } from '../assignment/assignment.ts';
import { greedyAssignment } from '../assignment/greedy-assignment.ts';
import { unitStarts } from '../spec/axis-index.ts';
import { deriveActivationPlaces, type PermutationSpec } from '../spec/permutation-spec.ts';
import type { GroupPlace } from '../spec/unit-groups.ts';
import { activationPairs } from './activation-pairs.ts';
import { pearsonCorrelation, secondMoment } from './cross-moments.ts';
import { checkValues } from './objective.ts';

/** What units are compared by. */
export type ActivationStatistic = 'correlation' | 'second-moment';

/** How similar units are: the choices in which published codes differ. */
export interface ActivationSimilarity {
  /** Default: `correlation`. */
  readonly statistic?: ActivationStatistic;
  /** Added to the product of standard deviations in a correlation; REPAIR adds 1e-4. Default: 0. */
  readonly epsilon?: number;
  /** Read after the activation function, or before it. Default: `after`. */
  readonly read?: 'after' | 'before';
  /** Which tensors of a residual stream count: the sum over all (the stem's too), or the last one. Default: `all`. */
  readonly streams?: 'all' | 'last';
  /** Optimal assignment, or the largest similarities first (REPAIR's variant). Default: `optimal`. */
  readonly assignment?: 'optimal' | 'greedy';
}

export interface ActivationMatchingOptions extends ActivationSimilarity {
  /** The architecture. */
  readonly model: Model;
  /** Which units may be permuted: `derivePermutationSpec(forwardGraph(model).logits)`. */
  readonly spec: PermutationSpec;
  /** The reference model: f32 by name, exactly the spec's entries. */
  readonly a: HostTensors;
  /** The model to permute. */
  readonly b: HostTensors;
  /** Images that activations are compared on. */
  readonly data: GpuDataset;
  /** Images at once; decides rounding alone. Default: see `activationPairs`. */
  readonly batchSize?: number;
  /** Images done, after each batch. */
  readonly onProgress?: (done: number) => void;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** What activation matching found. */
export interface ActivationMatchingResult {
  /** For each group, i32: unit i of the permuted B is unit p[i] of B. */
  readonly permutations: Readonly<Record<string, Int32Array>>;
  /** For each group, the sum of similarities of matched units: of the identity, and of what was found. */
  readonly groups: Readonly<Record<string, { readonly identity: number; readonly matched: number }>>;
}

/**
 * Matches B to A.
 * @throws FormatError or DataError naming a tensor that does not fit or is not finite; OptionError for unknown options; UnsupportedError
 * for groups that no value carries as channels; DataError when activations are not finite; the signal's reason when aborted.
 */
export async function activationMatching(
  context: Context,
  options: ActivationMatchingOptions,
): Promise<ActivationMatchingResult> {
  const { model, spec, a, b, data, batchSize, onProgress, signal } = options;
  checkOptions(options);
  const places = placesOfGroups(model, options);
  const taps = [...new Set([...places.values()].flat().map(({ tap }) => tap))];
  const layout = new ArenaLayout(stateEntries(model));
  const arenas = [new Arena(context, layout, 'model A'), new Arena(context, layout, 'model B')] as const;
  try {
    arenas[0].write(a);
    arenas[1].write(b);
    const pairs = await activationPairs(context, {
      taps,
      a: arenas[0],
      b: arenas[1],
      data,
      batchSize,
      onProgress,
      signal,
    });
    const similarity = new Map(
      pairs.map(({ tap, moments }) => [
        tap,
        options.statistic === 'second-moment'
          ? secondMoment(moments)
          : pearsonCorrelation(moments, { epsilon: options.epsilon ?? 0 }),
      ]),
    );
    const permutations: Record<string, Int32Array> = {};
    const groups: Record<string, { identity: number; matched: number }> = {};
    for (const { name, size } of spec.groups) {
      const matrix = new Float64Array(size * size);
      for (const { tap, place } of places.get(name)!) {
        addUnits(matrix, size, similarity.get(tap)!, tap.node.shape[1] as number, place);
      }
      permutations[name] =
        options.assignment === 'greedy'
          ? greedyAssignment(matrix, size)
          : linearSumAssignment(matrix, size).assignment;
      let [identity, matched] = [0, 0];
      permutations[name].forEach((j, i) => {
        identity += matrix[i * size + i]!;
        matched += matrix[i * size + j]!;
      });
      groups[name] = { identity, matched };
    }
    return { permutations, groups };
  } finally {
    for (const arena of arenas) arena.destroy();
  }
}

/** For each group, the values that its units are compared by. */
function placesOfGroups(
  model: Model,
  { read = 'after', streams = 'all' }: ActivationSimilarity,
): Map<string, { tap: Tap; place: GroupPlace }[]> {
  const { logits } = forwardGraph(model);
  const taps = findTaps([logits]);
  const activations = taps
    .filter(({ kind }) => kind === 'activation')
    .map((tap) => (read === 'after' ? tap : { ...tap, node: tap.node.inputs[0]! }));
  const onActivations = deriveActivationPlaces([logits], activations);
  const onAny = deriveActivationPlaces([logits], taps);
  return new Map(
    [...onActivations].map(([group, found]) => {
      // A group that no activation function follows (a linear network) is compared by what its layers compute.
      const places = found.length > 0 ? found : onAny.get(group)!.slice(-1);
      if (places.length === 0) {
        throw new UnsupportedError(
          `activationMatching: no value of ${model.name} has the units of group "${group}" as its channels (a grouped convolution ` +
            'interleaves them); use weight matching',
        );
      }
      return [group, streams === 'all' ? places : places.slice(-1)];
    }),
  );
}

/** Adds the part of a similarity matrix [channels, channels] that belongs to a group's units. */
function addUnits(
  matrix: Float64Array,
  size: number,
  similarity: Float64Array,
  channels: number,
  place: GroupPlace,
): void {
  const starts = unitStarts(place, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) matrix[i * size + j]! += similarity[starts[i]! * channels + starts[j]!]!;
  }
}

function checkOptions(options: ActivationMatchingOptions): void {
  const known = {
    statistic: ['correlation', 'second-moment'],
    read: ['after', 'before'],
    streams: ['all', 'last'],
    assignment: ['optimal', 'greedy'],
  } as const;
  for (const [name, values] of Object.entries(known)) {
    const value = options[name as keyof typeof known];
    if (value !== undefined && !(values as readonly string[]).includes(value)) {
      throw new OptionError(
        `activationMatching: ${name} must be one of ${values.join(', ')}, got "${value}"`,
      );
    }
  }
  if (!((options.epsilon ?? 0) >= 0)) {
    throw new OptionError(`activationMatching: epsilon must be at least 0, got ${options.epsilon}`);
  }
  checkValues('activationMatching', 'model A', options.spec, options.a);
  checkValues('activationMatching', 'model B', options.spec, options.b);
}
