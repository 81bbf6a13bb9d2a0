/**
 * Scores: loss and accuracy of networks on labelled images, the loss at the best softmax temperature beside them, and the logits, from
 * which the scores of ensembles follow.
 *
 * The temperature is fitted to the very images that are scored: one number from all of them. So the calibrated loss is the least that
 * scaling the logits could reach, never above the plain one, and says how much of a loss is due to their size alone; it is no forecast
 * for other images.
 */
import { type Model, stateEntries } from '../../nn/models/model.ts';
import { type Evaluation, Evaluator } from '../../nn/train/evaluate.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { ScoreFields } from '../../report/results.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { evaluateLogits, type Logits, mixLogits } from './logits.ts';
import { fitTemperature } from './temperature.ts';

export interface Scored {
  readonly score: ScoreFields;
  /** [count, classes], row by row. */
  readonly logits: Logits;
}

/** Scores a network again and again as its arena's values change. */
export class Scorer {
  readonly #evaluator: Evaluator;

  /** The caller destroys it; arena and images stay the caller's. */
  constructor(context: Context, model: Model, arena: Arena, images: GpuDataset) {
    this.#evaluator = new Evaluator(context, model, [arena], images);
  }

  /** @returns loss and accuracy as `Evaluator` gives them, and fresh logits. */
  async score(signal?: AbortSignal): Promise<Scored> {
    const { context, dataset, logitsLength, resultLength } = this.#evaluator;
    const logits = new Float32Array(logitsLength);
    const target = context.tensor([resultLength]);
    try {
      await this.#evaluator.record(target, { logits, signal });
      const evaluation = this.#evaluator.result(await target.read());
      return { score: calibrated(evaluation, logits, dataset.labels), logits };
    } finally {
      target.destroy();
    }
  }

  destroy(): void {
    this.#evaluator.destroy();
  }
}

/**
 * Scores networks of one model, one after another.
 * @param networks f32 by name, every entry of the model. @param onScored called after each.
 */
export async function scoreNetworks(
  context: Context,
  options: {
    readonly model: Model;
    readonly networks: readonly HostTensors[];
    readonly images: GpuDataset;
    readonly onScored?: () => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Scored[]> {
  const { model, networks, images, onScored, signal } = options;
  const arena = new Arena(context, new ArenaLayout(stateEntries(model)));
  let scorer: Scorer | undefined;
  try {
    scorer = new Scorer(context, model, arena, images);
    const scored: Scored[] = [];
    for (const values of networks) {
      arena.write(values);
      scored.push(await scorer.score(signal));
      onScored?.();
    }
    return scored;
  } finally {
    scorer?.destroy();
    arena.destroy();
  }
}

/** The score of several networks together: of the weighted mean of their logits. @param weights one a network, with sum 1. */
export function ensembleScore(
  networks: readonly Scored[],
  weights: readonly number[],
  images: GpuDataset,
): ScoreFields {
  const mixed = mixLogits(
    networks.map(({ logits }) => logits),
    weights,
  );
  return calibrated(evaluateLogits(mixed, images.labels), mixed, images.labels);
}

function calibrated({ loss, accuracy }: Evaluation, logits: Logits, labels: Uint8Array): ScoreFields {
  return { loss, accuracy, calibrated: fitTemperature(logits, labels) };
}
