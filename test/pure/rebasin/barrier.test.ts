/** Barriers of curves, by hand and by property. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/base/errors.ts';
import { equallySpaced, summariseCurve } from '../../../src/rebasin/interpolation/barrier.ts';

describe('summariseCurve', () => {
  it('measures against the line between the ends and against their mean', () => {
    const summary = summariseCurve([0, 0.25, 0.5, 0.75, 1], {
      loss: [1, 2.5, 3, 3.5, 3],
      accuracy: [0.9, 0.8, 0.5, 0.6, 0.7],
    });
    // Line: 1, 1.5, 2, 2.5, 3; the largest excess is 1. Mean of the ends: 2; the largest excess 1.5.
    expect(summary.barrier.loss).toBeCloseTo(1, 12);
    expect(summary.barrierFromMean.loss).toBeCloseTo(1.5, 12);
    expect(summary.barrier.accuracy).toBeCloseTo(0.3, 12);
    expect(summary.barrierFromMean.accuracy).toBeCloseTo(0.3, 12);
    expect(summary.midpoint).toEqual({ loss: 3, accuracy: 0.5 });
    expect(summary.midpointBarrier.loss).toBeCloseTo(1, 12);
    expect(summary.midpointBarrier.accuracy).toBeCloseTo(0.3, 12);
  });

  it('is zero on a straight line, and never negative', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 2, maxLength: 30 }),
        (loss) => {
          const lambda = equallySpaced(loss.length);
          const line = lambda.map((l) => (1 - l) * loss[0]! + l * loss.at(-1)!);
          expect(summariseCurve(lambda, { loss: line, accuracy: line }).barrier).toEqual({
            loss: 0,
            accuracy: 0,
          });
          expect(summariseCurve(lambda, { loss, accuracy: loss }).barrier.loss).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  it('agrees for both chords when the ends are equal', () => {
    const { barrier, barrierFromMean } = summariseCurve([0, 0.5, 1], {
      loss: [2, 5, 2],
      accuracy: [0.5, 0.25, 0.5],
    });
    expect(barrierFromMean).toEqual(barrier);
  });

  it('takes the midpoint between two points where there is none at 0.5', () => {
    expect(
      summariseCurve(equallySpaced(4), { loss: [0, 3, 6, 0], accuracy: [0, 0, 0, 0] }).midpoint.loss,
    ).toBeCloseTo(4.5, 12);
  });

  it('keeps a NaN visible', () => {
    expect(
      summariseCurve([0, 0.5, 1], { loss: [0, Number.NaN, 0], accuracy: [1, 0, 1] }).barrier.loss,
    ).toBeNaN();
  });

  it('refuses arrays that do not match', () => {
    expect(() => summariseCurve([0, 1], { loss: [1], accuracy: [1, 1] })).toThrow(ShapeError);
  });
});
