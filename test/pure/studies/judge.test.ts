import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/base/errors.ts';
import { interval, judgeClaim, judgeComparison, type Measured, valueAt } from '../../../src/studies/judge.ts';
import type { Comparison } from '../../../src/studies/study.ts';

/**
 * P(T <= t) of Student's t with a whole number of degrees of freedom, by its finite series (Abramowitz and Stegun 26.7.3 and 26.7.4):
 * independent of any table.
 */
function studentCdf(t: number, degrees: number): number {
  const theta = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  let term = degrees % 2 === 1 ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = degrees % 2 === 1 ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= (cosine * cosine * (k - 1)) / k;
    sum += term;
  }
  const within = degrees % 2 === 1 ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
  return (1 + within) / 2;
}

/** Numbers of mean 0 whose mean has a standard error of 1: their margin is the quantile itself. */
function unitError(count: number): number[] {
  const raw = Array.from({ length: count }, (_, i) => i - (count - 1) / 2);
  const squares = raw.reduce((sum, value) => sum + value * value, 0);
  const scale = Math.sqrt((count * (count - 1)) / squares);
  return raw.map((value) => value * scale);
}

const measure = (differences: readonly number[], base = 1): Measured[] =>
  differences.flatMap((difference, repeat) => [
    { at: { side: 'large', repeat }, found: { deep: { value: base + difference } } },
    { at: { side: 'small', repeat }, found: { deep: { value: base } } },
  ]);

const larger = { path: 'deep|value', at: { side: 'large' } };
const smaller = { path: 'deep|value', at: { side: 'small' } };
const comparison: Comparison = { larger, smaller };

describe('the interval of a mean', () => {
  test('the series agrees with a table', () => {
    // Any table of Student's t: 97.5 % at 10 degrees of freedom, 95 % at 4, 99 % at 3.
    expect(studentCdf(2.2281, 10)).toBeCloseTo(0.975, 5);
    expect(studentCdf(2.1318, 4)).toBeCloseTo(0.95, 5);
    expect(studentCdf(4.5407, 3)).toBeCloseTo(0.99, 5);
    expect(studentCdf(6.3138, 1)).toBeCloseTo(0.95, 5);
  });

  test.each(Array.from({ length: 20 }, (_, i) => i + 2))(
    'of %i values is the two-sided 90 %% one',
    (count) => {
      const { mean, margin } = interval(unitError(count));
      expect(mean).toBeCloseTo(0, 12);
      // Quantiles have three decimals: within 0.0005, where the density is at most 0.12.
      expect(Math.abs(studentCdf(margin!, count - 1) - 0.95)).toBeLessThan(6e-5);
    },
  );

  test('of worked numbers', () => {
    // Mean 5, deviations -2, 0, 2: standard error 2 / sqrt(3), times 2.920.
    const { mean, margin } = interval([3, 5, 7]);
    expect(mean).toBe(5);
    expect(margin).toBeCloseTo((2.92 * 2) / Math.sqrt(3), 12);
    expect(interval([4])).toEqual({ mean: 4 });
    expect(interval([4, 4]).margin).toBe(0);
  });
});

describe('a comparison', () => {
  test('held where the interval lies above, not held where below, not decided where it holds 0', () => {
    const verdict = (...differences: number[]) => judgeComparison(comparison, measure(differences)).verdict;
    // Deviations of 0.1, three repetitions: a margin of 0.1686.
    expect(verdict(0.1, 0.2, 0.3)).toBe('held');
    expect(verdict(-0.1, -0.2, -0.3)).toBe('not held');
    expect(verdict(0.05, 0.15, 0.25)).toBe('not decided');
    expect(verdict(-0.05, -0.15, -0.25)).toBe('not decided');
    expect(verdict(0.2)).toBe('not decided');
  });

  test('is of differences within repetitions: what all of one repetition share cancels', () => {
    const bases = [1, 10, 100];
    const measured = bases.flatMap((base, repeat) =>
      measure([0.5], base).map((each) => ({ ...each, at: { ...each.at, repeat } })),
    );
    const judged = judgeComparison(comparison, measured);
    expect(judged).toMatchObject({ verdict: 'held', repetitions: 3, excess: 0.5 });
    expect(judged.margin).toBeLessThan(1e-12);
    expect([judged.larger, judged.smaller]).toEqual([37.5, 37]);
  });

  test('asks for so much more, and for so many times as much', () => {
    const measured = measure([0.99, 1, 1.01]);
    const judge = (asked: Partial<Comparison>) => judgeComparison({ ...comparison, ...asked }, measured);
    expect(judge({ by: 0.9 }).verdict).toBe('held');
    expect(judge({ by: 0.9 }).excess).toBeCloseTo(0.1, 12);
    expect(judge({ by: 1.1 }).verdict).toBe('not held');
    expect(judge({ atLeastTimes: 1.9 }).excess).toBeCloseTo(0.1, 12);
    expect(judge({ atLeastTimes: 2.1 }).verdict).toBe('not held');
    expect(judge({ atLeastTimes: 0.5, by: 1.6 }).verdict).toBe('not held');
  });

  test('may be with a number', () => {
    const judged = judgeComparison({ larger, smaller: 1.5 }, measure([0.9, 1, 1.1]));
    expect(judged).toMatchObject({ verdict: 'held', smaller: 1.5 });
    expect(judged.excess).toBeCloseTo(0.5, 12);
  });

  test('of something exact is decided by one measurement', () => {
    const exact = (difference: number) =>
      judgeComparison({ ...comparison, isExact: true }, measure([difference]));
    expect(exact(1e-9).verdict).toBe('held');
    expect(exact(0).verdict).toBe('held'); // at least
    expect(exact(-1e-9).verdict).toBe('not held');
    expect(exact(1e-9).margin).toBeUndefined();
  });

  test('counts what names no repetition as one', () => {
    const measured = measure([0.5]).map(({ at: { side }, found }) => ({ at: { side: side! }, found }));
    expect(judgeComparison(comparison, measured)).toMatchObject({ repetitions: 1, verdict: 'not decided' });
  });

  test('refuses what was not measured, was measured twice, or in other repetitions', () => {
    const measured = measure([1, 2, 3]);
    const judge =
      (asked: Partial<Comparison>, from = measured) =>
      () =>
        judgeComparison({ ...comparison, ...asked }, from);
    expect(judge({ larger: { path: 'deep|value', at: { side: 'nowhere' } } })).toThrow(DataError);
    expect(judge({ larger: { path: 'deep|value', at: { side: 'nowhere' } } })).toThrow(/none/);
    expect(judge({ smaller: { path: 'deep|value', at: { side: 'nowhere' } } })).toThrow(DataError);
    expect(judge({ larger: { path: 'deep|value' } })).toThrow(/measured twice in repetition 0/);
    expect(judge({}, measured.slice(0, -1))).toThrow(/0, 1, 2.*0, 1/);
    expect(judge({}, measured.slice(1))).toThrow(DataError);
    const shifted = measured.map((each, i) =>
      i === 5 ? { ...each, at: { side: 'small', repeat: 7 } } : each,
    );
    expect(judge({}, shifted)).toThrow(/0, 1, 2.*0, 1, 7/);
    expect(judge({ larger: { path: 'deep|nothing', at: { side: 'large' } } })).toThrow(/deep\|nothing/);
    expect(judge({ larger: { path: 'deep', at: { side: 'large' } } })).toThrow(DataError);
  });
});

describe('a claim', () => {
  const held = comparison;
  const notHeld = { larger: smaller, smaller: larger };
  const open = { ...comparison, by: 0.2 };
  const measured = measure([0.1, 0.2, 0.3]);
  const judge = (...holds: Comparison[]) => judgeClaim({ text: '', source: '', holds }, measured);

  test('held where all of its comparisons are, not held where one is not', () => {
    expect(judge(held, held).verdict).toBe('held');
    expect(judge(held, notHeld, open).verdict).toBe('not held');
    expect(judge(held, open).verdict).toBe('not decided');
    expect(judge(held, open).comparisons.map(({ verdict }) => verdict)).toEqual(['held', 'not decided']);
  });
});

test('a path leads through names and indices, to a number', () => {
  expect(valueAt('a|1|b', { a: [0, { b: 0.5 }] })).toBe(0.5);
  for (const path of ['a', 'a|2|b', 'c', 'a|1|b|d', 'n', 't', 'toString']) {
    expect(() => valueAt(path, { a: [0, { b: 0.5 }], n: null, t: 'text' }), path).toThrow(DataError);
  }
});
