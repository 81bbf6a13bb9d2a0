/**
 * The permutation spec of a network, derived from its graph: which groups of units can be permuted, and where each group lies on which
 * axes of which tensors (ALGORITHMS section 1). Nobody writes one by hand.
 *
 * A spec is plain data: it can be kept as JSON. It needs no GPU.
 */
import { ShapeError } from '../../base/errors.ts';
import { type Atom, atomsOf } from '../../nn/axes.ts';
import { deriveAxes, type TensorAxes } from '../../nn/derive-axes.ts';
import type { LeafAttributes, Node } from '../../nn/graph.ts';
import type { Tap } from '../../nn/taps.ts';
import {
  type AtomGroup,
  findPlaces,
  findUnitGroups,
  type GroupPlace,
  type UnitGroup,
} from './unit-groups.ts';

/** Units that one permutation rearranges, in every place at once. */
export interface PermutationGroup extends UnitGroup {
  /** The module whose weight produces the units, such as `fc1` or `layer1.0.conv1`; unique. */
  readonly name: string;
}

/** One tensor of the state dict, and what is done to it. */
export interface SpecEntry {
  /** Of the tensor. */
  readonly name: string;
  /** Elements along each axis. */
  readonly shape: readonly number[];
  /** Parameter or buffer. */
  readonly kind: 'parameter' | 'buffer';
  /** Whether any group lies on it. */
  readonly permuted: boolean;
  /** Whether it counts in the matching objective and the distance: running statistics do not. */
  readonly scored: boolean;
  /** Whether it is mixed between networks. */
  readonly interpolated: boolean;
  /** Whether weight decay applies. */
  readonly decayed: boolean;
  /** Whether training changes it by its gradient. */
  readonly trained: boolean;
  /** Axes, or parts of axes, that cannot be permuted, and why. */
  readonly pinned: readonly { readonly axis: number; readonly reason: string }[];
}

/** Every permutation symmetry of a network: which units go together, and where they lie on each tensor. */
export interface PermutationSpec {
  /** In the order of the first weight that produces them. */
  readonly groups: readonly PermutationGroup[];
  /** In the network's own order. */
  readonly entries: readonly SpecEntry[];
  /** Tensors that have one group on several axes: the matching objective is quadratic in that group's permutation. */
  readonly quadratic: readonly {
    readonly tensor: string;
    readonly group: string;
    readonly axes: readonly number[];
  }[];
}

/**
 * Derives the spec of the network that computes `outputs`.
 * @param outputs usually the logits in evaluation mode; their axes are not permuted.
 * @throws ShapeError where a parameter and a buffer have one name.
 */
export function derivePermutationSpec(outputs: readonly Node[]): PermutationSpec {
  const { groups, entries } = deriveGroups(deriveAxes(outputs));
  const described = groups.map(({ name, size, places }) => ({ name, size, places }));
  const permuted = new Set(groups.flatMap((group) => group.places.map((place) => place.tensor)));
  return {
    groups: described,
    entries: entries.map((entry) => describeEntry(entry, permuted.has(entry.leaf.name))),
    quadratic: described.flatMap(findQuadratic),
  };
}

/**
 * Where each group's units lie on values of the network that computes `outputs`: on axis 1 of a tap [N, C, ...], once, each unit one
 * channel. Taps on which a group lies otherwise (flattened, interleaved) are left out.
 * @returns for each group's name the taps that carry it, in the network's own order.
 */
export function deriveActivationPlaces(
  outputs: readonly Node[],
  taps: readonly Tap[],
): Map<string, { readonly tap: Tap; readonly place: GroupPlace }[]> {
  const tensors = deriveAxes(outputs);
  const byNode = new Map(tensors.map(({ node, axes }) => [node, axes]));
  return new Map(
    deriveGroups(tensors).groups.map(({ name, atoms }) => [
      name,
      taps.flatMap((tap) => {
        const places = findPlaces(atoms, [{ name: tap.name, axes: byNode.get(tap.node)! }]);
        const [place] = places;
        const plain =
          places.length === 1 && place!.axis === 1 && place!.inner === 1 && place!.outer.length === 0;
        return plain ? [{ tap, place: place! }] : [];
      }),
    ]),
  );
}

function deriveGroups(tensors: readonly TensorAxes[]): {
  groups: (AtomGroup & { readonly name: string })[];
  entries: EntryAxes[];
} {
  const entries = tensors.filter(isEntry);
  const names = entries.map((entry) => entry.leaf.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ShapeError(
      `derivePermutationSpec: "${twice}" is a parameter and a buffer; give one of them another name`,
    );
  }
  const named = entries.map(({ leaf, axes }) => ({ name: leaf.name, axes }));
  return { groups: nameGroups(findUnitGroups(tensors, named), entries), entries };
}

type EntryAxes = TensorAxes & { readonly leaf: LeafAttributes };

function isEntry(tensor: TensorAxes): tensor is EntryAxes {
  return tensor.leaf !== undefined && tensor.leaf.kind !== 'input';
}

function describeEntry(entry: EntryAxes, permuted: boolean): SpecEntry {
  const kind = entry.leaf.kind === 'buffer' ? 'buffer' : 'parameter';
  const trained = kind === 'parameter';
  const reasons = (atoms: readonly Atom[]) =>
    new Set(atoms.flatMap(({ pinned }) => (pinned === undefined ? [] : [pinned])));
  return {
    name: entry.leaf.name,
    shape: entry.shape as readonly number[],
    kind,
    permuted,
    scored: trained,
    interpolated: true,
    decayed: trained,
    trained,
    pinned: entry.axes.flatMap((axis, k) =>
      [...reasons(atomsOf(axis))].map((reason) => ({ axis: k, reason })),
    ),
  };
}

/** Orders groups by the first weight that has them (tensors of one axis count only where nothing else has them) and names them after it. */
function nameGroups<Group extends UnitGroup>(
  found: readonly Group[],
  entries: readonly EntryAxes[],
): (Group & { readonly name: string })[] {
  const rank = new Map(entries.map((entry, index) => [entry.leaf.name, { index, axes: entry.shape.length }]));
  const producer = (group: UnitGroup): GroupPlace =>
    group.places.find((place) => rank.get(place.tensor)!.axes >= 2) ?? group.places[0]!;
  const sorted = found
    .map((group) => ({ group, place: producer(group) }))
    .sort(
      (x, y) =>
        rank.get(x.place.tensor)!.index - rank.get(y.place.tensor)!.index ||
        x.place.axis - y.place.axis ||
        x.place.blocks[0]!.start - y.place.blocks[0]!.start,
    );
  const used = new Map<string, number>();
  return sorted.map(({ group, place }) => {
    const module = place.tensor.includes('.')
      ? place.tensor.slice(0, place.tensor.lastIndexOf('.'))
      : place.tensor;
    const count = (used.get(module) ?? 0) + 1;
    used.set(module, count);
    return { name: count === 1 ? module : `${module}#${count}`, ...group };
  });
}

function findQuadratic(group: PermutationGroup): PermutationSpec['quadratic'][number][] {
  const axes = new Map<string, Set<number>>();
  for (const { tensor, axis } of group.places) axes.set(tensor, (axes.get(tensor) ?? new Set()).add(axis));
  return [...axes].flatMap(([tensor, on]) =>
    on.size > 1 ? [{ tensor, group: group.name, axes: [...on] }] : [],
  );
}
