/** Logits read back from the GPU: the same in any batches, and the loss they give in float64 is the loss that the GPU computes. */
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { DIGITS_NORMALISATION, digits } from '../../../src/io/digits.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { Evaluator } from '../../../src/nn/train/evaluate.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { evaluateLogits } from '../../../src/rebasin/interpolation/logits.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const model = mlp({ widths: [784, 12, 10] });
const images = digits({ count: 70, seed: 3, split: 'test' });

/** Runs `body` with an evaluator on untrained weights, and frees everything. */
async function withEvaluator(
  batchSize: number,
  body: (evaluator: Evaluator) => Promise<void>,
): Promise<void> {
  const entries = stateEntries(model);
  const arena = new Arena(context(), new ArenaLayout(entries));
  arena.write(initialiseParameters(entries, 1, 'kaiming'));
  const data = new GpuDataset(context(), images, DIGITS_NORMALISATION);
  const evaluator = new Evaluator(context(), model, [arena], data, batchSize);
  try {
    await body(evaluator);
  } finally {
    for (const owned of [evaluator, data, arena]) owned.destroy();
  }
}

describe('logits', () => {
  it('are those that the loss was computed from, in any batches', async () => {
    let whole: Float32Array | undefined;
    for (const batchSize of [500, 70, 32, 1]) {
      await withEvaluator(batchSize, async (evaluator) => {
        const seen: number[] = [];
        const logits = await evaluator.logits(undefined, { onProgress: (samples) => seen.push(samples) });
        whole ??= logits;
        expect(logits).toEqual(whole);
        expect([seen.length, seen[seen.length - 1]]).toEqual([Math.ceil(70 / Math.min(batchSize, 70)), 70]);
        const { loss, accuracy } = evaluateLogits(logits, images.labels);
        const onGpu = await evaluator.evaluate();
        expect(accuracy).toBe(onGpu.accuracy);
        // Each f32 loss near 2.5 has a few roundings of 2^-24 relative, and exp and log of WGSL a few units more.
        expect(Math.abs(loss - onGpu.loss)).toBeLessThan(3e-6);
      });
    }
  });

  it('come along with an evaluation, which stays the same', async () => {
    await withEvaluator(32, async (evaluator) => {
      const results = context().tensor([evaluator.resultLength]);
      const logits = new Float32Array(evaluator.logitsLength);
      await evaluator.record(results, { logits });
      expect(evaluator.result(await results.read())).toEqual(await evaluator.evaluate());
      expect(logits).toEqual(await evaluator.logits());
      results.destroy();
    });
  });

  it('are as many as asked for, and no more than there are', async () => {
    await withEvaluator(32, async (evaluator) => {
      expect(await evaluator.logits(40)).toEqual((await evaluator.logits()).subarray(0, 400));
      await expect(evaluator.logits(71)).rejects.toThrow(OptionError);
    });
  });

  it('stop when aborted', async () => {
    await withEvaluator(10, async (evaluator) => {
      const controller = new AbortController();
      const run = evaluator.logits(70, {
        signal: controller.signal,
        onProgress: (samples) => samples === 20 && controller.abort(),
      });
      await expect(run).rejects.toThrow(/abort/i);
    });
  });
});
