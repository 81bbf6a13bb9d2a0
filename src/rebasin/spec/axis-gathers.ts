/** Permuting axes on the GPU: index tensors that are uploaded when a permutation changes, and the chain of gathers of one tensor. */
import { gatherAxis } from '../../kernels/gather/gather-axis.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount, type TensorView } from '../../runtime/kernel.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { type AxisLayout, axisIndex, axisLayouts, type Permutations } from './axis-index.ts';
import type { PermutationSpec } from './permutation-spec.ts';

interface CachedIndex {
  readonly layout: AxisLayout;
  /** Made when the index is first not the identity. */
  tensor: Tensor | undefined;
  state: 'stale' | 'identity' | 'uploaded';
}

/** Index tensors, u32 [axis length], of current permutations. Axes that lie alike share one. */
export class AxisIndexTensors {
  readonly #context: Context;
  readonly #layouts: ReadonlyMap<string, readonly AxisLayout[]>;
  readonly #permutations: Record<string, Int32Array>;
  readonly #cache = new Map<string, CachedIndex>();

  /** The caller destroys it. `permutations` must have been checked. */
  constructor(context: Context, spec: PermutationSpec, permutations: Permutations) {
    this.#context = context;
    this.#layouts = axisLayouts(spec);
    this.#permutations = { ...permutations };
  }

  /** Changes the permutation of one group. Views of it that are recorded already see the old one. */
  set(group: string, permutation: Int32Array): void {
    this.#permutations[group] = permutation;
    for (const cached of this.#cache.values()) {
      if (cached.layout.places.some((item) => item.group === group)) cached.state = 'stale';
    }
  }

  /**
   * The index of an axis, for `gatherAxis`; undefined where nothing moves. Valid until the next `set` or `destroy`.
   * @param without a group to leave as it is.
   */
  view(tensor: string, axis: number, without?: string): TensorView | undefined {
    const layout = this.#layouts.get(tensor)![axis]!;
    const places = layout.places.filter((item) => item.group !== without);
    if (places.length === 0) return undefined;
    const key = JSON.stringify([
      layout.length,
      places.map(({ group, place: { blocks, inner, outer } }) => [group, blocks, inner, outer]),
    ]);
    let cached = this.#cache.get(key);
    if (!cached) {
      cached = { layout: { length: layout.length, places }, tensor: undefined, state: 'stale' };
      this.#cache.set(key, cached);
    }
    if (cached.state === 'stale') this.#upload(cached);
    return cached.state === 'identity' ? undefined : cached.tensor;
  }

  #upload(cached: CachedIndex): void {
    const index = axisIndex(cached.layout, this.#permutations);
    cached.state = index ? 'uploaded' : 'identity';
    if (!index) return;
    cached.tensor ??= this.#context.tensor([cached.layout.length], 'u32', { label: 'axis index' });
    this.#context.write(cached.tensor, index);
  }

  /** Frees the tensors, once what is recorded has run. */
  destroy(): void {
    for (const { tensor } of this.#cache.values()) tensor?.destroy();
    this.#cache.clear();
  }
}

/**
 * Records gathers along several axes of one tensor, one dispatch each.
 * @param indices for each axis u32 [length], or undefined to leave it alone.
 * @param spare two tensors of at least the input's size, for what lies between (and, without `output`, for the result).
 * @param output where the result goes; without axes to permute it is a copy.
 * @returns the view that holds the result: `output`, else one of `spare`, else the input itself.
 */
export function recordAxisGathers(
  context: Context,
  input: TensorView,
  indices: readonly (TensorView | undefined)[],
  spare: readonly TensorView[],
  output?: TensorView,
): TensorView {
  const { shape } = input;
  const steps = indices.flatMap((index, axis) => (index ? [{ index, axis }] : []));
  if (steps.length === 0 && output) {
    const bytes = 4 * elementCount(shape);
    context.recorder.copy(input.buffer, input.offset, output.buffer, output.offset, bytes);
    return output;
  }
  let result = input;
  for (const [n, { index, axis }] of steps.entries()) {
    const last = n === steps.length - 1;
    const next = last && output ? output : { ...input, buffer: spare[n % 2]!.buffer, offset: 0 };
    const [outer, inner] = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis + 1))];
    const size = shape[axis]!;
    context.record(...gatherAxis(context, { input: result, outer, size, inner, index, output: next }));
    result = next;
  }
  return result;
}
