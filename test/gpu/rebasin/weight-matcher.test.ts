/** Matching again and again: a reference that changes, permutations and duals that stay. */
import { describe, expect, it, vi } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { type AssignmentOptions, linearSumAssignment } from '../../../src/rebasin/assignment/assignment.ts';
import { WeightMatcher, type WeightMatcherOptions } from '../../../src/rebasin/matching/weight-matcher.ts';
import { weightMatching } from '../../../src/rebasin/matching/weight-matching.ts';
import { invertPermutations, permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import type { PermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';
import { mlpSpec, randomValues, unusualSpecs } from '../../support/rebasin-networks.ts';

const context = useContext();

async function withMatcher(
  spec: PermutationSpec,
  [a, b]: readonly [HostTensors, HostTensors],
  options: Partial<WeightMatcherOptions>,
  use: (matcher: WeightMatcher, a: Arena) => Promise<void>,
): Promise<void> {
  const arenas = [a, b].map((values) => {
    const arena = new Arena(context(), new ArenaLayout(spec.entries));
    arena.write(values);
    return arena;
  });
  let matcher: WeightMatcher | undefined;
  try {
    matcher = new WeightMatcher(context(), { spec, a: arenas[0]!, b: arenas[1]!, ...options });
    await use(matcher, arenas[0]!);
  } finally {
    for (const owned of [matcher, ...arenas]) owned?.destroy();
  }
}

/** Solves as ever, and keeps what was asked. */
function recordingSolver() {
  const solves: { n: number; warm: boolean }[] = [];
  const assign = (matrix: Float64Array | Float32Array, n: number, options: AssignmentOptions = {}) => {
    solves.push({ n, warm: options.duals !== undefined });
    return linearSumAssignment(matrix, n, options);
  };
  return { assign, solves };
}

const specs = { 'an MLP': mlpSpec(9, 30, 26, 22, 4), ...unusualSpecs() };

describe.each(Object.entries(specs))('WeightMatcher on %s', (_name, spec) => {
  const [a, b] = [randomValues(spec, 1), randomValues(spec, 2)] as const;

  it('finds what weightMatching finds, without the objective of the host', async () => {
    for (const order of ['graph', 'random'] as const) {
      const expected = await weightMatching(context(), { spec, a, b, order, seed: 3 });
      await withMatcher(spec, [a, b], { order, seed: 3 }, async (matcher) => {
        const { sweeps, converged } = await matcher.match();
        expect(matcher.permutations).toEqual(expected.permutations);
        expect({ sweeps, converged }).toEqual({ sweeps: expected.sweeps, converged: true });
      });
    }
  });

  it('follows a reference that changes, as one that starts anew where it was', async () => {
    const moved = new Map(
      [...randomValues(spec, 3)].map(([name, x]) => [name, x.map((v, i) => 3 * v + a.get(name)![i]!)]),
    );
    await withMatcher(spec, [a, b], {}, async (matcher, reference) => {
      await matcher.match();
      const permutations = matcher.permutations;
      reference.write(moved);
      await matcher.match();
      expect(matcher.permutations).not.toEqual(permutations);
      await withMatcher(spec, [moved, b], { permutations }, async (anew) => {
        await anew.match();
        expect(matcher.permutations).toEqual(anew.permutations);
      });
    });
  });

  it('solves once, from warm duals, and reads once where nothing changed', async () => {
    const { assign, solves } = recordingSolver();
    await withMatcher(spec, [a, b], { assign }, async (matcher) => {
      await matcher.match();
      expect(solves.slice(0, spec.groups.length).every(({ warm }) => !warm)).toBe(true);
      const { permutations } = matcher;
      solves.length = 0;
      const read = vi.spyOn(context(), 'readBytes');
      expect(await matcher.match()).toEqual({ sweeps: 1, converged: true });
      expect(read).toHaveBeenCalledTimes(1);
      read.mockRestore();
      expect(solves).toEqual(spec.groups.map(({ size }) => ({ n: size, warm: true })));
      for (const { name } of spec.groups) expect(matcher.permutations[name]).toBe(permutations[name]);
    });
  });

  it('starts from the permutations that are given', async () => {
    const planted = randomPermutations(spec, 4);
    const permutations = invertPermutations(planted);
    const pair = [a, permuteValues(spec, planted, a)] as const;
    await withMatcher(spec, pair, { permutations }, async (matcher) => {
      expect(await matcher.match()).toEqual({ sweeps: 1, converged: true });
      expect(matcher.permutations).toEqual(permutations);
    });
  });
});

describe('WeightMatcher', () => {
  const spec = mlpSpec(5, 12, 12, 3);
  const pair = [randomValues(spec, 5), randomValues(spec, 6)] as const;

  it('drops a sweep that the objective calls noise, and ends', async () => {
    const seen: [number, number | undefined][] = [];
    await withMatcher(spec, pair, {}, async (matcher) => {
      const before = matcher.permutations;
      const onSweep = (changed: number, objective: number | undefined) => seen.push([changed, objective]);
      expect(await matcher.match({ objective: () => 1, onSweep })).toEqual({ sweeps: 1, converged: true });
      expect(matcher.permutations).toEqual(before);
      expect(seen).toEqual([[0, 1]]);
      // Nothing of the dropped sweep is left: the next match finds what a first one would.
      await matcher.match();
      const [a, b] = pair;
      expect(matcher.permutations).toEqual((await weightMatching(context(), { spec, a, b })).permutations);
    });
  });

  it('stops after maxSweeps and when told to', async () => {
    await withMatcher(spec, pair, {}, async (matcher) => {
      expect(await matcher.match({ maxSweeps: 1 })).toEqual({ sweeps: 1, converged: false });
      await expect(matcher.match({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
        'enough',
      );
    });
  });

  it('refuses permutations of other groups', async () => {
    await expect(withMatcher(spec, pair, { permutations: {} }, async () => {})).rejects.toThrow(FormatError);
  });
});
