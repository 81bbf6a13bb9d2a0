/**
 * Interpolation sweeps: loss and accuracy of `(1 - lambda) A + lambda B` along lambda. Everything stays on the GPU until the last number:
 * the weights are mixed arena to arena, and only sums over samples are read, once, at the end.
 */
import { OptionError } from '../base/errors.ts';
import { interpolate } from '../kernels/arena/arena.ts';
import type { Model } from '../nn/models/model.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import type { GpuDataset } from '../nn/train/gpu-dataset.ts';
import { Arena } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { type Curve, type CurveSummary, summariseCurve } from './barrier.ts';
import { BatchNormReset } from './reset.ts';

export interface SweepOptions {
  readonly model: Model;
  /** Arenas of the two ends, of one layout. They stay the caller's and are not changed. */
  readonly a: Arena;
  readonly b: Arena;
  /** Ascending, from 0 to 1 both included. */
  readonly lambda: readonly number[];
  /** Data sets to evaluate on, by name, such as `train` and `test`. */
  readonly data: Readonly<Record<string, GpuDataset>>;
  /** Estimates the running statistics of batch norm anew at every point, the ends included, on these images (RESET). */
  readonly reset?: GpuDataset;
  /** Default: 500. Does not change the result. */
  readonly batchSize?: number;
  /** Called after each point is recorded. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
}

export interface SweepCurve extends Curve, CurveSummary {}

/**
 * Sweeps lambda. @returns a curve with its barriers for each data set.
 * @throws OptionError when lambda does not ascend from 0 to 1.
 */
export async function sweep(context: Context, options: SweepOptions): Promise<Record<string, SweepCurve>> {
  const { model, a, b, lambda, data, signal } = options;
  if (
    lambda.length < 2 ||
    lambda[0] !== 0 ||
    lambda[lambda.length - 1] !== 1 ||
    lambda.some((l, i) => i > 0 && l <= lambda[i - 1]!)
  ) {
    throw new OptionError(`sweep: lambda must ascend from 0 to 1, got ${lambda.join(', ')}`);
  }
  const mixed = new Arena(context, a.layout, 'interpolated');
  const evaluators = Object.entries(data).map(([name, dataset]) => {
    const evaluator = new Evaluator(context, model, [mixed], dataset, options.batchSize);
    return { name, evaluator, results: context.tensor([lambda.length, evaluator.resultLength]) };
  });
  let reset: BatchNormReset | undefined;
  try {
    if (options.reset) reset = new BatchNormReset(context, model, mixed, options.reset);
    for (const [point, value] of lambda.entries()) {
      context.record(
        ...interpolate(context, { a: a.windows, b: b.windows, lambda: value, output: mixed.windows }),
      );
      await reset?.record(signal);
      for (const { evaluator, results } of evaluators) {
        const shape = [evaluator.resultLength];
        const { buffer, dtype } = results;
        await evaluator.record(
          { buffer, offset: 4 * point * evaluator.resultLength, shape, dtype },
          { signal },
        );
      }
      options.onProgress?.({ done: point + 1, total: lambda.length });
    }
    const curves: Record<string, SweepCurve> = {};
    for (const { name, evaluator, results } of evaluators) {
      const floats = await results.read();
      const evaluations = lambda.map((_, i) =>
        evaluator.result(floats.subarray(i * evaluator.resultLength, (i + 1) * evaluator.resultLength)),
      );
      const curve = { loss: evaluations.map((e) => e.loss), accuracy: evaluations.map((e) => e.accuracy) };
      curves[name] = { ...curve, ...summariseCurve(lambda, curve) };
    }
    return curves;
  } finally {
    reset?.destroy();
    for (const { evaluator, results } of evaluators) {
      evaluator.destroy();
      results.destroy();
    }
    mixed.destroy();
  }
}
