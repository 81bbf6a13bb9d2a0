/**
 * The matrix of a group's assignment problem, on the GPU:
 *
 *   C[i, j] = sum over the group's places of <unit i of A, unit j of B with all other groups permuted>
 *
 * (ALGORITHMS 2.1). Each place is one matrix product in f32: `A B^T` where units are rows, `A^T B` where they are columns; anything
 * else (a middle axis, a segment, a factor) is first unfolded to rows by a gather. Products are read back and added in float64 on the
 * host, place after place, so that the order of summation is fixed and adding many places loses nothing.
 */
import { gatherAxis } from '../kernels/gather/gather-axis.ts';
import { matmul } from '../kernels/matmul/matmul.ts';
import type { Arena } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { elementCount, type TensorView } from '../runtime/kernel.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { type AxisIndexTensors, recordAxisGathers } from './axis-gathers.ts';
import { outerOffsets, unitStarts } from './axis-index.ts';
import type { PermutationGroup, PermutationSpec, SpecEntry } from './permutation-spec.ts';
import type { GroupPlace } from './unit-groups.ts';

/** One scored place of a group. */
interface Term {
  readonly entry: SpecEntry;
  /** The shape in which both operands enter the product: [units, rest], or [rest, units] for columns. */
  readonly matrix: readonly [number, number];
  readonly columns: boolean;
  readonly a: TensorView;
  /** u32 [units * rest]: where in the tensor each element of the rows comes from. */
  readonly unfold: Tensor | undefined;
}

/** Floats read back at once: 64 MiB. */
const MAX_READ = 2 ** 24;

export class CrossProducts {
  readonly #context: Context;
  readonly #b: Arena;
  readonly #indices: AxisIndexTensors;
  readonly #terms = new Map<string, Term[]>();
  readonly #owned: Tensor[] = [];
  readonly #spare: Tensor[];
  readonly #unfolded: Tensor;

  /**
   * @param a and b hold the spec's scored entries, and stay the caller's.
   * @param indices current permutations of B; the caller changes them between calls of `matrix`.
   */
  constructor(context: Context, spec: PermutationSpec, a: Arena, b: Arena, indices: AxisIndexTensors) {
    this.#context = context;
    this.#b = b;
    this.#indices = indices;
    const entries = new Map(spec.entries.map((entry) => [entry.name, entry]));
    for (const group of spec.groups) {
      const scored = group.places.filter((place) => entries.get(place.tensor)!.scored);
      this.#terms.set(
        group.name,
        scored.map((place) => this.#term(group, place, entries.get(place.tensor)!, a)),
      );
    }
    const terms = [...this.#terms.values()].flat();
    const size = Math.max(0, ...terms.map(({ entry }) => elementCount(entry.shape)));
    const unfolded = Math.max(0, ...terms.map(({ matrix, unfold }) => (unfold ? elementCount(matrix) : 0)));
    this.#spare = [context.tensor([size]), context.tensor([size])];
    this.#unfolded = context.tensor([unfolded]);
    this.#owned.push(...this.#spare, this.#unfolded);
  }

  /** @returns C, f64 [size, size] row-major, row i for unit i of A, column j for unit j of B as it was before any permutation. */
  async matrix(group: PermutationGroup): Promise<Float64Array> {
    const context = this.#context;
    const { size } = group;
    const terms = this.#terms.get(group.name)!;
    const stride = Math.ceil((size * size) / 64) * 64; // views start at multiples of 256 bytes
    const perRead = Math.min(terms.length, Math.max(1, Math.floor(MAX_READ / stride)));
    const sum = new Float64Array(size * size);
    const products = context.tensor([perRead * stride], 'f32', { label: 'cross products' });
    try {
      for (let first = 0; first < terms.length; first += perRead) {
        const batch = terms.slice(first, first + perRead);
        for (const [slot, term] of batch.entries()) {
          const output = { ...view(products, [size, size]), offset: 4 * slot * stride };
          this.#recordProduct(term, group.name, output);
        }
        const read = await context.read(view(products, [batch.length * stride]));
        for (let slot = 0; slot < batch.length; slot++) {
          for (let k = 0; k < sum.length; k++) sum[k]! += read[slot * stride + k]!;
        }
      }
    } finally {
      products.destroy();
    }
    return sum;
  }

  #recordProduct({ entry, matrix, columns, a, unfold }: Term, group: string, output: TensorView): void {
    const context = this.#context;
    const indices = entry.shape.map((_, axis) => this.#indices.view(entry.name, axis, group));
    const permuted = recordAxisGathers(context, this.#b.view(entry.name), indices, this.#spare);
    const b = unfold
      ? this.#recordUnfold(permuted, unfold, view(this.#unfolded, matrix))
      : { ...permuted, shape: matrix };
    const transpose = columns ? { transposeA: true } : { transposeB: true };
    context.record(...matmul(context, { a, b, output, ...transpose }));
  }

  #recordUnfold(input: TensorView, index: TensorView, output: TensorView): TensorView {
    const size = elementCount(input.shape);
    this.#context.record(...gatherAxis(this.#context, { input, outer: 1, size, inner: 1, index, output }));
    return output;
  }

  #term(group: PermutationGroup, place: GroupPlace, entry: SpecEntry, arena: Arena): Term {
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
      return { entry, matrix, columns: false, a: view(arena.view(entry.name), matrix), unfold: undefined };
    }
    if (whole && inner * after === 1) {
      const matrix = [rest, size] as const;
      return { entry, matrix, columns: true, a: view(arena.view(entry.name), matrix), unfold: undefined };
    }
    const matrix = [size, rest] as const;
    const unfold = this.#context.tensorFrom(unfoldIndex(place, size, before, shape[axis]!, after));
    const a = this.#context.tensor(matrix);
    this.#owned.push(unfold, a);
    this.#recordUnfold(arena.view(entry.name), unfold, a);
    return { entry, matrix, columns: false, a, unfold };
  }

  /** Frees what it made, once what is recorded has run. Safe to call twice. */
  destroy(): void {
    for (const tensor of this.#owned) tensor.destroy();
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
