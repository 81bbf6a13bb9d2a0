/** Softmax-temperature calibration. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { evaluateLogits } from '../../../src/rebasin/interpolation/logits.ts';
import {
  fitTemperature,
  slopeAt,
  TEMPERATURE_RANGE,
} from '../../../src/rebasin/interpolation/temperature.ts';
import { normals } from '../../support/numbers.ts';

/** Logits, and labels drawn with the probabilities that these logits say: the best temperature is near 1. */
function honest(count: number, classes: number, seed: number) {
  const logits = new Float64Array(count * classes);
  const stream = new RandomStream(seed, 'honest logits');
  stream.derive('logits').fillNormal(logits, 0, 2);
  const draws = new Float64Array(count);
  stream.derive('labels').fillUniform(draws);
  const labels = Uint8Array.from(draws, (draw, n) => {
    const weights = Array.from(logits.subarray(n * classes, (n + 1) * classes), Math.exp);
    let left = draw * weights.reduce((a, b) => a + b, 0);
    for (const [c, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return c;
    }
    return classes - 1;
  });
  return { logits, labels };
}

describe('fitTemperature', () => {
  const { logits, labels } = honest(4000, 10, 1);
  const { temperature, loss, bound } = fitTemperature(logits, labels);

  it('finds a temperature near 1 for logits that are the truth', () => {
    // The derivative's standard error is sqrt(Var / n), the curvature Var: T is off by about 1 / sqrt(n Var) = 0.014.
    expect(Math.abs(temperature - 1)).toBeLessThan(0.05);
    expect(loss).toBe(evaluateLogits(logits, labels, temperature).loss);
    expect(bound).toBeUndefined();
  });

  it('ends where the derivative is zero, by finite differences and by formula', () => {
    const at = (factor: number) => evaluateLogits(logits, labels, temperature * factor).loss;
    expect(at(1.01)).toBeGreaterThan(loss);
    expect(at(0.99)).toBeGreaterThan(loss);
    // Central difference in log T: its own error is h^2 / 6 of the third derivative (near 1) and 1e-16 / h of rounding.
    const h = 1e-4;
    const curvature = (at(Math.exp(h)) - 2 * loss + at(Math.exp(-h))) / (h * h);
    expect(curvature).toBeGreaterThan(0.1);
    expect(Math.abs(at(Math.exp(h)) - at(Math.exp(-h))) / (2 * h)).toBeLessThan(1e-7);
    // A relative error e of T leaves a slope of e times the curvature.
    const { first, second } = slopeAt(logits, labels, 1 / temperature);
    expect(Math.abs(first / (second / temperature))).toBeLessThan(1e-8);
  });

  it('has derivatives that finite differences of the loss confirm', () => {
    for (const b of [0.01, 0.3, 1, 4]) {
      const at = (b: number) => evaluateLogits(logits, labels, 1 / b).loss;
      const [h, slope] = [1e-4 * b, slopeAt(logits, labels, b)];
      const [up, down] = [at(b + h), at(b - h)];
      expect((up - down) / (2 * h)).toBeCloseTo(slope.first, 6);
      expect(
        (slopeAt(logits, labels, b + h).first - slopeAt(logits, labels, b - h).first) / (2 * h),
      ).toBeCloseTo(slope.second, 5);
    }
  });

  it.each([1e-4, 0.02, 7, 3000])('gives logits scaled by %d back their scale', (scale) => {
    const scaled = fitTemperature(
      logits.map((z) => scale * z),
      labels,
    );
    expect(Math.abs(scaled.temperature / (scale * temperature) - 1)).toBeLessThan(1e-8);
    expect(Math.abs(scaled.loss - loss)).toBeLessThan(1e-13);
  });

  it('is never worse than any other temperature', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 2, max: 6 }), (seed, classes) => {
        const data = honest(12, classes, seed);
        const found = fitTemperature(data.logits, data.labels);
        for (let t = TEMPERATURE_RANGE[0]; t <= TEMPERATURE_RANGE[1]; t *= 1.5) {
          const other = evaluateLogits(data.logits, data.labels, t).loss;
          expect(found.loss).toBeLessThanOrEqual(other + 1e-14 * (1 + other));
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('ends at the lowest temperature where every label wins, with no loss left', () => {
    const sure = Float32Array.of(1, 0.5, 0, 0, 0.25, 0.2);
    expect(fitTemperature(sure, [0, 1])).toEqual({ temperature: 1e-6, loss: 0, bound: 'lowest' });
  });

  it('ends at the highest temperature where the logits say nothing or the opposite', () => {
    const classes = 10;
    const constant = fitTemperature(new Float32Array(5 * classes), [0, 1, 2, 3, 4]);
    expect(constant).toMatchObject({ temperature: 1e6, bound: 'highest' });
    expect(constant.loss).toBeCloseTo(Math.log(classes), 12);
    const wrong = normals(5 * classes, 'wrong logits');
    for (let n = 0; n < 5; n++) wrong[n * classes + n] = -10;
    const opposite = fitTemperature(wrong, [0, 1, 2, 3, 4]);
    expect(opposite).toMatchObject({ temperature: 1e6, bound: 'highest' });
    expect(opposite.loss).toBeCloseTo(Math.log(classes), 4);
  });

  it('has no answer for logits that are not finite, and refuses what does not fit', () => {
    const none = { temperature: Number.NaN, loss: Number.NaN };
    expect(fitTemperature(Float32Array.of(0, Number.NaN, 1, 0), [0, 1])).toEqual(none);
    expect(fitTemperature(Float32Array.of(0, Number.POSITIVE_INFINITY, 1, 0), [0, 1])).toEqual(none);
    expect(() => fitTemperature(new Float32Array(3), [0, 1])).toThrow(ShapeError);
  });

  it('does not mind a class that is impossible', () => {
    const impossible = Float64Array.from({ length: 4000 * 11 }, (_, i) =>
      i % 11 === 10 ? Number.NEGATIVE_INFINITY : logits[Math.floor(i / 11) * 10 + (i % 11)]!,
    );
    expect(fitTemperature(impossible, labels)).toEqual({ temperature, loss });
  });
});
