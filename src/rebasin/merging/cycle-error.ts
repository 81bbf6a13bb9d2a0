/** The cycle error of maps between models: how far going from one to the next and back round leads away from where one began. */
import { invertPermutations } from '../spec/apply-permutation.ts';
import { identityPermutations, type Permutations } from '../spec/axis-index.ts';
import { hammingDistance } from '../spec/permutation.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { composeGroups } from './common-frame.ts';

/** What matches model `from` to model `to`: unit i of `to` corresponds to unit p[i] of `from`. */
export type PairMap = (to: number, from: number) => Permutations;

/**
 * The mean, over all triples i -> j -> k -> i of models and all groups, of the fraction of units that do not come back to themselves
 * (the cycle consistency of Crisostomi et al. 2024, "C2M3", counted in units). From 0 to 1. A triple's direction and first model do not
 * change its fraction where maps back are inverses, so each triple is counted once.
 * @returns 0 where there are no triples or no groups.
 */
export function cycleError(spec: PermutationSpec, count: number, map: PairMap): number {
  const identity = identityPermutations(spec);
  let [total, terms] = [0, 0];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      for (let k = j + 1; k < count; k++) {
        const round = composeGroups(map(k, i), composeGroups(map(j, k), map(i, j)));
        for (const { name, size } of spec.groups) {
          total += hammingDistance(round[name]!, identity[name]!) / size;
          terms++;
        }
      }
    }
  }
  return terms === 0 ? 0 : total / terms;
}

/** The maps that models have through a common frame: from a model's unit to its slot, and to the unit in that slot of the other. */
export function mapsThroughFrame(permutations: readonly Permutations[]): PairMap {
  const inverses = permutations.map(invertPermutations);
  return (to, from) => composeGroups(permutations[from]!, inverses[to]!);
}
