/**
 * The matrix of a group's assignment problem, on the GPU:
 *
 *   C[i, j] = sum over the group's places of <unit i of A, unit j of B with all other groups permuted>
 *
 * (ALGORITHMS 2.1). Each place is one matrix product in f32: `A B^T` where units are rows, `A^T B` where they are columns; anything
 * else (a middle axis, a segment, a factor) is first unfolded to rows by a gather. Products are read back and added in float64 on the
 * host, place after place, so that the order of summation is fixed and adding many places loses nothing.
 */
import { gatherAxis } from '../../kernels/gather/gather-axis.ts';
import { packedMatmul } from '../../kernels/matmul/packed.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount, type TensorView } from '../../runtime/kernel.ts';
import { Scope } from '../../runtime/scope.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { type AxisIndexTensors, recordAxisGathers } from '../spec/axis-gathers.ts';
import { outerOffsets, unitStarts } from '../spec/axis-index.ts';
import type { PermutationGroup, PermutationSpec, SpecEntry } from '../spec/permutation-spec.ts';
import type { GroupPlace } from '../spec/unit-groups.ts';

/** One scored place of a group. */
interface Term {
  readonly entry: SpecEntry;
  /** The shape in which both operands enter the product: [units, rest], or [rest, units] for columns. */
  readonly matrix: readonly [number, number];
  readonly columns: boolean;
  /** A's operand: a part of its arena, or a copy of its rows. */
  readonly a: TensorView;
  /** u32 [units * rest]: where in the tensor each element of the rows comes from. */
  readonly unfold: Tensor | undefined;
}

/** Floats read back at once: 64 MiB. */
const MAX_READ = 2 ** 24;

export class CrossProducts {
  readonly #context: Context;
  readonly #a: Arena;
  readonly #b: Arena;
  readonly #indices: AxisIndexTensors;
  readonly #terms = new Map<string, Term[]>();
  readonly #scope = new Scope();
  readonly #spare: Tensor[];
  readonly #unfolded: Tensor;

  /**
   * @param a and b hold the spec's scored entries, and stay the caller's; see `referenceChanged`.
   * @param indices current permutations of B; the caller changes them between calls of `matrices`.
   */
  constructor(context: Context, spec: PermutationSpec, a: Arena, b: Arena, indices: AxisIndexTensors) {
    this.#context = context;
    this.#a = a;
    this.#b = b;
    this.#indices = indices;
    const entries = new Map(spec.entries.map((entry) => [entry.name, entry]));
    try {
      for (const group of spec.groups) {
        const scored = group.places.filter((place) => entries.get(place.tensor)!.scored);
        const terms = scored.map((place) => this.#term(group, place, entries.get(place.tensor)!));
        this.#terms.set(group.name, terms);
      }
      const terms = [...this.#terms.values()].flat();
      const size = Math.max(0, ...terms.map(({ entry }) => elementCount(entry.shape)));
      const unfolded = Math.max(0, ...terms.map(({ matrix, unfold }) => (unfold ? elementCount(matrix) : 0)));
      this.#spare = [this.#scope.own(context.tensor([size])), this.#scope.own(context.tensor([size]))];
      this.#unfolded = this.#scope.own(context.tensor([unfolded]));
    } catch (error) {
      this.destroy();
      throw error;
    }
    this.referenceChanged();
  }

  /** To be called when the values of A's arena changed: rows that were unfolded from it are copies. */
  referenceChanged(): void {
    for (const term of [...this.#terms.values()].flat()) {
      if (term.unfold) this.#recordUnfold(this.#a.view(term.entry.name), term.unfold, term.a);
    }
  }

  /**
   * The matrices of groups under the permutations of now, read back together.
   * @returns for each group C, f64 [size, size] row-major, row i for unit i of A, column j for unit j of B as it was before any permutation.
   */
  async matrices(groups: readonly PermutationGroup[]): Promise<Float64Array[]> {
    const sums = groups.map(({ size }) => new Float64Array(size * size));
    const products = groups.flatMap((group, index) =>
      this.#terms.get(group.name)!.map((term) => ({ group, term, sum: sums[index]! })),
    );
    while (products.length > 0) {
      let floats = 0;
      const starts: number[] = [];
      for (const { sum } of products) {
        const stride = Math.ceil(sum.length / 64) * 64; // views start at multiples of 256 bytes
        if (starts.length > 0 && floats + stride > MAX_READ) break;
        starts.push(floats);
        floats += stride;
      }
      await this.#addProducts(products.splice(0, starts.length), starts, floats);
    }
    return sums;
  }

  /** Adds each product, which is read from its start of one tensor, to its sum. */
  async #addProducts(
    products: readonly { group: PermutationGroup; term: Term; sum: Float64Array }[],
    starts: readonly number[],
    floats: number,
  ): Promise<void> {
    const target = this.#context.tensor([floats], 'f32', { label: 'cross products' });
    try {
      for (const [index, { group, term }] of products.entries()) {
        const output = { ...view(target, [group.size, group.size]), offset: 4 * starts[index]! };
        this.#recordProduct(term, group.name, output);
      }
      const read = await target.read();
      for (const [index, { sum }] of products.entries()) {
        const start = starts[index]!;
        for (let k = 0; k < sum.length; k++) sum[k]! += read[start + k]!;
      }
    } finally {
      target.destroy();
    }
  }

  #recordProduct({ entry, matrix, columns, a, unfold }: Term, group: string, output: TensorView): void {
    const context = this.#context;
    const indices = entry.shape.map((_, axis) => this.#indices.view(entry.name, axis, group));
    const permuted = recordAxisGathers(context, this.#b.view(entry.name), indices, this.#spare);
    const b = unfold
      ? this.#recordUnfold(permuted, unfold, view(this.#unfolded, matrix))
      : { ...permuted, shape: matrix };
    const transpose = columns ? { transposeA: true } : { transposeB: true };
    context.record(...packedMatmul(context, { a, b, output, ...transpose, numerics: 'f32' }));
  }

  #recordUnfold(input: TensorView, index: TensorView, output: TensorView): TensorView {
    const size = elementCount(input.shape);
    this.#context.record(...gatherAxis(this.#context, { input, outer: 1, size, inner: 1, index, output }));
    return output;
  }

  #term(group: PermutationGroup, place: GroupPlace, entry: SpecEntry): Term {
    const { size } = group;
    const { shape } = entry;
    const { axis, inner, outer, blocks } = place;
    const repeats = outer.reduce((product, { count }) => product * count, 1);
    const before = elementCount(shape.slice(0, axis));
    const after = elementCount(shape.slice(axis + 1));
    const rest = before * repeats * inner * after;
    const whole = blocks.length === 1 && size * inner * repeats === shape[axis];
    if (whole && before * repeats === 1) {
      const matrix = [size, rest] as const;
      return { entry, matrix, columns: false, a: view(this.#a.view(entry.name), matrix), unfold: undefined };
    }
    if (whole && inner * after === 1) {
      const matrix = [rest, size] as const;
      return { entry, matrix, columns: true, a: view(this.#a.view(entry.name), matrix), unfold: undefined };
    }
    const matrix = [size, rest] as const;
    const unfold = this.#scope.own(
      this.#context.tensorFrom(unfoldIndex(place, size, before, shape[axis]!, after)),
    );
    const a = this.#scope.own(this.#context.tensor(matrix));
    return { entry, matrix, columns: false, a, unfold };
  }

  /** Frees what it made, once what is recorded has run. Safe to call twice. */
  destroy(): void {
    this.#scope.destroy();
  }
}

const view = ({ buffer, offset, dtype }: TensorView, shape: readonly number[]): TensorView => ({
  buffer,
  offset,
  dtype,
  shape,
});

/** Element positions of [unit, before, repetition, inner, after] in a tensor [before, length, after]. */
function unfoldIndex(
  place: GroupPlace,
  size: number,
  before: number,
  length: number,
  after: number,
): Uint32Array {
  const starts = unitStarts(place, size);
  const offsets = outerOffsets(place);
  const run = place.inner * after;
  const index = new Uint32Array(size * before * offsets.length * run);
  let next = 0;
  for (const start of starts) {
    for (let o = 0; o < before; o++) {
      for (const offset of offsets) {
        const first = (o * length + start + offset) * after;
        for (let i = 0; i < run; i++) index[next++] = first + i;
      }
    }
  }
  return index;
}
