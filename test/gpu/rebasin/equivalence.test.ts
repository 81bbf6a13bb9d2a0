import { describe, expect, it } from 'vitest';
import { ACTIVATIONS, type Activation, mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph } from '../../../src/nn/models/model.ts';
import { compile } from '../../../src/nn/program.ts';
import { invertPermutations, permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import {
  checkEquivalence,
  checkGraphEquivalence,
  distinctValues,
  randomPermutations,
} from '../../../src/rebasin/spec/equivalence.ts';
import { derivePermutationSpec, type PermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import type { GroupPlace } from '../../../src/rebasin/spec/unit-groups.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';
import { mlpSpec, residualMlp } from '../../support/rebasin-networks.ts';

const context = useContext();

/** The spec with every place changed, or left out. */
function alter(spec: PermutationSpec, change: (place: GroupPlace) => GroupPlace[]): PermutationSpec {
  return {
    ...spec,
    groups: spec.groups.map((group) => ({ ...group, places: group.places.flatMap(change) })),
  };
}

describe('checkGraphEquivalence', () => {
  it.each(Object.keys(ACTIVATIONS))('accepts the derived spec of an MLP with %s', async (name) => {
    for (const bias of [true, false]) {
      const model = mlp({ widths: [6, 9, 2, 8, 4], activation: name as Activation, bias });
      const { logits } = forwardGraph(model);
      const spec = derivePermutationSpec([logits]);
      const { maxDifference, passed } = await checkGraphEquivalence(context(), spec, [logits]);
      expect(passed, `differs by ${maxDifference}`).toBe(true);
    }
  });

  it('accepts the derived spec of a residual stream', async () => {
    const logits = residualMlp(10, 7);
    const spec = derivePermutationSpec([logits]);
    expect(spec.groups.map(({ name }) => name)).toEqual(['stem', 'block1.a', 'block2.a']);
    for (let seed = 0; seed < 3; seed++) {
      expect((await checkGraphEquivalence(context(), spec, [logits], { seed })).passed).toBe(true);
    }
  });

  describe('rejects', () => {
    const logits = residualMlp(10, 7);
    const spec = derivePermutationSpec([logits]);
    const passes = async (wrong: PermutationSpec) =>
      (await checkGraphEquivalence(context(), wrong, [logits])).passed;
    const places = spec.groups.flatMap((group) => group.places);

    it.each(places.map((place) => [`${place.tensor}, axis ${place.axis}`, place]))(
      'a spec without the place on %s',
      async (_name, missing) => {
        expect(await passes(alter(spec, (place) => (place === missing ? [] : [place])))).toBe(false);
      },
    );

    it('a spec whose units lie one off in one place', async () => {
      const shifted = alter(spec, (place) => {
        if (place.tensor !== 'head.weight') return [place];
        const [{ count } = { count: 0 }] = place.blocks;
        return [
          {
            ...place,
            blocks: [
              { unit: 0, start: 1, count: count - 1 },
              { unit: count - 1, start: 0, count: 1 },
            ],
          },
        ];
      });
      expect(await passes(shifted)).toBe(false);
    });

    it('every exchange of two indices of a pinned axis: nothing is pinned needlessly', async () => {
      const exchanged = (tensor: string, axis: number) => ({
        ...spec,
        groups: [
          {
            name: 'pair',
            size: 2,
            places: [{ tensor, axis, blocks: [{ unit: 0, start: 0, count: 2 }], inner: 1, outer: [] }],
          },
        ],
      });
      for (const { name, pinned } of spec.entries) {
        for (const { axis } of pinned) expect(await passes(exchanged(name, axis)), name).toBe(false);
      }
    });

    it('a spec that permutes the logits or the inputs', async () => {
      const extra = (tensor: string, axis: number, size: number) => ({
        ...spec,
        groups: [
          ...spec.groups,
          {
            name: 'extra',
            size,
            places: [{ tensor, axis, blocks: [{ unit: 0, start: 0, count: size }], inner: 1, outer: [] }],
          },
        ],
      });
      expect(await passes(extra('head.bias', 0, 3))).toBe(false);
      expect(await passes(extra('stem.weight', 1, 5))).toBe(false);
    });
  });
});

describe('the gather convention', () => {
  it('holds on every axis: with the inverse on the axes that read, the function is another one', async () => {
    const { logits } = forwardGraph(mlp({ widths: [6, 9, 8, 4] }));
    const spec = mlpSpec(6, 9, 8, 4);
    const writing = alter(spec, (place) => (place.axis === 0 ? [place] : []));
    const reading = alter(spec, (place) => (place.axis === 1 ? [place] : []));
    const arena = new Arena(context(), new ArenaLayout(spec.entries));
    const program = compile(context(), { outputs: { logits }, arenas: [arena], batchSize: 2 });
    context().write(
      program.input('images'),
      Float32Array.from({ length: 12 }, (_, i) => (i * 5) % 7),
    );
    const forward = async (values: HostTensors) => {
      arena.write(values);
      program.run();
      return context().read(program.output('logits'));
    };
    const values = distinctValues(spec, 0);
    const p = randomPermutations(spec, 0);
    const written = permuteValues(writing, p, values);
    const expected = await forward(values);
    const right = await forward(permuteValues(reading, p, written));
    const wrong = await forward(permuteValues(reading, invertPermutations(p), written));
    const difference = (found: Float32Array) => Math.max(...found.map((x, i) => Math.abs(x - expected[i]!)));
    expect(difference(right)).toBeLessThan(1e-5);
    expect(difference(wrong)).toBeGreaterThan(1e-2);
    program.destroy();
    arena.destroy();
  });
});

describe('checkEquivalence', () => {
  const spec = mlpSpec(3, 4, 2);

  it('fails where outputs are not finite', async () => {
    const result = await checkEquivalence(spec, async () => Float32Array.of(1, Number.NaN));
    expect(result).toEqual({ maxDifference: Number.POSITIVE_INFINITY, passed: false });
  });

  it('refuses outputs that are all 0', async () => {
    await expect(checkEquivalence(spec, async () => new Float32Array(3))).rejects.toThrow(
      'every output is 0',
    );
  });

  it('draws values that are all distinct, and permutations that all move something', () => {
    const values = [...distinctValues(spec, 0).values()].flatMap((value) => [...value]);
    expect(new Set(values).size).toBe(values.length);
    const pairs = mlpSpec(3, 2, 2, 2, 2, 2, 2);
    for (const p of Object.values(randomPermutations(pairs, 0))) expect([...p]).toEqual([1, 0]);
  });
});
