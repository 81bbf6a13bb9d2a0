/**
 * What logits on the host tell, in float64: loss and accuracy of one model, and of several models whose logits are averaged (the
 * ensemble that a merged model is compared with: the mean of logits, not of probabilities, as in Git Re-Basin).
 *
 * Logits are [count, classes], row by row. A result depends on all rows in order, not on the batches they came in.
 */
import { OptionError, ShapeError } from '../../base/errors.ts';
import { exp, log } from '../../base/portable.ts';
import type { Evaluation } from '../../nn/train/evaluate.ts';

/** [count, classes], row by row. */
export type Logits = Float32Array | Float64Array;

/** The number of classes. @throws ShapeError unless there is one row of logits a label. */
export function classesOf(caller: string, logits: Logits, labels: ArrayLike<number>): number {
  const classes = logits.length / labels.length;
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ShapeError(
      `${caller}: expected logits [count, classes] and as many labels as rows, got ${logits.length} logits and ${labels.length} labels`,
    );
  }
  return classes;
}

/**
 * Mean cross-entropy of softmax(logits / temperature), natural logarithm, and the fraction of rows whose largest logit is the label's
 * (of equal ones the first). As on the GPU, a row with a NaN counts as wrong, and a label beyond the classes makes the loss NaN.
 * @param temperature above 0. Default: 1. Does not change the accuracy.
 */
export function evaluateLogits(logits: Logits, labels: ArrayLike<number>, temperature = 1): Evaluation {
  const classes = classesOf('evaluateLogits', logits, labels);
  if (!(temperature > 0)) {
    throw new OptionError(`evaluateLogits: expected a temperature above 0, got ${temperature}`);
  }
  let loss = 0;
  let correct = 0;
  for (let row = 0; row < labels.length; row++) {
    const first = row * classes;
    const label = labels[row]!;
    const best = largestOf(logits, first, classes);
    const top = logits[first + best] ?? Number.NaN;
    let total = 0;
    for (let c = 0; c < classes; c++) total += exp((logits[first + c]! - top) / temperature);
    const own = label < classes ? logits[first + label]! : Number.NaN;
    // log(total) is at least 0 and so is top - own: nothing cancels.
    loss += log(total) + (top - own) / temperature;
    if (best === label) correct++;
  }
  return { loss: loss / labels.length, accuracy: correct / labels.length };
}

/**
 * The weighted sum of several models' logits.
 * @param weights one a model, such as `[1 - lambda, lambda]`. Default: equal ones with sum 1, the mean.
 * @returns a fresh array; exactly a model's logits where its weight is 1 and the others are 0.
 * @throws ShapeError when the models' logits differ in length, or no weight belongs to each.
 */
export function mixLogits(models: readonly Logits[], weights?: readonly number[]): Float64Array {
  const length = models[0]?.length ?? 0;
  const factors = weights ?? models.map(() => 1 / models.length);
  if (models.length === 0 || factors.length !== models.length || models.some((m) => m.length !== length)) {
    throw new ShapeError(
      `mixLogits: expected logits of one length and as many weights, got lengths ${models.map((m) => m.length)} and ${factors.length} weights`,
    );
  }
  const mixed = new Float64Array(length);
  for (const [m, model] of models.entries()) {
    const factor = factors[m]!;
    if (factor === 0) continue; // also where a model's logits are not finite
    for (let i = 0; i < length; i++) mixed[i]! += factor * model[i]!;
  }
  return mixed;
}

/** The class with the largest logit, of equal ones the first; NaN where a logit is NaN. */
function largestOf(logits: Logits, first: number, classes: number): number {
  let best = 0;
  for (let c = 0; c < classes; c++) {
    const value = logits[first + c]!;
    if (Number.isNaN(value)) return Number.NaN;
    if (value > logits[first + best]!) best = c;
  }
  return best;
}
