/**
 * Weight matching from state dicts to permutations. B is A with its units shuffled and a little noise, so the right answer is known: the
 * shuffle undone.
 */
import { RandomStream } from '../../src/base/random.ts';
import { forwardGraph } from '../../src/nn/models/model.ts';
import { weightMatching } from '../../src/rebasin/matching/weight-matching.ts';
import { invertPermutations, permuteValues } from '../../src/rebasin/spec/apply-permutation.ts';
import type { Permutations } from '../../src/rebasin/spec/axis-index.ts';
import { derivePermutationSpec } from '../../src/rebasin/spec/permutation-spec.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstWrong } from '../check.ts';
import { MLP, modelOf, networkName, RESNET20, stateOf } from '../networks.ts';
import type { Network } from '../problem.ts';

/** Three hidden layers, as most studies of matching take. */
const DEEP_MLP: Network = { ...MLP, widths: [784, 512, 512, 512, 10] };

export const matchingFamily: Family = {
  name: 'matching',
  about: 'weight matching of two networks, from weights to permutations',
  cases: async () => [matchingCase(DEEP_MLP), matchingCase(RESNET20)],
};

function matchingCase(network: Network): TimedCase {
  return {
    name: `matching/${networkName(network)}`,
    prepare() {
      const spec = derivePermutationSpec([forwardGraph(modelOf(network)).logits]);
      const a = stateOf(network, 1).state;
      const shuffle: Permutations = Object.fromEntries(
        spec.groups.map(({ name, size }) => [
          name,
          Int32Array.from(new RandomStream(1, `bench matching ${name}`).permutation(size)),
        ]),
      );
      const b = permuteValues(spec, shuffle, withNoise(a));
      const expected = flat(invertPermutations(shuffle));
      return {
        own(context) {
          let found: Permutations = {};
          return [
            {
              async run() {
                found = (await weightMatching(context, { spec, a, b })).permutations;
              },
              read: async () => [flat(found)],
              destroy() {},
            },
          ];
        },
        check: ([permutations]) => firstWrong(permutations!, expected, () => 0),
      };
    },
  };
}

/** Each value moved by a tenth of what its tensor's values are like. */
function withNoise(state: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map(
    [...state].map(([name, values]) => {
      const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      const noise = new Float32Array(values.length);
      new RandomStream(1, `bench matching noise ${name}`).fillNormal(noise, 0, 0.1 * size);
      return [name, values.map((value, i) => value + noise[i]!)];
    }),
  );
}

function flat(permutations: Permutations): Float32Array {
  const names = Object.keys(permutations).sort();
  return Float32Array.from(names.flatMap((name) => [...permutations[name]!]));
}
