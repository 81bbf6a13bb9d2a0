/** Learning-rate schedules and initial values. */
import { describe, expect, it } from 'vitest';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import {
  constantSchedule,
  cosineSchedule,
  linearSchedule,
  stepSchedule,
  warmupSchedule,
} from '../../../src/nn/train/schedule.ts';

describe('schedules', () => {
  it('constant is 1 throughout', () => {
    expect([0, 5, 99].map((step) => constantSchedule()(step, 100))).toEqual([1, 1, 1]);
  });

  it('step multiplies by gamma at each milestone', () => {
    const schedule = stepSchedule([0.5, 0.75]);
    expect([0, 49, 50, 74, 75, 99].map((step) => schedule(step, 100))).toEqual([
      1,
      1,
      0.1,
      0.1,
      0.1 * 0.1,
      0.1 * 0.1,
    ]);
    expect(() => stepSchedule([50])).toThrow(/fractions of the run/);
  });

  it('linear falls from 1 to 0 after the last step', () => {
    expect([0, 25, 99].map((step) => linearSchedule()(step, 100))).toEqual([1, 0.75, 1 - 0.99]);
  });

  it('cosine falls from 1 through 1/2 towards 0', () => {
    const schedule = cosineSchedule();
    for (const [step, factor] of [
      [0, 1],
      [50, 0.5],
      [25, (1 + Math.SQRT1_2) / 2],
      [100, 0],
    ] as const) {
      expect(schedule(step, 100)).toBeCloseTo(factor, 14);
    }
  });

  it('warm-up rises linearly to 1, then the other schedule runs over the rest', () => {
    const schedule = warmupSchedule(4, cosineSchedule());
    expect([0, 1, 2, 3].map((step) => schedule(step, 104))).toEqual([0.25, 0.5, 0.75, 1]);
    expect(schedule(4, 104)).toBe(1);
    expect(schedule(54, 104)).toBeCloseTo(0.5, 14);
  });
});

describe('initialiseParameters', () => {
  const entries = [
    { name: 'a.weight', shape: [200, 300], kind: 'parameter' },
    { name: 'a.bias', shape: [200], kind: 'parameter' },
    { name: 'b.weight', shape: [50, 40, 3, 3], kind: 'parameter' },
    { name: 'norm.weight', shape: [50], kind: 'parameter' },
    { name: 'norm.bias', shape: [50], kind: 'parameter' },
    { name: 'norm.running_mean', shape: [50], kind: 'buffer' },
    { name: 'norm.running_var', shape: [50], kind: 'buffer' },
  ] as const;
  const moments = (x: Float32Array) => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    return { mean, variance: x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length };
  };

  // 60,000 and 18,000 draws: the variance of a sample variance is at most 2 v^2 / n, so 5 % is more than 5 deviations.
  it.each([
    ['pytorch', [1 / 3 / 300, 1 / 3 / 360]],
    ['kaiming', [2 / 300, 2 / 360]],
    ['lecun', [1 / 300, 1 / 360]],
  ] as const)('%s has its variance for linear and convolution weights', (initialiser, variances) => {
    const values = initialiseParameters(entries, 1, initialiser);
    for (const [i, name] of ['a.weight', 'b.weight'].entries()) {
      expect(moments(values.get(name)!).variance / variances[i]!).toBeCloseTo(1, 1);
      expect(Math.abs(moments(values.get(name)!).mean)).toBeLessThan(5 * Math.sqrt(variances[i]! / 18000));
    }
  });

  it('gives PyTorch biases the bound of their weight, and others zero', () => {
    const pytorch = initialiseParameters(entries, 1).get('a.bias')!;
    const largest = pytorch.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
    expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(300));
    expect(largest).toBeGreaterThan(0.9 / Math.sqrt(300));
    expect(
      initialiseParameters(entries, 1, 'kaiming')
        .get('a.bias')!
        .every((v) => v === 0),
    ).toBe(true);
  });

  it('starts a normalisation at scale 1, shift 0, mean 0, variance 1', () => {
    const values = initialiseParameters(entries, 1);
    const firsts = ['weight', 'bias', 'running_mean', 'running_var'].map((name) => {
      const all = values.get(`norm.${name}`)!;
      expect(all.every((v) => v === all[0])).toBe(true);
      return all[0];
    });
    expect(firsts).toEqual([1, 0, 0, 1]);
  });

  it('is the same for one seed, whatever else is initialised, and another for another seed', () => {
    const all = initialiseParameters(entries, 1).get('b.weight');
    expect(initialiseParameters(entries.slice(2, 3), 1).get('b.weight')).toEqual(all);
    expect(initialiseParameters(entries, 2).get('b.weight')).not.toEqual(all);
  });
});
