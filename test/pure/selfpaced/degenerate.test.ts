/** Input at the edge: a right answer, or one clear error before any work. */
import { describe, expect, test } from 'vitest';
import { DataError, OptionError, ShapeError } from '../../../src/base/errors.ts';
import { agePath } from '../../../src/selfpaced/age-path.ts';
import { distance, fullFit, searchGrid } from '../../../src/selfpaced/alternating-search.ts';
import { lasso } from '../../../src/selfpaced/lasso.ts';
import { logisticRegression } from '../../../src/selfpaced/logistic-regression.ts';
import type { SelfPacedProblem } from '../../../src/selfpaced/problem.ts';
import {
  REGULARISER_NAMES,
  type RegulariserName,
  selfPacedRegulariser,
} from '../../../src/selfpaced/regularisers.ts';
import { supportVectorMachine } from '../../../src/selfpaced/support-vector-machine.ts';
import { agesOf, classes, outlierRegression, SEEDS } from '../../support/self-paced-problems.ts';

const linear = selfPacedRegulariser('linear');
const rbf = { kind: 'rbf', gamma: 0.5 } as const;
const twice = (values: Float64Array) => Float64Array.of(...values, ...values);

/** Every stored point of a path solves the conditions. */
function expectSolved(problem: SelfPacedProblem, name: RegulariserName = 'linear'): void {
  const path = agePath(problem, selfPacedRegulariser(name), agesOf(name, problem.name));
  expect(Math.max(...path.points().map(({ residual }) => residual))).toBeLessThan(1e-10);
  const { from, to } = path;
  for (const part of [0.1, 0.5, 0.9]) {
    expect(path.at(from + part * (to - from), { polish: true }).residual).toBeLessThan(1e-10);
  }
}

describe('degenerate data', { timeout: 60_000 }, () => {
  test.each(REGULARISER_NAMES)('duplicate samples count as one of twice the weight: %s', (name) => {
    for (const seed of SEEDS.slice(0, 4)) {
      const { features, y } = outlierRegression(seed, 16, 4, 3);
      const regulariser = selfPacedRegulariser(name);
      const ages = agesOf(name, 'lasso');
      const single = agePath(lasso({ features, targets: y, penalty: 0.5 }), regulariser, ages);
      const double = agePath(
        lasso({ features: twice(features), targets: twice(y), penalty: 1 }),
        regulariser,
        ages,
      );
      expect(double.statistics.jumps).toBe(single.statistics.jumps);
      for (const part of [0.13, 0.47, 0.89]) {
        const age = ages.from + part * (ages.to - ages.from);
        const [a, b] = [single, double].map((path) => path.at(age, { polish: true }).solution);
        expect(distance(a!, b!)).toBeLessThan(1e-9);
      }
    }
  });

  test.each(REGULARISER_NAMES)('duplicate samples of support vector machines: %s', (name) => {
    for (const seed of SEEDS.slice(0, 4)) {
      const { features, y } = classes(seed, 14, 2, 2);
      const data = { features: twice(features), labels: twice(y), cost: 1 };
      expectSolved(supportVectorMachine({ ...data, kernel: rbf }), name);
      expectSolved(supportVectorMachine({ ...data, kernel: { kind: 'linear' } }), name);
    }
  });

  test('duplicate and constant features', () => {
    for (const seed of SEEDS) {
      const { features, y } = outlierRegression(seed, 20, 3, 4);
      const rows = Array.from({ length: 20 }, (_, i) => [...features.subarray(3 * i, 3 * i + 3)]);
      const doubled = Float64Array.from(rows.flatMap((row) => [...row, ...row, 0, 1]));
      const problem = lasso({ features: doubled, targets: y, penalty: 1 });
      expectSolved(problem);
      const path = agePath(problem, linear, { from: 0.5, to: 20 });
      // A feature that is always 0 never enters.
      for (const { solution } of path.points()) expect(solution[6]).toBe(0);
      const labels = y.map((each) => (each > 0 ? 1 : -1));
      expectSolved(logisticRegression({ features: doubled, labels, penalty: 1 }));
      if (labels.includes(1) && labels.includes(-1)) {
        expectSolved(
          supportVectorMachine({ features: doubled, labels, kernel: { kind: 'linear' }, cost: 1 }),
        );
      }
    }
  });

  test('separable classes', () => {
    for (const seed of SEEDS) {
      const { features } = classes(seed, 20, 2, 0);
      for (let i = 0; i < 20; i++) features[2 * i]! += i % 2 === 0 ? 4 : -4;
      const labels = Float64Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 1 : -1));
      const machine = supportVectorMachine({ features, labels, kernel: { kind: 'linear' }, cost: 1 });
      expectSolved(machine);
      const path = agePath(machine, linear, { from: 1.2, to: 20 });
      const scores = machine.predictor(features)(path.at(20).solution);
      for (const [i, score] of scores.entries()) expect(Math.sign(score)).toBe(labels[i]);
      expectSolved(logisticRegression({ features, labels, penalty: 1e-3 }));
    }
  });

  test('one class: an error for the offset of a machine, an answer of logistic regression', () => {
    const { features } = classes(0, 10, 2, 0);
    const labels = new Float64Array(10).fill(1);
    expect(() => supportVectorMachine({ features, labels, kernel: rbf, cost: 1 })).toThrow(
      /expected both labels.*Add samples/,
    );
    expectSolved(logisticRegression({ features, labels, penalty: 1 }));
  });

  test('an active set that stays empty, or empties', () => {
    for (const seed of SEEDS) {
      const { features, y } = outlierRegression(seed, 20, 4, 5);
      const all = agePath(lasso({ features, targets: y, penalty: 1e4 }), linear, { from: 0.1, to: 50 });
      for (const { solution } of all.points()) expect([...solution]).toEqual([0, 0, 0, 0]);
      // At this penalty a few coefficients enter as the age brings samples in.
      const some = lasso({ features, targets: y, penalty: 8 });
      expectSolved(some);
      const path = agePath(some, linear, { from: 0.02, to: 50, start: new Float64Array(4) });
      expect([...path.at(0.02).solution]).toEqual([0, 0, 0, 0]);
      expect(Math.max(...path.points().map(({ residual }) => residual))).toBeLessThan(1e-10);
      const down = agePath(some, linear, { from: 50, to: 0.02 });
      expect(Math.max(...down.points().map(({ residual }) => residual))).toBeLessThan(1e-10);
    }
  });

  test('ages at which every sample is dropped', () => {
    for (const seed of SEEDS) {
      const { features, y } = classes(seed, 20, 2, 3);
      const logistic = logisticRegression({ features, labels: y, penalty: 1 });
      const start = new Float64Array(2);
      // At w = 0 every loss is ln 2.
      const path = agePath(logistic, linear, { from: 0.1, to: 5, start });
      expect([...path.at(0.69).weights]).toEqual(new Array(20).fill(0));
      expect([...path.at(0.69).solution]).toEqual([0, 0]);
      expect(path.events[0]!.age).toBeCloseTo(Math.LN2, 9);
      expect(path.at(5).weights.some((weight) => weight > 0)).toBe(true);
      const machine = supportVectorMachine({ features, labels: y, kernel: rbf, cost: 1 });
      const zero = new Float64Array(21);
      const low = agePath(machine, linear, { from: 0.2, to: 0.9, start: zero });
      expect(low.events).toEqual([]);
      expect([...low.at(0.5).solution]).toEqual([...zero]);
      const through = agePath(machine, linear, { from: 0.2, to: 5, start: zero });
      expect(Math.max(...through.points().map(({ residual }) => residual))).toBeLessThan(1e-10);
      expect(through.at(5).weights.some((weight) => weight > 0)).toBe(true);
    }
  });

  test('a single sample, and one feature', () => {
    expectSolved(lasso({ features: Float64Array.of(2), targets: Float64Array.of(3), penalty: 1 }));
    expectSolved(
      logisticRegression({ features: Float64Array.of(2), labels: Float64Array.of(-1), penalty: 1 }),
    );
  });

  test('targets and features of a large scale', () => {
    const { features, y } = outlierRegression(1, 20, 3, 3);
    const problem = lasso({
      features: features.map((x) => 1e3 * x),
      targets: y.map((t) => 1e4 * t),
      penalty: 1e7,
    });
    const path = agePath(problem, linear, { from: 1e7, to: 2e9 });
    expect(Math.max(...path.points().map(({ residual }) => residual))).toBeLessThan(1e-10);
  });
});

describe('refusals', () => {
  const features = Float64Array.of(1, 2, 3, 4);
  const labels = Float64Array.of(1, -1);
  const bad = Float64Array.of(1, 2, Number.NaN, 4);

  test('what is not finite, with its place', () => {
    expect(() => lasso({ features: bad, targets: labels, penalty: 1 })).toThrow(
      /NaN as feature 0 of sample 1/,
    );
    expect(() => lasso({ features, targets: Float64Array.of(1, Infinity), penalty: 1 })).toThrow(DataError);
    expect(() => logisticRegression({ features: bad, labels, penalty: 1 })).toThrow(DataError);
    expect(() => supportVectorMachine({ features: bad, labels, kernel: rbf, cost: 1 })).toThrow(DataError);
    const gram = Float64Array.of(1, 0, 0, Number.NaN);
    expect(() => supportVectorMachine({ features, labels, kernel: rbf, cost: 1, gram })).toThrow(
      /gram entry 1, 1/,
    );
  });

  test('shapes that do not fit', () => {
    expect(() => lasso({ features: features.subarray(0, 3), targets: labels, penalty: 1 })).toThrow(
      ShapeError,
    );
    expect(() => lasso({ features: new Float64Array(0), targets: new Float64Array(0), penalty: 1 })).toThrow(
      ShapeError,
    );
    const problem = lasso({ features, targets: labels, penalty: 1 });
    expect(() => problem.predictor(new Float64Array(3))(new Float64Array(2))).toThrow(ShapeError);
    expect(() => agePath(problem, linear, { from: 1, to: 2, start: new Float64Array(3) })).toThrow(
      ShapeError,
    );
    const gram = new Float64Array(3);
    expect(() => supportVectorMachine({ features, labels, kernel: rbf, cost: 1, gram })).toThrow(ShapeError);
  });

  test('labels and options out of range', () => {
    const wrong = Float64Array.of(1, 0);
    expect(() => logisticRegression({ features, labels: wrong, penalty: 1 })).toThrow(/got 0 for sample 1/);
    expect(() => logisticRegression({ features, labels, penalty: 0 })).toThrow(OptionError);
    expect(() => lasso({ features, targets: labels, penalty: 0 })).toThrow(OptionError);
    expect(() => lasso({ features, targets: labels, penalty: -1 })).toThrow(OptionError);
    expect(() => supportVectorMachine({ features, labels, kernel: rbf, cost: Infinity })).toThrow(
      OptionError,
    );
    const flat = { kind: 'rbf', gamma: 0 } as const;
    expect(() => supportVectorMachine({ features, labels, kernel: flat, cost: 1 })).toThrow(OptionError);
  });

  test('ages out of range', () => {
    const problem = lasso({ features, targets: labels, penalty: 1 });
    for (const [from, to] of [
      [0, 1],
      [1, -1],
      [1, Infinity],
      [Number.NaN, 1],
    ] as const) {
      expect(() => agePath(problem, linear, { from, to })).toThrow(OptionError);
    }
    const logarithmic = selfPacedRegulariser('logarithmic');
    expect(() => agePath(problem, logarithmic, { from: 0.1, to: 1 })).toThrow(/between 0 and 1/);
    const path = agePath(problem, linear, { from: 1, to: 2 });
    expect(() => path.at(2.1)).toThrow(OptionError);
    expect(() => path.at(Number.NaN)).toThrow(OptionError);
    expect(() => searchGrid(problem, linear, { ages: [] })).toThrow(OptionError);
    expect(() => agePath(problem, linear, { from: 1, to: 2, maxSteps: 1 })).toThrow(/maxSteps/);
  });

  test('a path of one age is that solution', () => {
    const problem = lasso({ features, targets: labels, penalty: 0.1 });
    const path = agePath(problem, linear, { from: 2, to: 2 });
    expect(path.at(2).residual).toBeLessThan(1e-12);
    expect(path.events).toEqual([]);
  });

  test('an aborted signal ends it', () => {
    const problem = lasso({ features, targets: labels, penalty: 0.1 });
    const signal = AbortSignal.abort(new Error('stop'));
    expect(() => agePath(problem, linear, { from: 1, to: 2, signal })).toThrow('stop');
    expect(() => searchGrid(problem, linear, { ages: [1], signal })).toThrow('stop');
  });

  test('a given gram is the kernel', () => {
    const { features: rows, y } = classes(3, 12, 2, 2);
    const gram = new Float64Array(144);
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < 12; j++)
        gram[12 * i + j] = rows[2 * i]! * rows[2 * j]! + rows[2 * i + 1]! * rows[2 * j + 1]!;
    }
    const data = { features: rows, labels: y, kernel: { kind: 'linear' }, cost: 1 } as const;
    expect(fullFit(supportVectorMachine({ ...data, gram }))).toEqual(fullFit(supportVectorMachine(data)));
  });
});
