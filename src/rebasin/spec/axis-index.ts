/**
 * From permutations of groups to index arrays of axes: whatever groups, segments and factors an axis has, permuting it is one gather
 * `permuted[k] = original[index[k]]`. Host only.
 */
import { FormatError, ShapeError } from '../../base/errors.ts';
import { assertPermutation, identityPermutation } from './permutation.ts';
import type { PermutationSpec } from './permutation-spec.ts';
import type { GroupPlace } from './unit-groups.ts';

/** A permutation of each group, i32 in the gather convention: unit i of the permuted model is unit p[i] of the original. */
export type Permutations = Readonly<Record<string, Int32Array>>;

/** The groups on one axis of one tensor. */
export interface AxisLayout {
  readonly length: number;
  readonly places: readonly { readonly group: string; readonly place: GroupPlace }[];
}

/** For each tensor of the spec, the layout of each of its axes. */
export function axisLayouts(spec: PermutationSpec): Map<string, AxisLayout[]> {
  const places = spec.groups.flatMap(({ name, places }) => places.map((place) => ({ group: name, place })));
  const byTensor = new Map<string, typeof places>();
  for (const item of places) {
    const { tensor } = item.place;
    byTensor.set(tensor, [...(byTensor.get(tensor) ?? []), item]);
  }
  return new Map(
    spec.entries.map(({ name, shape }) => [
      name,
      shape.map((length, axis) => ({
        length,
        places: (byTensor.get(name) ?? []).filter(({ place }) => place.axis === axis),
      })),
    ]),
  );
}

/**
 * The index array of an axis, u32 [length], or undefined where it is the identity.
 * @param without a group to leave as it is.
 */
export function axisIndex(
  layout: AxisLayout,
  permutations: Permutations,
  without?: string,
): Uint32Array | undefined {
  let index: Uint32Array | undefined;
  for (const { group, place } of layout.places) {
    const permutation = permutations[group]!;
    if (group === without || permutation.every((from, to) => from === to)) continue;
    const step = placeIndex(place, permutation, layout.length);
    const before = index;
    // Places on one axis are disjoint, or different factors of one product: in which order they come does not matter.
    index = before ? step.map((from) => before[from]!) : step;
  }
  return index;
}

function placeIndex(place: GroupPlace, permutation: Int32Array, length: number): Uint32Array {
  const starts = unitStarts(place, permutation.length);
  const index = Uint32Array.from({ length }, (_, k) => k);
  for (const offset of outerOffsets(place)) {
    permutation.forEach((from, to) => {
      for (let i = 0; i < place.inner; i++) index[offset + starts[to]! + i] = offset + starts[from]! + i;
    });
  }
  return index;
}

/** Where on its axis each unit of a group begins, but for the outer offsets. */
export function unitStarts(place: GroupPlace, size: number): Uint32Array {
  const starts = new Uint32Array(size);
  for (const { unit, start, count } of place.blocks) {
    for (let k = 0; k < count; k++) starts[unit + k] = start + k * place.inner;
  }
  return starts;
}

/** What has to be added to a unit's start to find each of its repetitions. */
export function outerOffsets(place: GroupPlace): number[] {
  return place.outer.reduce<number[]>(
    (offsets, { count, stride }) =>
      offsets.flatMap((offset) => Array.from({ length: count }, (_, k) => offset + k * stride)),
    [0],
  );
}

/** The identity for every group. */
export function identityPermutations(spec: PermutationSpec): Record<string, Int32Array> {
  return Object.fromEntries(spec.groups.map(({ name, size }) => [name, identityPermutation(size)]));
}

/**
 * Checks that there is a permutation of the right size for every group and none besides.
 * @throws FormatError for missing and extra groups, ShapeError for wrong sizes, DataError for arrays that are no permutations.
 */
export function checkPermutations(caller: string, spec: PermutationSpec, permutations: Permutations): void {
  const expected = spec.groups.map(({ name }) => name);
  const extra = Object.keys(permutations).find((name) => !expected.includes(name));
  const missing = expected.find((name) => !Object.hasOwn(permutations, name));
  if (extra !== undefined || missing !== undefined) {
    throw new FormatError(
      `${caller}: expected permutations of the groups ${expected.join(', ') || '(none)'}, ` +
        `got ${missing === undefined ? `one of "${extra}"` : `none of "${missing}"`}`,
    );
  }
  for (const { name, size } of spec.groups) {
    const permutation = permutations[name]!;
    if (permutation.length !== size) {
      throw new ShapeError(
        `${caller}: group "${name}" has ${size} units, got a permutation of ${permutation.length}`,
      );
    }
    assertPermutation(permutation, `${caller}: group "${name}"`);
  }
}
