/** Interpolation sweeps. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { equallySpaced } from '../../../src/rebasin/interpolation/barrier.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { matchModels } from '../../../src/rebasin/matching/match.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const model = mlp({ widths: [784, 12, 10] });
const entries = stateEntries(model);

function setUp() {
  const values = [1, 2].map((seed) => initialiseParameters(entries, seed, 'kaiming'));
  const [a, b] = values.map((value) => {
    const arena = new Arena(context(), new ArenaLayout(entries));
    arena.write(value);
    return arena;
  });
  const data = new GpuDataset(context(), digits({ count: 70, seed: 3, split: 'test' }), DIGITS_NORMALISATION);
  const destroy = () => {
    for (const owned of [a!, b!, data]) owned.destroy();
  };
  return { values, a: a!, b: b!, data, destroy };
}

describe('sweep', () => {
  it('gives at its ends exactly what the two models give, and in between what mixed weights give', async () => {
    const { values, a, b, data, destroy } = setUp();
    const curve = (
      await sweep(context(), { model, a, b, lambda: [0, 0.3, 1], data: { test: data }, batchSize: 32 })
    ).test!;
    const evaluate = async (value: Map<string, Float32Array>) => {
      const arena = new Arena(context(), new ArenaLayout(entries));
      arena.write(value);
      const evaluator = new Evaluator(context(), model, [arena], data);
      const result = await evaluator.evaluate();
      evaluator.destroy();
      arena.destroy();
      return result;
    };
    const mixed = new Map(
      [...values[0]!].map(([name, x]) => [name, x.map((v, i) => 0.7 * v + 0.3 * values[1]!.get(name)![i]!)]),
    );
    const ends = [await evaluate(values[0]!), await evaluate(values[1]!)];
    expect([curve.loss[0], curve.accuracy[0]]).toEqual([ends[0]!.loss, ends[0]!.accuracy]);
    expect([curve.loss[2], curve.accuracy[2]]).toEqual([ends[1]!.loss, ends[1]!.accuracy]);
    expect(curve.loss[1]).toBeCloseTo((await evaluate(mixed)).loss, 5);
    destroy();
  });

  it('is flat between a network and its permuted copy once they are matched', async () => {
    const { values, a, b, data, destroy } = setUp();
    const shuffled = new Map(
      [...values[0]!].map(([name, x]) => {
        const units = [5, 3, 11, 0, 7, 1, 9, 2, 10, 4, 8, 6];
        if (name === 'fc1.weight')
          return [name, Float32Array.from(units.flatMap((u) => [...x.subarray(784 * u, 784 * (u + 1))]))];
        if (name === 'fc1.bias') return [name, Float32Array.from(units, (u) => x[u]!)];
        if (name === 'fc2.weight')
          return [name, x.map((_, i) => x[Math.floor(i / 12) * 12 + units[i % 12]!]!)];
        return [name, x];
      }),
    );
    b.write(shuffled);
    const naive = await sweep(context(), { model, a, b, lambda: equallySpaced(5), data: { test: data } });
    const { aligned, fields } = await matchModels(context(), { model, a: values[0]!, b: shuffled });
    b.write(aligned);
    const matched = await sweep(context(), { model, a, b, lambda: equallySpaced(5), data: { test: data } });
    expect(aligned).toEqual(values[0]); // given back bit for bit
    expect(fields.distance.after).toBe(0);
    // (1 - lambda) x + lambda x rounds to x within one unit in the last place: losses near 2.5 move by 1e-6 at most.
    for (const loss of matched.test!.loss) expect(Math.abs(loss - matched.test!.loss[0]!)).toBeLessThan(1e-6);
    expect(naive.test!.barrier.loss).not.toBeLessThan(matched.test!.barrier.loss); // the control: unmatched it is no line
    expect(Math.max(...naive.test!.loss) - Math.min(...naive.test!.loss)).toBeGreaterThan(0.01);
    destroy();
  });

  it('stops when aborted and refuses a lambda that does not ascend from 0 to 1', async () => {
    const { a, b, data, destroy } = setUp();
    const controller = new AbortController();
    const run = sweep(context(), {
      model,
      a,
      b,
      lambda: equallySpaced(50),
      data: { test: data },
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(),
    });
    await expect(run).rejects.toThrow(/abort/i);
    for (const lambda of [[0, 0.5], [0, 0.6, 0.4, 1], [1]]) {
      await expect(sweep(context(), { model, a, b, lambda, data: { test: data } })).rejects.toThrow(
        OptionError,
      );
    }
    destroy();
  });
});
