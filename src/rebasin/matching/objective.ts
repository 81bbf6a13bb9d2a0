/**
 * What matching maximises, <A, pi(B)>, and what it thereby minimises, ||A - pi(B)||: sums over the scored entries of a spec, in float64
 * on the host, element after element in the order of the entries: exact enough to compare sweeps, and the same bits everywhere.
 */
import { DataError, FormatError } from '../../base/errors.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import { elementCount } from '../../runtime/kernel.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';

/** Inner product over scored entries: sum of a * b. */
export function scoredObjective(spec: PermutationSpec, a: HostTensors, b: HostTensors): number {
  return sumOverScored(spec, a, b, (x, y) => x * y);
}

/** L2 distance over scored entries. */
export function scoredDistance(spec: PermutationSpec, a: HostTensors, b: HostTensors): number {
  return Math.sqrt(sumOverScored(spec, a, b, (x, y) => (x - y) * (x - y)));
}

/** What matching took of a distance, as a share of it: 0 where there was none, negative where networks came farther apart. */
export function distanceReduction(before: number, after: number): number {
  return before === 0 ? 0 : (before - after) / before;
}

function sumOverScored(
  spec: PermutationSpec,
  a: HostTensors,
  b: HostTensors,
  term: (x: number, y: number) => number,
): number {
  let sum = 0;
  for (const { name, scored } of spec.entries) {
    if (!scored) continue;
    const [x, y] = [a.get(name)!, b.get(name)!];
    for (let i = 0; i < x.length; i++) sum += term(x[i]!, y[i]!);
  }
  return sum;
}

/**
 * Checks that values are those of the spec's network: every entry, nothing else, finite numbers.
 * @param label what errors call the model, such as `model A`.
 * @throws FormatError naming a tensor that is missing, extra or of another length; DataError naming one that holds NaN or infinity.
 */
export function checkValues(caller: string, label: string, spec: PermutationSpec, values: HostTensors): void {
  const names = new Set(spec.entries.map(({ name }) => name));
  for (const name of values.keys()) {
    if (!names.has(name)) {
      throw new FormatError(
        `${caller}: ${label} has "${name}", which the network does not have; are both models of one architecture?`,
      );
    }
  }
  for (const { name, shape } of spec.entries) {
    const value = values.get(name);
    if (value?.length !== elementCount(shape)) {
      throw new FormatError(
        `${caller}: "${name}" of shape [${shape}] needs ${elementCount(shape)} values, ${label} has ${value?.length ?? 'none'}`,
      );
    }
    const bad = value.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      throw new DataError(
        `${caller}: "${name}" of ${label} has ${value[bad]} at element ${bad}; its training diverged, or the file is damaged`,
      );
    }
  }
}
