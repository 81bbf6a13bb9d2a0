/**
 * Loss and accuracy at many points of weight space, one after another in one arena. Everything stays on the GPU until the last number:
 * only sums over samples are read, once, at the end.
 */
import type { Model } from '../../nn/models/model.ts';
import type { Evaluation } from '../../nn/train/evaluate.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import { type Mixture, mixedEvaluator } from './shared-first-layer.ts';

/** Somebody who looks at logits, which otherwise stay on the GPU. */
export interface LogitReader {
  /** Whether the logits of a point are to be read back. */
  wants(point: number): boolean;
  /** All logits of a point on a data set: [count, classes], row by row, the reader's to keep. */
  take(point: number, name: string, logits: Float32Array): void;
}

export interface PointsOptions {
  readonly model: Model;
  /** Holds the weights of the point being evaluated. It stays the caller's. */
  readonly arena: Arena;
  /** How many points there are. */
  readonly count: number;
  /** Records what puts the weights of a point into the arena, re-normalised if they are to be; may await back-pressure. */
  readonly place: (point: number) => void | Promise<void>;
  /** Set where `place` mixes networks and does nothing else to the weights; `place` keeps its shares. Default: weights may be anything. */
  readonly mixture?: Mixture | undefined;
  /** Data sets to evaluate on, by name, such as `train` and `test`. */
  readonly data: Readonly<Record<string, GpuDataset>>;
  /** Default: none, and nothing is read back before the end. */
  readonly logits?: LogitReader | undefined;
  /** Default: 500. Does not change the result. */
  readonly batchSize?: number | undefined;
  /** Called after each point is recorded. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Evaluates every point on every data set. @returns for each data set one evaluation a point, in order. */
export async function evaluatePoints(
  context: Context,
  options: PointsOptions,
): Promise<Record<string, Evaluation[]>> {
  const { model, arena, count, place, mixture, data, logits: reader, batchSize } = options;
  const { onProgress, signal } = options;
  const scope = new Scope();
  try {
    const sets = Object.entries(data).map(([name, dataset]) => {
      const evaluator = mixedEvaluator(context, scope, { model, arena, mixture, dataset, batchSize });
      return { name, evaluator, results: scope.own(context.tensor([count, evaluator.resultLength])) };
    });
    for (let point = 0; point < count; point++) {
      await place(point);
      for (const { name, evaluator, results } of sets) {
        const logits = reader?.wants(point) ? new Float32Array(evaluator.logitsLength) : undefined;
        const shape = [evaluator.resultLength];
        const { buffer, dtype } = results;
        await evaluator.record(
          { buffer, offset: 4 * point * evaluator.resultLength, shape, dtype },
          { signal, logits },
        );
        if (logits) reader?.take(point, name, logits);
      }
      onProgress?.({ done: point + 1, total: count });
    }
    const evaluations: Record<string, Evaluation[]> = {};
    for (const { name, evaluator, results } of sets) {
      const floats = await results.read();
      const length = evaluator.resultLength;
      evaluations[name] = Array.from({ length: count }, (_, point) =>
        evaluator.result(floats.subarray(point * length, (point + 1) * length)),
      );
    }
    return evaluations;
  } finally {
    scope.destroy();
  }
}
