/**
 * Applies permutations to a model: pure copies, so applying the inverses afterwards gives back every bit (NaNs included).
 * `permuteValues` works on a state dict on the host, `permuteArena` from one arena to another on the GPU.
 */
import { FormatError } from '../../base/errors.ts';
import type { Arena, HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { AxisIndexTensors, recordAxisGathers } from './axis-gathers.ts';
import { axisIndex, axisLayouts, checkPermutations, type Permutations } from './axis-index.ts';
import { invertPermutation } from './permutation.ts';
import type { PermutationSpec } from './permutation-spec.ts';

/** The inverse of every permutation. */
export function invertPermutations(permutations: Permutations): Record<string, Int32Array> {
  return Object.fromEntries(Object.entries(permutations).map(([name, p]) => [name, invertPermutation(p)]));
}

/**
 * Permutes a state dict.
 * @param values f32 by name, one for every entry of the spec.
 * @returns fresh arrays, owned by the caller.
 * @throws FormatError naming the entry that is missing or has another length; see also `checkPermutations`.
 */
export function permuteValues(
  spec: PermutationSpec,
  permutations: Permutations,
  values: HostTensors,
): Map<string, Float32Array> {
  checkPermutations('permuteValues', spec, permutations);
  const layouts = axisLayouts(spec);
  const permuted = new Map<string, Float32Array>();
  for (const { name, shape } of spec.entries) {
    const value = values.get(name);
    if (value?.length !== elementCount(shape)) {
      throw new FormatError(
        `permuteValues: "${name}" of shape [${shape}] needs ${elementCount(shape)} values, got ${value?.length ?? 'none'}`,
      );
    }
    let result = value.slice();
    for (const [axis, layout] of layouts.get(name)!.entries()) {
      const index = axisIndex(layout, permutations);
      if (index) result = gatherOnHost(result, index, elementCount(shape.slice(axis + 1)));
    }
    permuted.set(name, result);
  }
  return permuted;
}

/** Copies elements as bits: a float32 NaN may lose its payload when it passes through a number. */
function gatherOnHost(values: Float32Array, index: Uint32Array, inner: number): Float32Array<ArrayBuffer> {
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const to = new Uint32Array(values.length);
  const size = index.length * inner;
  for (let start = 0; start < values.length; start += size) {
    for (let k = 0; k < index.length; k++) {
      const source = start + index[k]! * inner;
      const target = start + k * inner;
      for (let i = 0; i < inner; i++) to[target + i] = from[source + i]!;
    }
  }
  return new Float32Array(to.buffer);
}

/**
 * Records the permutation of every entry of `source` into `target`: one gather for each permuted axis, a copy where there is none.
 * @param source not changed.
 * @param target has every entry of the spec that `source` has, in another buffer. Entries that only one of them has are left alone,
 * so that parameters and buffers can live in arenas of their own.
 */
export function permuteArena(
  context: Context,
  spec: PermutationSpec,
  permutations: Permutations,
  source: Arena,
  target: Arena,
): void {
  checkPermutations('permuteArena', spec, permutations);
  const entries = spec.entries.filter(({ name }) => source.layout.has(name) && target.layout.has(name));
  const indices = new AxisIndexTensors(context, spec, permutations);
  const size = Math.max(0, ...entries.map(({ shape }) => elementCount(shape)));
  const spare = [context.tensor([size]), context.tensor([size])];
  try {
    for (const { name, shape } of entries) {
      const onAxes = shape.map((_, axis) => indices.view(name, axis));
      recordAxisGathers(context, source.view(name), onAxes, spare, target.view(name));
    }
  } finally {
    for (const tensor of spare) tensor.destroy();
    indices.destroy();
  }
}
