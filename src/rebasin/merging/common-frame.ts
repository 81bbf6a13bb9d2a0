/**
 * A common frame: n models of one architecture, each with its units permuted into one order. What merging moves, averages and measures.
 *
 * All sums are float64 on the host, model after model and element after element, so that rounds can be compared. Distances and
 * objectives count scored entries; since permutations keep norms, sum over pairs of <x_i, x_j> grows exactly when the sum over pairs of
 * ||x_i - x_j||^2 falls, which is n times the sum over models of ||x_i - mean||^2.
 */
import type { HostTensors } from '../../runtime/arena.ts';
import { permuteValues } from '../spec/apply-permutation.ts';
import { identityPermutations, type Permutations } from '../spec/axis-index.ts';
import { composePermutations } from '../spec/permutation.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';

/** Sums by entry, f64. */
export type Sums = ReadonlyMap<string, Float64Array>;

/** For each group r[i] = p[q[i]]: permuting by the result is permuting by `p` first, then the result of that by `q`. */
export function composeGroups(p: Permutations, q: Permutations): Record<string, Int32Array> {
  return Object.fromEntries(
    Object.entries(p).map(([name, permutation]) => [name, composePermutations(permutation, q[name]!)]),
  );
}

export class CommonFrame {
  readonly spec: PermutationSpec;
  readonly models: readonly HostTensors[];
  readonly #permutations: Permutations[];
  readonly #aligned: HostTensors[];

  /** Every model as it is. @param models hold every entry of the spec; they are read, never changed. */
  constructor(spec: PermutationSpec, models: readonly HostTensors[]) {
    this.spec = spec;
    this.models = models;
    this.#permutations = models.map(() => identityPermutations(spec));
    this.#aligned = [...models];
  }

  /** For each model, what brings it into the frame. */
  get permutations(): readonly Permutations[] {
    return this.#permutations;
  }

  /** A model in the frame. */
  aligned(model: number): HostTensors {
    return this.#aligned[model]!;
  }

  /** Gives a model other permutations. */
  place(model: number, permutations: Permutations): void {
    this.#permutations[model] = permutations;
    this.#aligned[model] = permuteValues(this.spec, permutations, this.models[model]!);
  }

  /** The sum of some models in the frame, every entry. */
  sum(models: Iterable<number>): Sums {
    const sums = zeros(this.spec, this.models[0]!);
    for (const model of models) addTo(sums, this.#aligned[model]!);
    return sums;
  }

  /** All models but one. */
  others(model: number): number[] {
    return this.models.flatMap((_, other) => (other === model ? [] : [other]));
  }

  /** Mean of all models. @returns fresh f32 arrays, the caller's. */
  mean(): Map<string, Float32Array> {
    return meanOf(this.sum(this.models.keys()), this.models.length);
  }

  /** Root mean square over the models of their L2 distance to the mean of all, over scored entries. */
  spread(): number {
    const { length } = this.models;
    const sums = this.sum(this.models.keys());
    let total = 0;
    for (const model of this.models.keys())
      total += this.#squaredDistance(sums, length, this.#aligned[model]!);
    return Math.sqrt(total / length);
  }

  /** L2 distance over scored entries of some model's values to the mean whose sum over `count` models is given. */
  distance(sums: Sums, count: number, values: HostTensors): number {
    return Math.sqrt(this.#squaredDistance(sums, count, values));
  }

  /** Sum over all pairs of models of their inner product over scored entries: what joint matching maximises. */
  objective(): number {
    const before = zeros(this.spec, this.models[0]!);
    let total = 0;
    for (const values of this.#aligned) {
      for (const { name, scored } of this.spec.entries) {
        if (!scored) continue;
        const [sum, value] = [before.get(name)!, values.get(name)!];
        for (let k = 0; k < sum.length; k++) total += sum[k]! * value[k]!;
      }
      addTo(before, values);
    }
    return total;
  }

  #squaredDistance(sums: Sums, count: number, values: HostTensors): number {
    let total = 0;
    for (const { name, scored } of this.spec.entries) {
      if (!scored) continue;
      const [sum, value] = [sums.get(name)!, values.get(name)!];
      for (let k = 0; k < sum.length; k++) {
        const difference = sum[k]! / count - value[k]!;
        total += difference * difference;
      }
    }
    return total;
  }
}

/** Sums over `count` models to their mean, rounded once to f32. */
export function meanOf(sums: Sums, count: number): Map<string, Float32Array> {
  return new Map([...sums].map(([name, sum]) => [name, Float32Array.from(sum, (value) => value / count)]));
}

/**
 * The weighted mean of models, every entry: f64 sums in the models' order, rounded once to f32. A model of weight 0 does not count at
 * all, and one of weight 1 alone comes out exactly. @returns fresh arrays, the caller's.
 */
export function weightedMean(
  spec: PermutationSpec,
  models: readonly HostTensors[],
  weights: readonly number[],
): Map<string, Float32Array> {
  const sums = zeros(spec, models[0]!);
  for (const [k, values] of models.entries()) {
    const weight = weights[k]!;
    if (weight === 0) continue;
    for (const [name, sum] of sums) {
      const value = values.get(name)!;
      for (let i = 0; i < sum.length; i++) sum[i]! += weight * value[i]!;
    }
  }
  return meanOf(sums, 1);
}

function zeros(spec: PermutationSpec, like: HostTensors): Sums {
  return new Map(spec.entries.map(({ name }) => [name, new Float64Array(like.get(name)!.length)]));
}

function addTo(sums: Sums, values: HostTensors): void {
  for (const [name, sum] of sums) {
    const value = values.get(name)!;
    for (let k = 0; k < sum.length; k++) sum[k]! += value[k]!;
  }
}
