/** The MNIST pair of the reference, on 500 images: PyTorch's logits, the naive barrier and the aligned line. */
import { describe, expect, it } from 'vitest';
import { Evaluator } from '../../src/nn/train/evaluate.ts';
import { sweep } from '../../src/rebasin/interpolation/sweep.ts';
import { matchModels } from '../../src/rebasin/matching/match.ts';
import { useContext } from '../support/context.ts';
import {
  arenaOf,
  hasReference,
  referenceData,
  referenceModel,
  referenceNumbers,
} from '../support/reference.ts';

const FIXTURE = 'mnist-mlp';

describe.skipIf(!hasReference(FIXTURE, 'mnist'))('the MNIST pair of the reference', () => {
  const context = useContext();

  it('gives the logits of PyTorch for the first four test images within 1e-3', async () => {
    const numbers = referenceNumbers(FIXTURE);
    for (const [index, file] of numbers.files.entries()) {
      const reference = await referenceModel(FIXTURE, file);
      const arena = arenaOf(context(), reference);
      const data = await referenceData(context(), FIXTURE, 'mnist', 't10k-images-idx3-ubyte.gz', 4);
      const evaluator = new Evaluator(context(), reference.model, [arena], data);
      const logits = await evaluator.logits(4);
      numbers.models[index].logits_first_4.flat().forEach((expected: number, i: number) => {
        expect(Math.abs(logits[i]! - expected)).toBeLessThan(1e-3);
      });
      for (const owned of [evaluator, data, arena]) owned.destroy();
    }
  });

  it('has a barrier on the straight line, and next to none after weight matching', async () => {
    const numbers = referenceNumbers(FIXTURE);
    const [a, b] = [
      await referenceModel(FIXTURE, numbers.files[0]),
      await referenceModel(FIXTURE, numbers.files[1]),
    ];
    const { fields, aligned } = await matchModels(context(), { model: a.model, a: a.values, b: b.values });
    expect(fields.equivalence.maxDifference).toBeLessThan(1e-4);
    expect(fields.objective.before).toBeCloseTo(6.48617, 3);
    expect(fields.objective.after).toBeGreaterThanOrEqual(256);
    expect(fields.distance.before).toBeCloseTo(42.9446, 3);
    expect(fields.distance.after).toBeLessThanOrEqual(36.68);

    const arenaA = arenaOf(context(), a);
    const arenaB = arenaOf(context(), b);
    const data = await referenceData(context(), FIXTURE, 'mnist', 't10k-images-idx3-ubyte.gz', 500);
    const line = async () =>
      (
        await sweep(context(), {
          model: a.model,
          a: arenaA,
          b: arenaB,
          lambda: [0, 0.5, 1],
          data: { test: data },
        })
      ).test!;
    const naive = await line();
    arenaB.write(aligned);
    const matched = await line();
    expect(naive.barrier.loss).toBeGreaterThan(1);
    expect(matched.barrier.loss).toBeLessThan(0.03); // 500 images: the full set gives at most 0.006
    expect(matched.midpoint.accuracy).toBeGreaterThan(0.97);
    for (const owned of [arenaA, arenaB, data]) owned.destroy();
  });
});
