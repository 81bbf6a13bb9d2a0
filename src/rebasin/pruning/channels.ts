/**
 * Structured pruning: whole units (channels) go, in every tensor at once. A unit of a permutation group is one unit of a residual stream,
 * or of one layer, with everything that computes it and everything that reads it, so networks stay consistent.
 */
import { elementCount } from '../../runtime/kernel.ts';
import { outerOffsets, unitStarts } from '../spec/axis-index.ts';
import type { PermutationGroup, PermutationSpec } from '../spec/permutation-spec.ts';
import type { GroupPlace } from '../spec/unit-groups.ts';
import type { PruningMask } from './masks.ts';
import { Ranking } from './ranking.ts';

/**
 * Chooses units by the L2 norm of their incoming weights, all layers of a stream together, the lowest of each group first.
 * @param values f32 by name, every parameter of the spec.
 * @returns what a share of each group's units (from 0 to 1) removes: their rows, columns, biases, norm scales and shifts, so that nothing
 * goes in, comes out, or is added on the way, whatever the activation. Running statistics stay.
 */
export function channelPruning(
  spec: PermutationSpec,
  values: ReadonlyMap<string, Float32Array>,
): (share: number) => PruningMask {
  const parameters = new Map(
    spec.entries.flatMap(({ name, shape, kind }) => (kind === 'parameter' ? [[name, shape] as const] : [])),
  );
  const groups = spec.groups.map((group) => {
    const places = group.places.filter(({ tensor }) => parameters.has(tensor));
    const norms = squaredNorms({ ...group, places }, parameters, values);
    return { places, ranking: new Ranking(norms, [0, group.size]) };
  });
  return (share) => {
    const mask = new Map([...parameters].map(([name, shape]) => [name, new Uint8Array(elementCount(shape))]));
    for (const { places, ranking } of groups) {
      const removed = ranking.lowest(share);
      for (const place of places) {
        const marked = mask.get(place.tensor)!;
        forEachRun(place, parameters.get(place.tensor)!, removed.length, (unit, start, end) => {
          if (removed[unit]) marked.fill(1, start, end);
        });
      }
    }
    return mask;
  };
}

/** Squared L2 norm of the weights that each unit is computed with: first axes of weights. */
function squaredNorms(
  { size, places }: PermutationGroup,
  shapes: ReadonlyMap<string, readonly number[]>,
  values: ReadonlyMap<string, Float32Array>,
): Float64Array {
  const norms = new Float64Array(size);
  for (const place of places) {
    const shape = shapes.get(place.tensor)!;
    if (place.axis !== 0 || shape.length < 2) continue;
    const weight = values.get(place.tensor)!;
    forEachRun(place, shape, size, (unit, start, end) => {
      for (let i = start; i < end; i++) norms[unit]! += weight[i]! * weight[i]!;
    });
  }
  return norms;
}

/** Calls `visit` with every run of neighbouring elements that belongs to one unit. */
function forEachRun(
  place: GroupPlace,
  shape: readonly number[],
  size: number,
  visit: (unit: number, start: number, end: number) => void,
): void {
  const length = shape[place.axis]!;
  const inner = elementCount(shape.slice(place.axis + 1));
  const outer = elementCount(shape.slice(0, place.axis));
  const starts = unitStarts(place, size);
  const offsets = outerOffsets(place);
  for (let before = 0; before < outer; before++) {
    for (const offset of offsets) {
      starts.forEach((start, unit) => {
        const first = (before * length + offset + start) * inner;
        visit(unit, first, first + place.inner * inner);
      });
    }
  }
}
