/**
 * The counterexample to one basin for all (Ainsworth et al. 2022, section on failures; `sgd_is_special.py`): two networks 2-2-2-1 that
 * solve one task perfectly, between which every permutation leaves a barrier. Labels: x1 <= 0 and x2 >= 0; predicted where output >= 0.
 */
import { interpolate } from '../../kernels/arena/arena.ts';
import { mlp } from '../../nn/models/mlp.ts';
import { forwardGraph, stateEntries } from '../../nn/models/model.ts';
import { compile } from '../../nn/program.ts';
import { equallySpaced } from '../../rebasin/interpolation/barrier.ts';
import { permuteValues } from '../../rebasin/spec/apply-permutation.ts';
import { derivePermutationSpec } from '../../rebasin/spec/permutation-spec.ts';
import { Arena, ArenaLayout } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import type { CounterexampleSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';

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

/** All permutations of B: which of its two hidden layers have their units swapped. */
export const SWAPS = {
  none: [false, false],
  'layer 1': [true, false],
  'layer 2': [false, true],
  both: [true, true],
} as const;

/** Of Roberts' R2 sequence. */
const PLASTIC = 1.324717957244746;

/** @returns the share of wrong answers along lambda, and its largest, under each permutation. */
export async function counterexample(
  bench: Workbench,
  { samples, points }: CounterexampleSpec,
): Promise<Record<string, Json>> {
  const found: Record<string, Json> = {};
  for (const [name, swaps] of Object.entries(SWAPS)) {
    const wrong = await wrongAnswers(bench.context, swaps, { samples, lambda: equallySpaced(points) });
    found[name] = { wrong, barrier: Math.max(...wrong) };
  }
  return found;
}

/** The share of wrong answers at each lambda between A and B with its units swapped. @param samples points of [-1, 1]^2, spread evenly. */
export async function wrongAnswers(
  context: Context,
  swaps: readonly [boolean, boolean],
  { samples, lambda }: { readonly samples: number; readonly lambda: readonly number[] },
): Promise<number[]> {
  const { logits } = forwardGraph(model);
  const spec = derivePermutationSpec([logits]);
  const permutations = Object.fromEntries(
    spec.groups.map(({ name }, layer) => [name, Int32Array.from(swaps[layer] ? [1, 0] : [0, 1])]),
  );
  const positions = Float32Array.from({ length: 2 * samples }, (_, i) => {
    const step = i % 2 === 0 ? 1 / PLASTIC : 1 / (PLASTIC * PLASTIC);
    return 2 * ((0.5 + step * (Math.floor(i / 2) + 1)) % 1) - 1;
  });
  const layout = new ArenaLayout(stateEntries(model));
  const scope = new Scope();
  try {
    const [a, b, mixed] = [1, 2, 3].map(() => scope.own(new Arena(context, layout))) as [Arena, Arena, Arena];
    a.write(A);
    b.write(permuteValues(spec, permutations, B));
    const program = scope.own(compile(context, { outputs: { logits }, arenas: [mixed], batchSize: samples }));
    context.write(program.input('images'), positions);
    const shares: number[] = [];
    for (const value of lambda) {
      const output = mixed.windows;
      context.record(...interpolate(context, { a: a.windows, b: b.windows, lambda: value, output }));
      program.run();
      const outputs = await context.read(program.output('logits'));
      const wrong = outputs.filter(
        (y, i) => y >= 0 !== (positions[2 * i]! <= 0 && positions[2 * i + 1]! >= 0),
      );
      shares.push(wrong.length / samples);
    }
    return shares;
  } finally {
    scope.destroy();
  }
}
