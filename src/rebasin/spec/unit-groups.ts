/**
 * From atoms to groups of units: segments that every tensor treats alike are one group.
 *
 * With option-A shortcuts the second residual stream is 8 new channels, 16 that come from the first stream, 8 new ones. The two runs of
 * 8 always appear together and in the same role, so any of these 16 channels may take any other's place. The values of all nodes
 * count, not only parameters: two halves of a weight whose outputs are later sliced apart are two groups.
 */
import { type Atom, type Axis, atomsOf } from '../../nn/axes.ts';
import { type Occurrence, occurrencesOn, type TensorAxes } from '../../nn/derive-axes.ts';

/**
 * Where a group's units lie on one axis of one tensor. Unit u of block b (u - b.unit < b.count) has the indices
 * b.start + (u - b.unit) * inner + i + sum of o_k * outer[k].stride, for i < inner and o_k < outer[k].count.
 * The usual place has one block that starts at 0, inner 1 and no outer.
 */
export interface GroupPlace {
  /** Name of the tensor. */
  readonly tensor: string;
  /** Which of its axes. */
  readonly axis: number;
  /** Runs of units, one after another; see above. */
  readonly blocks: readonly { readonly unit: number; readonly start: number; readonly count: number }[];
  /** Neighbouring indices that belong to one unit. */
  readonly inner: number;
  /** How often, and how far apart, all of it repeats. */
  readonly outer: readonly { readonly count: number; readonly stride: number }[];
}

/** Units that one permutation rearranges, in every place at once. */
export interface UnitGroup {
  /** Units. */
  readonly size: number;
  /** Where they lie, on every tensor. */
  readonly places: readonly GroupPlace[];
}

/** A group with the atoms it is made of. */
export interface AtomGroup extends UnitGroup {
  readonly atoms: readonly Atom[];
}

/** A tensor that groups are looked for on. */
export interface NamedAxes {
  readonly name: string;
  readonly axes: readonly Axis[];
}

/**
 * Finds the groups of at least two units that lie on `entries`.
 * @param tensors every tensor of the graph, entries included.
 * @param entries the leaves that have values, in the network's own order.
 */
export function findUnitGroups(tensors: readonly TensorAxes[], entries: readonly NamedAxes[]): AtomGroup[] {
  const signatures = describeRoles(tensors);
  const groups = new Map<string, Set<Atom>>();
  for (const { axes } of entries) {
    for (const atom of axes.flatMap(atomsOf)) {
      if (atom.pinned !== undefined) continue;
      const signature = signatures.get(atom)!;
      groups.set(signature, (groups.get(signature) ?? new Set()).add(atom));
    }
  }
  return [...groups.values()].flatMap((parts) => {
    const atoms = [...parts]; // in the order of the first entry that has them
    const size = atoms.reduce((sum, { size }) => sum + size, 0);
    return size < 2 ? [] : [{ size, atoms, places: findPlaces(atoms, entries) }];
  });
}

/** For each atom, all its occurrences but for their positions: atoms of equal text may change places with each other. */
function describeRoles(tensors: readonly TensorAxes[]): Map<Atom, string> {
  const numbers = new Map<object, number>();
  const number = (thing: object): number => {
    const known = numbers.get(thing) ?? numbers.size;
    numbers.set(thing, known);
    return known;
  };
  const atomNumbers = (axes: readonly Axis[]) =>
    axes.map((axis) => atomsOf(axis).map(number).join('+')).join('x');
  const roles = new Map<Atom, string[]>();
  tensors.forEach(({ axes }, tensor) => {
    axes.forEach((axis, k) => {
      for (const { atom, outer, outside, inside } of occurrencesOn(axis)) {
        if (!roles.has(atom)) roles.set(atom, [[...atom.labels].map(number).sort().join()]);
        const strides = outer.map(({ count, stride }) => `${count}*${stride}`).join();
        roles.get(atom)!.push(`${tensor}.${k}[${atomNumbers(outside)}|${atomNumbers(inside)}|${strides}]`);
      }
    });
  });
  return new Map([...roles].map(([atom, role]) => [atom, role.join(' ')]));
}

/** The n-th occurrences of all parts on one axis are one place: they carry the group's units once. */
export function findPlaces(parts: readonly Atom[], tensors: readonly NamedAxes[]): GroupPlace[] {
  const places: GroupPlace[] = [];
  for (const { name, axes } of tensors) {
    axes.forEach((axis, k) => {
      const occurrences = occurrencesOn(axis);
      const ofPart = parts.map((atom) => occurrences.filter((occurrence) => occurrence.atom === atom));
      for (let n = 0; n < ofPart[0]!.length; n++) {
        const { inner, outer } = ofPart[0]![n]!;
        const blocks = joinBlocks(
          ofPart.map((found) => found[n]!),
          inner,
        );
        places.push({ tensor: name, axis: k, blocks, inner, outer });
      }
    });
  }
  return places;
}

function joinBlocks(parts: readonly Occurrence[], inner: number): GroupPlace['blocks'] {
  const blocks: { unit: number; start: number; count: number }[] = [];
  let unit = 0;
  for (const { atom, start } of parts) {
    const last = blocks.at(-1);
    if (last && last.start + last.count * inner === start) last.count += atom.size;
    else blocks.push({ unit, start, count: atom.size });
    unit += atom.size;
  }
  return blocks;
}
