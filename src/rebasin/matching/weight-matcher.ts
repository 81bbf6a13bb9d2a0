/**
 * Permutation coordinate descent on two arenas that stay on the GPU (Ainsworth, Hayase and Srinivasa 2022, "Git Re-Basin", algorithm 1;
 * ALGORITHMS 2.1): permutes the units of B so that <A, pi(B)> is as large as can be reached one group at a time. Each step is a linear
 * sum assignment, solved exactly; a sweep visits every group once; it ends with the first sweep that changes nothing.
 *
 * When a step counts as a gain: C comes from f32 products, the objective L = sum of C[i, p(i)] from C in f64. A new assignment is taken
 * only if L grows by more than 1e-12 and more than 1e-7 ||A_g|| ||B_g||, norms over the tensors that have group g: by Cauchy-Schwarz
 * |L| is at most their product, and rounding in C moves L by about 1e-7 of it over the square root of the units. So rounding noise
 * cannot make groups swap back and forth: what is taken is a gain, and a descent of gains ends. A caller that has the weights on the
 * host can have each sweep checked besides: one that did not raise the objective was noise, is dropped, and the descent has ended.
 *
 * Made to be run again and again while A changes a little: it goes on from the permutations it had, and each assignment starts from the
 * duals of the last one of its group (Ito, Yamada and Kumagai 2025, STE-MM, "accelerated weight matching"). As long as nothing changes,
 * the matrices of all groups come in one reading. Neither alters what is found.
 */
import { RandomStream } from '../../base/random.ts';
import { partialCount, partialDots, sumFloat64 } from '../../kernels/reduce/partials.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { type AssignmentDuals, linearSumAssignment } from '../assignment/assignment.ts';
import { AxisIndexTensors } from '../spec/axis-gathers.ts';
import { checkPermutations, identityPermutations, type Permutations } from '../spec/axis-index.ts';
import type { PermutationGroup, PermutationSpec } from '../spec/permutation-spec.ts';
import { CrossProducts } from './cross-products.ts';

export interface WeightMatcherOptions {
  /** Not quadratic. */
  readonly spec: PermutationSpec;
  /** The reference: holds the spec's scored entries. The caller may change its values between matches. */
  readonly a: Arena;
  /** What is permuted (in thought: the arena is only read). The same entries, values that do not change. */
  readonly b: Arena;
  /** Where the first match starts. Default: the identity. */
  readonly permutations?: Permutations;
  /** Order of visits: `graph` is the spec's, the same in each sweep; `random` a new one for each sweep. Default: `graph`. */
  readonly order?: 'graph' | 'random';
  /** For random orders. Default: 0. */
  readonly seed?: number;
  /** Solves each assignment. Default: `linearSumAssignment`. */
  readonly assign?: typeof linearSumAssignment;
}

export interface DescentOptions {
  /** Default: 100. */
  readonly maxSweeps?: number;
  /** <A, pi(B)> of permutations, exact enough to compare sweeps. Default: sweeps are not checked. */
  readonly objective?: (permutations: Permutations) => number;
  /** Called after each sweep with the groups whose permutation it changed, and the objective where there is one. */
  readonly onSweep?: (changed: number, objective: number | undefined) => void;
  /** Looked at before each group. */
  readonly signal?: AbortSignal | undefined;
}

export interface Descent {
  /** Sweeps made, the last one (which changed nothing, where converged) included. */
  readonly sweeps: number;
  /** Whether it ended by itself, before `maxSweeps`. */
  readonly converged: boolean;
}

/** Most entries of matrices that are fetched ahead: 128 MiB in f64. */
const MAX_AHEAD = 2 ** 24;

export class WeightMatcher {
  readonly #context: Context;
  readonly #options: WeightMatcherOptions;
  readonly #permutations: Record<string, Int32Array>;
  readonly #indices: AxisIndexTensors;
  readonly #products: CrossProducts;
  readonly #neighbours: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #orders: RandomStream;
  readonly #duals = new Map<string, AssignmentDuals>();
  #squaresOfB: ReadonlyMap<string, number> | undefined;
  #sweeps = 0;

  /**
   * The caller destroys the matcher; the arenas stay the caller's.
   * @throws FormatError, ShapeError or DataError when `permutations` do not fit the spec.
   */
  constructor(context: Context, options: WeightMatcherOptions) {
    const { spec, a, b, permutations = identityPermutations(spec), seed = 0 } = options;
    checkPermutations('WeightMatcher', spec, permutations);
    this.#context = context;
    this.#options = options;
    this.#permutations = { ...permutations };
    this.#indices = new AxisIndexTensors(context, spec, permutations);
    this.#products = new CrossProducts(context, spec, a, b, this.#indices);
    this.#neighbours = findNeighbours(spec);
    this.#orders = new RandomStream(seed, 'weight matching: order of visits');
  }

  /**
   * For each group, i32: unit i of the permuted B is unit p[i] of B. A later match replaces the array of a group that changes, and only
   * that: arrays are never written to.
   */
  get permutations(): Permutations {
    return { ...this.#permutations };
  }

  /** Sweeps until one changes nothing. @throws DataError where a product of A and B is not finite. */
  async match(options: DescentOptions = {}): Promise<Descent> {
    const { maxSweeps = 100, objective: objectiveOf, onSweep, signal } = options;
    /** Groups whose assignment problem is what it was when it was last solved: solving it again would change nothing. */
    const settled = new Set<string>();
    const tolerance = this.#tolerances();
    this.#products.referenceChanged();
    let objective = objectiveOf?.(this.#permutations);
    let sweeps = 0;
    for (;;) {
      const before = { ...this.#permutations };
      let changed = await this.#sweep(settled, tolerance, signal);
      sweeps++;
      const reached = changed > 0 ? objectiveOf?.(this.#permutations) : objective;
      const isNoise = changed > 0 && reached !== undefined && reached <= objective!;
      if (isNoise) {
        for (const [name, permutation] of Object.entries(before)) this.#set(name, permutation);
        changed = 0;
      } else objective = reached;
      const converged = changed === 0;
      onSweep?.(changed, objective);
      if (converged || sweeps === maxSweeps) return { sweeps, converged };
    }
  }

  /** Visits every group that is not settled. @returns how many changed. */
  async #sweep(
    settled: Set<string>,
    tolerance: (group: PermutationGroup) => Promise<number>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { assign = linearSumAssignment } = this.#options;
    const visits = this.#visits();
    const matrices = new Map<string, Float64Array>();
    let changed = 0;
    for (const [place, group] of visits.entries()) {
      signal?.throwIfAborted();
      const { name, size } = group;
      if (settled.has(name)) continue;
      settled.add(name);
      // Where a group was solved before, it will hardly change, nor will those after it: one reading for all.
      const ahead = this.#duals.has(name) && changed === 0 ? visits.slice(place + 1) : [];
      const matrix = matrices.get(name) ?? (await this.#fetch(group, ahead, settled, matrices));
      matrices.delete(name);
      const warm = this.#duals.get(name);
      const solved = assign(matrix, size, warm ? { duals: warm } : {});
      this.#duals.set(name, solved.duals);
      const gain = solved.objective - trace(matrix, this.#permutations[name]!);
      if (gain <= 1e-12 || gain <= (await tolerance(group))) continue;
      this.#set(name, solved.assignment);
      for (const neighbour of this.#neighbours.get(name)!) {
        settled.delete(neighbour);
        matrices.delete(neighbour);
      }
      changed++;
    }
    return changed;
  }

  /** Reads the matrix of a group, and puts those of later ones that are to be visited into `matrices`, as many as fit. */
  async #fetch(
    group: PermutationGroup,
    ahead: readonly PermutationGroup[],
    settled: ReadonlySet<string>,
    matrices: Map<string, Float64Array>,
  ): Promise<Float64Array> {
    const groups = [group];
    let entries = group.size * group.size;
    for (const next of ahead) {
      if (settled.has(next.name) || matrices.has(next.name)) continue;
      entries += next.size * next.size;
      if (entries > MAX_AHEAD) break;
      groups.push(next);
    }
    const read = await this.#products.matrices(groups);
    for (const [index, { name }] of groups.entries()) matrices.set(name, read[index]!);
    return read[0]!;
  }

  #visits(): readonly PermutationGroup[] {
    const { spec, order = 'graph' } = this.#options;
    const stream = this.#orders.derive(this.#sweeps++);
    if (order === 'graph') return spec.groups;
    return [...stream.permutation(spec.groups.length)].map((index) => spec.groups[index]!);
  }

  #set(group: string, permutation: Int32Array): void {
    this.#permutations[group] = permutation;
    this.#indices.set(group, permutation);
  }

  /** 1e-7 ||A_g|| ||B_g|| of the values of now. Norms are computed when first asked for: where nothing gains, nobody does. */
  #tolerances(): (group: PermutationGroup) => Promise<number> {
    const { spec, a, b } = this.#options;
    let squaresOfA: ReadonlyMap<string, number> | undefined;
    return async ({ places }) => {
      squaresOfA ??= await squaredNorms(this.#context, spec, a);
      this.#squaresOfB ??= await squaredNorms(this.#context, spec, b);
      const [squares, ofB] = [squaresOfA, this.#squaresOfB];
      const tensors = [...new Set(places.map((place) => place.tensor))];
      const sum = (of: ReadonlyMap<string, number>) =>
        tensors.reduce((total, tensor) => total + (of.get(tensor) ?? 0), 0);
      return 1e-7 * Math.sqrt(sum(squares) * sum(ofB));
    };
  }

  /** Frees what it made, once what is recorded has run. Safe to call twice. */
  destroy(): void {
    this.#products.destroy();
    this.#indices.destroy();
  }
}

/** The squared L2 norm of each scored entry: f32 partial sums, added in f64. */
async function squaredNorms(
  context: Context,
  spec: PermutationSpec,
  arena: Arena,
): Promise<Map<string, number>> {
  const scored = spec.entries.filter((entry) => entry.scored);
  const counts = scored.map(({ shape }) => partialCount(elementCount(shape)));
  const strides = counts.map((count) => Math.ceil(count / 64) * 64); // views start at multiples of 256 bytes
  const partials = context.tensor([strides.reduce((sum, stride) => sum + stride, 0)]);
  try {
    let start = 0;
    const squares: [string, number][] = [];
    for (const [index, { name }] of scored.entries()) {
      const view = arena.view(name);
      const output = {
        buffer: partials.buffer,
        offset: 4 * start,
        shape: [counts[index]!],
        dtype: 'f32' as const,
      };
      context.record(...partialDots(context, { a: view, b: view, output }));
      start += strides[index]!;
    }
    const read = await partials.read();
    start = 0;
    for (const [index, { name }] of scored.entries()) {
      squares.push([name, sumFloat64(read.subarray(start, start + counts[index]!))]);
      start += strides[index]!;
    }
    return new Map(squares);
  } finally {
    partials.destroy();
  }
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
