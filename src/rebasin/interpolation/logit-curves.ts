/**
 * Curves of a sweep that need logits on the host, beside the plain one.
 *
 * - Ensemble: both ends' logits mixed as the weights are, (1 - lambda) f_A + lambda f_B: what two networks kept apart achieve, the
 *   baseline of a merge (Git Re-Basin section 5). The ends are evaluated once, as the sweep does.
 * - Calibrated: every point at the softmax temperature that fits it best on calibration data. Merged networks are often right but unsure,
 *   and then most of their loss is a matter of scale.
 */
import type { Evaluation, Evaluator } from '../../nn/train/evaluate.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { type Curve, type CurveSummary, summariseCurve } from './barrier.ts';
import type { LogitReader } from './evaluate-points.ts';
import { evaluateLogits, mixLogits } from './logits.ts';
import { fitTemperature } from './temperature.ts';

export interface LogitCurveChoice {
  /** Adds the ensemble's curve. Default: false. */
  readonly ensemble?: boolean | undefined;
  /** Adds the calibrated curve, with temperatures fitted on these images, such as those that statistics are taken on. Default: none. */
  readonly calibrate?: GpuDataset | undefined;
}

/** A curve at each network's best softmax temperature. */
export interface CalibratedCurve extends Curve, CurveSummary {
  /** Of the softmax, one for each lambda; see `fitTemperature`. */
  readonly temperature: readonly number[];
}

export interface ExtraCurves {
  /** Of the ends' mean logits. */
  readonly ensemble?: Curve & CurveSummary;
  /** At the best softmax temperature. */
  readonly calibrated?: CalibratedCurve;
}

interface LogitCurveOptions {
  readonly lambda: readonly number[];
  readonly data: Readonly<Record<string, GpuDataset>>;
  readonly ensemble: boolean | undefined;
  /** Of the sweep's points on the images that temperatures are fitted on. It stays the caller's. */
  readonly calibrator: Evaluator | undefined;
}

export class LogitCurves implements LogitReader {
  readonly #lambda: readonly number[];
  readonly #data: Readonly<Record<string, GpuDataset>>;
  readonly #ensemble: boolean;
  readonly #calibrator: Evaluator | undefined;
  readonly #temperatures: number[] = [];
  /** Of each data set: the first point's logits, and the ensemble once the last point's are here. */
  readonly #first = new Map<string, Float32Array>();
  readonly #ensembles = new Map<string, Evaluation[]>();
  readonly #calibrated = new Map<string, Evaluation[]>();

  constructor({ lambda, data, ensemble = false, calibrator }: LogitCurveOptions) {
    this.#lambda = lambda;
    this.#data = data;
    this.#ensemble = ensemble;
    this.#calibrator = calibrator;
  }

  /** Fits the temperature of the point that the sweep is at, where points are to be calibrated. Reads logits back. */
  async calibrate(signal?: AbortSignal): Promise<void> {
    if (!this.#calibrator) return;
    const { dataset } = this.#calibrator;
    const logits = await this.#calibrator.logits(dataset.count, { signal });
    this.#temperatures.push(fitTemperature(logits, dataset.labels).temperature);
  }

  wants(point: number): boolean {
    const isEnd = point === 0 || point === this.#lambda.length - 1;
    return this.#calibrator !== undefined || (this.#ensemble && isEnd);
  }

  take(point: number, name: string, logits: Float32Array): void {
    const { labels } = this.#data[name]!;
    if (this.#calibrator) {
      const all = this.#calibrated.get(name) ?? [];
      this.#calibrated.set(name, [...all, evaluateAt(logits, labels, this.#temperatures[point]!)]);
    }
    if (!this.#ensemble) return;
    if (point === 0) this.#first.set(name, logits);
    if (point !== this.#lambda.length - 1) return;
    const first = this.#first.get(name)!;
    const mixed = this.#lambda.map((l) => evaluateLogits(mixLogits([first, logits], [1 - l, l]), labels));
    this.#ensembles.set(name, mixed);
  }

  /** The curves on a data set, once every point was taken. */
  curvesOf(name: string): ExtraCurves {
    const [ensemble, calibrated] = [this.#ensembles.get(name), this.#calibrated.get(name)];
    return {
      ...(ensemble ? { ensemble: summarised(this.#lambda, ensemble) } : {}),
      ...(calibrated
        ? { calibrated: { ...summarised(this.#lambda, calibrated), temperature: this.#temperatures } }
        : {}),
    };
  }
}

/** The curve of evaluations along lambda, with its barriers. */
export function summarised(lambda: readonly number[], points: readonly Evaluation[]): Curve & CurveSummary {
  const curve = { loss: points.map((p) => p.loss), accuracy: points.map((p) => p.accuracy) };
  return { ...curve, ...summariseCurve(lambda, curve) };
}

/** A network without a temperature, since its logits are not finite, has no loss either. */
function evaluateAt(logits: Float32Array, labels: Uint8Array, temperature: number): Evaluation {
  if (!Number.isNaN(temperature)) return evaluateLogits(logits, labels, temperature);
  return { loss: Number.NaN, accuracy: evaluateLogits(logits, labels).accuracy };
}
