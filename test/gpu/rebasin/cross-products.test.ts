import { describe, expect, it } from 'vitest';
import { CrossProducts } from '../../../src/rebasin/matching/cross-products.ts';
import { scoredObjective } from '../../../src/rebasin/matching/objective.ts';
import { permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { AxisIndexTensors } from '../../../src/rebasin/spec/axis-gathers.ts';
import { identityPermutations } from '../../../src/rebasin/spec/axis-index.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';
import { mlpSpec, randomValues, unusualSpecs } from '../../support/rebasin-networks.ts';

const context = useContext();

describe.each(Object.entries({ 'an MLP': mlpSpec(5, 70, 33, 3), ...unusualSpecs() }))(
  'CrossProducts on %s',
  (_name, spec) => {
    // What a permutation of one group adds to the objective, the others being permuted, is what its matrix says it does.
    it("give the objective's dependence on each group", async () => {
      const [a, b] = [randomValues(spec, 1), randomValues(spec, 2)];
      const arenas = [a, b].map((values) => {
        const arena = new Arena(context(), new ArenaLayout(spec.entries));
        arena.write(values);
        return arena;
      });
      const current = randomPermutations(spec, 3);
      const indices = new AxisIndexTensors(context(), spec, identityPermutations(spec));
      for (const [name, permutation] of Object.entries(current)) indices.set(name, permutation);
      const products = new CrossProducts(context(), spec, arenas[0]!, arenas[1]!, indices);
      const objective = (permutations: typeof current) =>
        scoredObjective(spec, a, permuteValues(spec, permutations, b));
      const together = await products.matrices(spec.groups);
      for (const [index, group] of spec.groups.entries()) {
        const [matrix] = (await products.matrices([group])) as [Float64Array];
        expect(together[index]).toEqual(matrix);
        expect(matrix).toHaveLength(group.size ** 2);
        const trace = (p: Int32Array) => p.reduce((sum, j, i) => sum + matrix[i * group.size + j]!, 0);
        for (let seed = 4; seed < 8; seed++) {
          const other = randomPermutations(spec, seed)[group.name]!;
          const gain = objective({ ...current, [group.name]: other }) - objective(current);
          // Products of numbers below 1: f32 sums of fewer than 4096 terms, each rounded at most at 2^-24 of the sum so far.
          expect(trace(other) - trace(current[group.name]!)).toBeCloseTo(gain, 3);
        }
      }
      products.destroy();
      indices.destroy();
      for (const arena of arenas) arena.destroy();
    });
  },
);
