/**
 * Softmax-temperature calibration (Guo et al. 2017, On calibration of modern neural networks, section 4.2): the T > 0 that minimises the
 * mean cross-entropy of softmax(logits / T).
 *
 * In b = 1 / T the loss is convex: with p = softmax(b z) its derivative is the mean over samples of E_p[z] - z_label, its second
 * derivative the mean of Var_p[z]. The derivative's zero is found by Newton steps on log b inside a bracket, halved where a step leaves it
 * or gains too little. Merged networks tend to have small logits (magnitude collapse), which T < 1 makes up for.
 */
import { exp, log } from '../../base/portable.ts';
import { classesOf, evaluateLogits, type Logits } from './logits.ts';

/** Temperatures are searched between these. */
export const TEMPERATURE_RANGE = [1e-6, 1e6] as const;

/** The softmax temperature with the least loss. */
export interface Calibration {
  /** NaN where logits are not finite or a label lies beyond the classes. */
  readonly temperature: number;
  /** Mean cross-entropy at that temperature, natural logarithm. */
  readonly loss: number;
  /**
   * Set where the best temperature lies beyond `TEMPERATURE_RANGE` and its end was taken. `lowest`: every sample's label has the largest
   * logit, so the loss falls as T goes to 0. `highest`: the logits say nothing, or the opposite, about the labels.
   */
  readonly bound?: 'lowest' | 'highest';
}

/** Newton steps converge quadratically: a last step this small, in log T, leaves an error far below the 1e-6 that is promised. */
const STEP = 1e-9;
const MAX_STEPS = 100;

/**
 * Fits the temperature, to a relative error below 1e-6.
 * @param logits [count, classes], row by row.
 * @throws ShapeError unless there is one row of logits a label.
 */
export function fitTemperature(logits: Logits, labels: ArrayLike<number>): Calibration {
  classesOf('fitTemperature', logits, labels);
  const at = (temperature: number): Calibration => ({
    temperature,
    loss: evaluateLogits(logits, labels, temperature).loss,
  });
  if (!Number.isFinite(evaluateLogits(logits, labels).loss)) {
    return { temperature: Number.NaN, loss: Number.NaN };
  }
  const slope = (u: number) => slopeAt(logits, labels, exp(u));
  const [lowest, highest] = TEMPERATURE_RANGE;
  let [low, high] = [-log(highest), -log(lowest)]; // of u = log(1 / T)
  if (slope(low).first >= 0) return { ...at(highest), bound: 'highest' };
  if (slope(high).first <= 0) return { ...at(lowest), bound: 'lowest' };

  let u = 0;
  let lastStep = high - low;
  for (let n = 0; n < MAX_STEPS; n++) {
    const { first, second } = slope(u);
    if (first === 0) break;
    if (first < 0) low = u;
    else high = u;
    const newton = -first / (exp(u) * second); // the derivative of `first` by u
    const inside = u + newton > low && u + newton < high;
    const next = inside && Math.abs(newton) < 0.5 * Math.abs(lastStep) ? u + newton : (low + high) / 2;
    lastStep = next - u;
    u = next;
    if (Math.abs(lastStep) < STEP) break;
  }
  return at(exp(-u));
}

/** First and second derivative of the mean cross-entropy of softmax(b logits) by b. */
export function slopeAt(
  logits: Logits,
  labels: ArrayLike<number>,
  b: number,
): { readonly first: number; readonly second: number } {
  const classes = logits.length / labels.length;
  let first = 0;
  let second = 0;
  for (let row = 0; row < labels.length; row++) {
    const start = row * classes;
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) top = Math.max(top, logits[start + c]!);
    // Moments of z - top, whose size is that of the differences that count.
    let [total, mean, square] = [0, 0, 0];
    for (let c = 0; c < classes; c++) {
      const z = logits[start + c]! - top;
      const weight = exp(b * z);
      if (weight === 0) continue; // and no 0 times infinity
      total += weight;
      mean += weight * z;
      square += weight * z * z;
    }
    mean /= total;
    first += mean - (logits[start + labels[row]!]! - top);
    second += square / total - mean * mean; // only steers the step: what cancels here costs steps, not accuracy
  }
  return { first: first / labels.length, second: second / labels.length };
}
