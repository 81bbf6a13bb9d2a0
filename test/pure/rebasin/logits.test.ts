/** Loss and accuracy from logits on the host, and of averaged logits. */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError } from '../../../src/base/errors.ts';
import { evaluateLogits, mixLogits } from '../../../src/rebasin/interpolation/logits.ts';
import { correct, crossEntropy } from '../../reference/kernels/softmax.ts';
import { integers, normals } from '../../support/numbers.ts';

const [count, classes] = [200, 7];
const logits = normals(count * classes, 'logits').map((x) => 3 * x);
const labels = integers(count, classes, 'labels');
const rows = Array.from({ length: count }, (_, n) => [...logits.subarray(n * classes, (n + 1) * classes)]);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('evaluateLogits', () => {
  it.each([1, 0.3, 12])(
    'at temperature %d is the mean of the rows, as Math.exp and Math.log give them',
    (t) => {
      const { loss, accuracy } = evaluateLogits(logits, labels, t);
      const losses = rows.map((row, n) =>
        crossEntropy(
          row.map((z) => z / t),
          labels[n]!,
        ),
      );
      // A few units in the last place of each row's loss, which is at most 60.
      expect(Math.abs(loss - mean(losses))).toBeLessThan(1e-13);
      expect(accuracy).toBe(mean(rows.map((row, n) => correct(row, labels[n]!))));
    },
  );

  it('is exact where it can be: equal logits, and a margin beyond the range of exp', () => {
    expect(evaluateLogits(new Float32Array(8), [3, 1]).loss).toBeCloseTo(Math.LN2 * 2, 14);
    expect(evaluateLogits(Float32Array.of(0, 5000), [1])).toEqual({ loss: 0, accuracy: 1 });
    expect(evaluateLogits(Float32Array.of(0, 5000), [0])).toEqual({ loss: 5000, accuracy: 0 });
    expect(evaluateLogits(Float32Array.of(0, 1), [0], 1e-6)).toEqual({ loss: 1 / 1e-6, accuracy: 0 });
  });

  it('gives a tie to the first class, and no credit for a NaN or a label beyond the classes', () => {
    expect(evaluateLogits(Float32Array.of(2, 2, 1, 2, 2, 1), [0, 1]).accuracy).toBe(0.5);
    const broken = evaluateLogits(Float32Array.of(Number.NaN, 1, 0, 1), [0, 1]);
    expect(broken).toEqual({ loss: Number.NaN, accuracy: 0.5 });
    expect(evaluateLogits(Float32Array.of(0, 1, 0, 1), [2, 1])).toEqual({ loss: Number.NaN, accuracy: 0.5 });
  });

  it('refuses what does not fit', () => {
    expect(() => evaluateLogits(new Float32Array(7), [0, 1])).toThrow(ShapeError);
    expect(() => evaluateLogits(new Float32Array(0), [])).toThrow(ShapeError);
    for (const t of [0, -1, Number.NaN]) {
      expect(() => evaluateLogits(logits, labels, t)).toThrow(OptionError);
    }
  });
});

describe('mixLogits', () => {
  const others = normals(count * classes, 'other logits');

  it('is the mean of logits, not of probabilities', () => {
    const mixed = mixLogits([logits, others]);
    expect([...mixed]).toEqual(Array.from(logits, (x, i) => 0.5 * x + 0.5 * others[i]!));
    // Two models that are sure of different classes: their logits cancel, their probabilities would not.
    const [a, b] = [Float32Array.of(9, 0, 0), Float32Array.of(-9, 6, 0)];
    expect([...mixLogits([a, b])]).toEqual([0, 3, 0]);
  });

  it('is exactly one model where the others weigh nothing, even if these are not finite', () => {
    const broken = others.map(() => Number.NaN);
    expect([...mixLogits([logits, broken], [1, 0])]).toEqual([...logits]);
    expect([...mixLogits([broken, logits], [0, 1])]).toEqual([...logits]);
  });

  it('refuses what does not fit', () => {
    expect(() => mixLogits([])).toThrow(ShapeError);
    expect(() => mixLogits([logits, others.subarray(1)])).toThrow(ShapeError);
    expect(() => mixLogits([logits, others], [1])).toThrow(ShapeError);
  });
});
