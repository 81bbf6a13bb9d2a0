/** Interpolation sweeps: loss and accuracy of `(1 - lambda) A + lambda B` along lambda, mixed arena to arena on the GPU. */
import { OptionError } from '../../base/errors.ts';
import { interpolate } from '../../kernels/arena/arena.ts';
import type { Model } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import type { RenormaliserFactory } from '../renormalise/renormaliser.ts';
import type { Curve, CurveSummary } from './barrier.ts';
import { evaluatePoints } from './evaluate-points.ts';
import { type ExtraCurves, type LogitCurveChoice, LogitCurves, summarised } from './logit-curves.ts';
import { type Mixture, mixedEvaluator } from './shared-first-layer.ts';

/** Of `sweep`. */
export interface SweepOptions extends LogitCurveChoice {
  /** The architecture. */
  readonly model: Model;
  /** Arenas of the two ends, of one layout. They stay the caller's and are not changed. */
  readonly a: Arena;
  /** f32 by name, every entry of the model: the end at lambda 1. */
  readonly b: Arena;
  /** Ascending, from 0 to 1 both included. */
  readonly lambda: readonly number[];
  /** Data sets to evaluate on, by name, such as `train` and `test`. */
  readonly data: Readonly<Record<string, GpuDataset>>;
  /** Corrects the network at every point, such as `(merged) => new BatchNormReset(context, model, merged, images)`. Default: nothing. */
  readonly renormalise?: RenormaliserFactory | undefined;
  /** Whether the ends, which are no merges, are corrected as well; RESET moves them a little. Default: `corrected`. */
  readonly ends?: 'corrected' | 'raw' | undefined;
  /** Default: 500. Does not change the result. */
  readonly batchSize?: number;
  /**
   * Looks at the network at each point, by its index in `lambda`, before it is evaluated: mixed and corrected, in an arena that is the
   * same each time and to be read only (what is written to it may not be evaluated). The next point waits for it.
   */
  readonly observe?: ((merged: Arena, point: number) => Promise<void>) | undefined;
  /** Called after each point is recorded. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** A curve along the line between two networks. */
export interface SweepCurve extends Curve, CurveSummary, ExtraCurves {}

/**
 * Sweeps lambda. At its ends the curve has what the two networks give, bit for bit. Between them a linear first layer that nothing
 * re-normalises is mixed once its sums are rounded (shared-first-layer.ts): losses differ by that from those of the mixed weights.
 * @returns a curve with its barriers for each data set.
 * @throws OptionError when lambda does not ascend from 0 to 1.
 */
export async function sweep(context: Context, options: SweepOptions): Promise<Record<string, SweepCurve>> {
  const { model, a, b, lambda, data, ends, signal } = options;
  checkLambda('sweep', lambda);
  const scope = new Scope();
  try {
    const { batchSize, ensemble, calibrate } = options;
    const mixed = scope.own(new Arena(context, a.layout, 'interpolated'));
    const points: Mixture = { networks: [a, b], shares: [1, 0] };
    const mixture = options.renormalise ? undefined : points;
    const calibrator =
      calibrate &&
      mixedEvaluator(context, scope, { model, arena: mixed, mixture, dataset: calibrate, batchSize });
    const logitCurves = new LogitCurves({ lambda, data, ensemble, calibrator });
    const renormaliser = options.renormalise && scope.own(options.renormalise(mixed));
    const evaluations = await evaluatePoints(context, {
      model,
      arena: mixed,
      count: lambda.length,
      place: async (point) => {
        const [output, value] = [mixed.windows, lambda[point]!];
        points.shares = [1 - value, value];
        context.record(...interpolate(context, { a: a.windows, b: b.windows, lambda: value, output }));
        const isEnd = point === 0 || point === lambda.length - 1;
        if (!(isEnd && ends === 'raw')) await renormaliser?.correct(points.shares, signal);
        await options.observe?.(mixed, point);
        await logitCurves.calibrate(signal);
      },
      mixture,
      data,
      logits: logitCurves,
      batchSize,
      onProgress: options.onProgress,
      signal,
    });
    return Object.fromEntries(
      Object.entries(evaluations).map(([name, points]) => [
        name,
        { ...summarised(lambda, points), ...logitCurves.curvesOf(name) },
      ]),
    );
  } finally {
    scope.destroy();
  }
}

/** @throws OptionError unless lambda ascends from 0 to 1. */
export function checkLambda(caller: string, lambda: readonly number[]): void {
  const ascends = lambda.every((value, i) => i === 0 || value > lambda[i - 1]!);
  if (lambda.length < 2 || lambda[0] !== 0 || lambda.at(-1) !== 1 || !ascends) {
    throw new OptionError(`${caller}: lambda must ascend from 0 to 1, got ${lambda.join(', ')}`);
  }
}
