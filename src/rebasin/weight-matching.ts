/**
 * Weight matching by permutation coordinate descent (Ainsworth, Hayase and Srinivasa 2022, "Git Re-Basin", algorithm 1; ALGORITHMS
 * 2.1): permutes the units of B so that <A, pi(B)> is as large as can be reached one group at a time. Each step is a linear sum
 * assignment, solved exactly; a sweep visits every group once; it ends with the first sweep that changes nothing.
 *
 * When a step counts as a gain: C comes from f32 products, the objective L = sum of C[i, p(i)] from C in f64. A new assignment is taken
 * only if L grows by more than 1e-12 and more than 1e-7 ||A_g|| ||B_g||, norms over the tensors that have group g: by Cauchy-Schwarz
 * |L| is at most their product, and rounding in C moves L by about 1e-7 of it over the square root of the units. So rounding noise
 * cannot make groups swap back and forth. Besides, the objective of each sweep is computed in f64 from the weights; should it not be
 * above the last one, the sweep was noise: its permutations are dropped and the descent has ended.
 *
 * Finds a local optimum, which depends on the order of visits. Networks whose objective is quadratic in a group are refused.
 */
import { OptionError, UnsupportedError } from '../base/errors.ts';
import { RandomStream } from '../base/random.ts';
import { Arena, ArenaLayout, type HostTensors } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { permuteValues } from './apply-permutation.ts';
import { type AssignmentDuals, linearSumAssignment } from './assignment.ts';
import { AxisIndexTensors } from './axis-gathers.ts';
import { identityPermutations } from './axis-index.ts';
import { CrossProducts } from './cross-products.ts';
import { checkValues, scoredDistance, scoredObjective } from './objective.ts';
import type { PermutationGroup, PermutationSpec } from './permutation-spec.ts';

export interface WeightMatchingOptions {
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

export interface MatchingProgress {
  /** Sweeps done. */
  readonly sweep: number;
  readonly maxSweeps: number;
  /** <A, pi(B)> over scored entries. */
  readonly objective: number;
  /** Groups whose permutation changed in this sweep. */
  readonly changed: number;
}

export interface WeightMatchingResult {
  /** For each group, i32: unit i of the permuted B is unit p[i] of B. */
  readonly permutations: Readonly<Record<string, Int32Array>>;
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
  const { spec, a, b, maxSweeps = 100 } = options;
  checkOptions(options, maxSweeps);
  const scored = spec.entries.filter((entry) => entry.scored);
  const layout = new ArenaLayout(scored);
  const arenas = [new Arena(context, layout, 'model A'), new Arena(context, layout, 'model B')] as const;
  const permutations = identityPermutations(spec);
  const indices = new AxisIndexTensors(context, spec, permutations);
  let products: CrossProducts | undefined;
  try {
    arenas[0].write(a);
    arenas[1].write(b);
    products = new CrossProducts(context, spec, ...arenas, indices);
    const { converged, objectivePerSweep } = await descend(
      options,
      maxSweeps,
      products,
      indices,
      permutations,
    );
    const matched = permuteValues(spec, permutations, b);
    return {
      permutations,
      objective: { before: scoredObjective(spec, a, b), after: scoredObjective(spec, a, matched) },
      distance: { before: scoredDistance(spec, a, b), after: scoredDistance(spec, a, matched) },
      sweeps: objectivePerSweep.length,
      converged,
      objectivePerSweep,
    };
  } finally {
    products?.destroy();
    indices.destroy();
    for (const arena of arenas) arena.destroy();
  }
}

/** Sweeps until one changes nothing. Changes `permutations` and `indices` as it goes. */
async function descend(
  { spec, a, b, order = 'graph', seed = 0, onProgress, signal }: WeightMatchingOptions,
  maxSweeps: number,
  products: CrossProducts,
  indices: AxisIndexTensors,
  permutations: Record<string, Int32Array>,
): Promise<{ converged: boolean; objectivePerSweep: number[] }> {
  const orders = new RandomStream(seed, 'weight matching: order of visits');
  const tolerances = new Map(spec.groups.map((group) => [group.name, tolerance(group, spec, a, b)]));
  const duals = new Map<string, AssignmentDuals>();
  const neighbours = findNeighbours(spec);
  /** Groups whose assignment problem is what it was when it was last solved: solving it again would change nothing. */
  const settled = new Set<string>();
  const objectivePerSweep: number[] = [];
  let objective = scoredObjective(spec, a, b);
  let converged = false;
  while (!converged && objectivePerSweep.length < maxSweeps) {
    const sweep = objectivePerSweep.length;
    const before = { ...permutations };
    let changed = 0;
    for (const group of visits(spec.groups, order, orders.derive(sweep))) {
      signal?.throwIfAborted();
      if (settled.has(group.name)) continue;
      settled.add(group.name);
      const matrix = await products.matrix(group);
      const warm = duals.get(group.name);
      const solved = linearSumAssignment(matrix, group.size, warm ? { duals: warm } : {});
      duals.set(group.name, solved.duals);
      const gain = solved.objective - trace(matrix, permutations[group.name]!);
      if (gain <= tolerances.get(group.name)!) continue;
      permutations[group.name] = solved.assignment;
      indices.set(group.name, solved.assignment);
      for (const neighbour of neighbours.get(group.name)!) settled.delete(neighbour);
      changed++;
    }
    const reached = changed > 0 ? scoredObjective(spec, a, permuteValues(spec, permutations, b)) : objective;
    converged = reached <= objective;
    if (converged) Object.assign(permutations, before);
    else objective = reached;
    objectivePerSweep.push(objective);
    onProgress?.({ sweep: sweep + 1, maxSweeps, objective, changed: converged ? 0 : changed });
  }
  return { converged, objectivePerSweep };
}

function visits(
  groups: readonly PermutationGroup[],
  order: 'graph' | 'random',
  stream: RandomStream,
): readonly PermutationGroup[] {
  if (order === 'graph') return groups;
  return [...stream.permutation(groups.length)].map((index) => groups[index]!);
}

/** For each group, the others that share a scored tensor with it: their assignment problems depend on its permutation. */
function findNeighbours(spec: PermutationSpec): Map<string, Set<string>> {
  const scored = new Set(spec.entries.flatMap((entry) => (entry.scored ? [entry.name] : [])));
  const onTensor = new Map<string, string[]>();
  for (const { name, places } of spec.groups) {
    for (const { tensor } of places) {
      if (scored.has(tensor)) onTensor.set(tensor, [...(onTensor.get(tensor) ?? []), name]);
    }
  }
  const neighbours = new Map(spec.groups.map(({ name }) => [name, new Set<string>()]));
  for (const groups of onTensor.values()) {
    for (const one of groups) for (const other of groups) if (one !== other) neighbours.get(one)!.add(other);
  }
  return neighbours;
}

/** sum_i C[i, p(i)] in f64, in row order. */
function trace(matrix: Float64Array, permutation: Int32Array): number {
  let sum = 0;
  permutation.forEach((j, i) => {
    sum += matrix[i * permutation.length + j]!;
  });
  return sum;
}

/** The gain below which a step is taken for noise; see the head of this file. */
function tolerance(group: PermutationGroup, spec: PermutationSpec, a: HostTensors, b: HostTensors): number {
  const on = new Set(group.places.map((place) => place.tensor));
  const parts = { ...spec, entries: spec.entries.filter((entry) => on.has(entry.name)) };
  const squares = scoredObjective(parts, a, a) * scoredObjective(parts, b, b);
  return Math.max(1e-12, 1e-7 * Math.sqrt(squares));
}

function checkOptions({ spec, a, b, order = 'graph' }: WeightMatchingOptions, maxSweeps: number): void {
  if (order !== 'graph' && order !== 'random') {
    throw new OptionError(`weightMatching: order must be "graph" or "random", got "${String(order)}"`);
  }
  if (!Number.isInteger(maxSweeps) || maxSweeps < 1) {
    throw new OptionError(`weightMatching: maxSweeps must be a positive integer, got ${maxSweeps}`);
  }
  checkValues('weightMatching', 'model A', spec, a);
  checkValues('weightMatching', 'model B', spec, b);
  const [quadratic] = spec.quadratic;
  if (quadratic) {
    throw new UnsupportedError(
      `weightMatching: group "${quadratic.group}" lies on the axes ${quadratic.axes.join(' and ')} of "${quadratic.tensor}", ` +
        'which makes the objective quadratic in its permutation; only linear objectives can be matched',
    );
  }
}
