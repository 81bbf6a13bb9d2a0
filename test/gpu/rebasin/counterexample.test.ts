/**
 * The counterexample to one basin for all (Ainsworth et al. 2022, section on failures; `sgd_is_special.py`): two networks 2-2-2-1 that
 * solve one task perfectly, between which every permutation leaves a barrier. Labels: x1 <= 0 and x2 >= 0; predicted where output >= 0.
 */
import { describe, expect, it } from 'vitest';
import { interpolate } from '../../../src/kernels/arena/arena.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, stateEntries } from '../../../src/nn/models/model.ts';
import { compile } from '../../../src/nn/program.ts';
import { permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const model = mlp({ widths: [2, 2, 2, 1] });

/** Weights are [out, in]: those of the paper, which multiplies from the other side, transposed. */
const network = (w1: number[], b1: number[], w2: number[], b2: number[]) =>
  new Map(
    Object.entries({
      'fc1.weight': w1,
      'fc1.bias': b1,
      'fc2.weight': w2,
      'fc2.bias': b2,
      'fc3.weight': [-1, -1],
      'fc3.bias': [0],
    }).map(([name, values]) => [name, Float32Array.from(values)]),
  );

const A = network([-1, 0, 0, -1], [1, 0], [-1, 0, 0, 1], [1, 0]);
const B = network([1, 0, 0, 1], [0, 1], [1, 0, 0, -1], [0, 1]);

const LAMBDA = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];

/** Wrong answers, for lambda up to one half; the other half is its mirror image. */
const TABLE = {
  id: [0, 0.25, 0.25, 0.25, 0.25],
  'swap 2': [0, 0.25, 0.25, 0.25, 0.25],
  'swap 1': [0, 0.053, 0.116, 0.184, 0.25],
  both: [0, 0.035, 0.084, 0.149, 0.25],
};

/** Roberts' R2 sequence over [-1, 1]^2: shares of the area to about 1e-4, with no point on the axes. */
const COUNT = 65_536;
const PLASTIC = 1.324717957244746;
const points = Float32Array.from({ length: 2 * COUNT }, (_, i) => {
  const step = i % 2 === 0 ? 1 / PLASTIC : 1 / (PLASTIC * PLASTIC);
  return 2 * ((0.5 + step * (Math.floor(i / 2) + 1)) % 1) - 1;
});

async function wrongAnswers(swaps: readonly [boolean, boolean]): Promise<number[]> {
  const { logits } = forwardGraph(model);
  const spec = derivePermutationSpec([logits]);
  const permutations = Object.fromEntries(
    spec.groups.map(({ name }, layer) => [name, Int32Array.from(swaps[layer] ? [1, 0] : [0, 1])]),
  );
  const layout = new ArenaLayout(stateEntries(model));
  const [a, b, mixed] = [1, 2, 3].map(() => new Arena(context(), layout)) as [Arena, Arena, Arena];
  a.write(A);
  b.write(permuteValues(spec, permutations, B));
  const program = compile(context(), { outputs: { logits }, arenas: [mixed], batchSize: COUNT });
  context().write(program.input('images'), points);
  const shares: number[] = [];
  for (const lambda of LAMBDA) {
    context().record(
      ...interpolate(context(), { a: a.windows, b: b.windows, lambda, output: mixed.windows }),
    );
    program.run();
    const outputs = await context().read(program.output('logits'));
    const wrong = outputs.filter((y, i) => y >= 0 !== (points[2 * i]! <= 0 && points[2 * i + 1]! >= 0));
    shares.push(wrong.length / outputs.length);
  }
  for (const owned of [program, a, b, mixed]) owned.destroy();
  return shares;
}

describe('between the two networks of the counterexample', () => {
  it.each([
    ['id', [false, false]],
    ['swap 1', [true, false]],
    ['swap 2', [false, true]],
    ['both', [true, true]],
  ] as const)('the barrier with %s is that of the table', async (name, swaps) => {
    const found = await wrongAnswers(swaps);
    console.log(
      name,
      found
        .slice(0, 5)
        .map((x) => x.toFixed(4))
        .join(' '),
    );
    const wanted = [...TABLE[name], ...TABLE[name].slice(0, -1).reverse()];
    // The table is rounded to three digits and came from 200,000 random points: three deviations of such a share.
    for (const [i, share] of found.entries()) {
      const deviation = Math.sqrt((wanted[i]! * (1 - wanted[i]!)) / 200_000);
      expect(Math.abs(share - wanted[i]!)).toBeLessThanOrEqual(0.0005 + 3 * deviation);
    }
    expect([found[0], found.at(-1)]).toEqual([0, 0]);
  });
});
