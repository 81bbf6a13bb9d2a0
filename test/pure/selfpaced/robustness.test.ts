/**
 * What self-paced learning is for: spoiled training samples. The age is chosen on a validation part, the error taken on other samples; the
 * path is compared with ordinary training and with a grid on the same branch.
 */
import { describe, expect, test } from 'vitest';
import { DataError, OptionError } from '../../../src/base/errors.ts';
import { agePath } from '../../../src/selfpaced/age-path.ts';
import { distance, fullFit, searchGrid } from '../../../src/selfpaced/alternating-search.ts';
import { exampleData } from '../../../src/selfpaced/example-data.ts';
import { lasso } from '../../../src/selfpaced/lasso.ts';
import { drawnAges, heldOutError, logarithmicGrid } from '../../../src/selfpaced/path-curves.ts';
import type { SelfPacedProblem } from '../../../src/selfpaced/problem.ts';
import { selfPacedRegulariser } from '../../../src/selfpaced/regularisers.ts';
import { type Part, splitTable } from '../../../src/selfpaced/split-table.ts';
import { supportVectorMachine } from '../../../src/selfpaced/support-vector-machine.ts';
import { SEEDS } from '../../support/self-paced-problems.ts';

const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

/** Errors on the second half of the held-out samples, the age chosen on the first. */
function compare(problem: SelfPacedProblem, held: Part, from: number, to: number) {
  const columns = held.features.length / held.targets.length;
  const half = held.targets.length >> 1;
  const validation = {
    features: held.features.subarray(0, half * columns),
    targets: held.targets.subarray(0, half),
  };
  const test = { features: held.features.subarray(half * columns), targets: held.targets.subarray(half) };
  const tested = heldOutError(problem, test);
  const chosen = (solutions: readonly Float64Array[]) => {
    const errors = solutions.map(heldOutError(problem, validation));
    return tested(solutions[errors.indexOf(Math.min(...errors))]!);
  };
  const path = agePath(problem, selfPacedRegulariser('linear'), { from, to });
  const onPath = drawnAges(path, 100).ages.map((age) => path.at(age).solution);
  const plain = fullFit(problem);
  return { path: chosen(onPath), plain: tested(plain), statistics: path.statistics };
}

describe('with spoiled samples', { timeout: 60_000 }, () => {
  test('outliers: the Lasso at the chosen age predicts better than ordinary training', () => {
    const results = SEEDS.map((seed) => {
      const { train, test: held } = splitTable(exampleData('outliers', 240, seed), {
        holdOut: 0.75,
        classes: false,
        seed,
      });
      const problem = lasso({ features: train.features, targets: train.targets, penalty: 1 });
      return compare(problem, held, 0.02, 20);
    });
    expect(mean(results.map(({ path }) => path))).toBeLessThan(
      0.95 * mean(results.map(({ plain }) => plain)),
    );
    expect(results.filter(({ path, plain }) => path < plain).length).toBeGreaterThanOrEqual(16);
  });

  test('turned labels: a machine at the chosen age is on average no worse than ordinary training', () => {
    const results = SEEDS.map((seed) => {
      const { train, test: held } = splitTable(exampleData('moons', 240, seed), {
        holdOut: 0.75,
        classes: true,
        flip: 0.2,
        seed,
      });
      const kernel = { kind: 'rbf', gamma: 1 } as const;
      const { features, targets: labels } = train;
      return compare(supportVectorMachine({ features, labels, kernel, cost: 3 }), held, 1.2, 15);
    });
    // The choice on 90 samples costs something: a hundredth is one of them.
    expect(mean(results.map(({ path }) => path))).toBeLessThan(
      mean(results.map(({ plain }) => plain)) + 0.01,
    );
  });

  test('the grid, warm or cold, finds solutions of the same conditions with more work the finer it is', () => {
    const { train } = splitTable(exampleData('outliers', 80, 3), { holdOut: 0, classes: false, seed: 3 });
    const problem = lasso({ features: train.features, targets: train.targets, penalty: 1 });
    const regulariser = selfPacedRegulariser('exponential');
    const path = agePath(problem, regulariser, { from: 0.5, to: 20 });
    const grid = (count: number, warm: boolean) =>
      searchGrid(problem, regulariser, { ages: logarithmicGrid(0.5, 20, count), warm, tolerance: 1e-12 });
    const [warm, fine, cold] = [grid(10, true), grid(40, true), grid(10, false)];
    for (const { solutions } of [warm, fine, cold]) {
      for (const { age, solution, converged } of solutions) {
        expect(converged).toBe(true);
        expect(problem.residual(solution, { regulariser, age })).toBeLessThan(1e-9);
        // Without a jump there is one branch, and all are on it.
        if (path.statistics.jumps === 0) expect(distance(solution, path.at(age).solution)).toBeLessThan(1e-6);
      }
    }
    expect(path.statistics.jumps).toBe(0);
    expect(fine.work.linearSolves).toBeGreaterThan(warm.work.linearSolves);
    expect(fine.solutions).toHaveLength(40);
  });
});

describe('splitTable', () => {
  const table = exampleData('moons', 50, 0);

  test('standardises by the training samples and turns round as many labels as asked', () => {
    const options = { holdOut: 0.4, classes: true, seed: 5 };
    const { train, test: held, columns } = splitTable(table, { ...options, constant: true });
    expect([train.targets.length, held.targets.length, columns]).toEqual([30, 20, 3]);
    for (const j of [0, 1]) {
      const values = Array.from({ length: 30 }, (_, i) => train.features[3 * i + j]!);
      expect(mean(values)).toBeCloseTo(0, 12);
      expect(mean(values.map((x) => x * x))).toBeCloseTo(1, 12);
    }
    expect(train.features[2]).toBe(1);
    const flipped = splitTable(table, { ...options, constant: true, flip: 0.2 }).train;
    expect(flipped.targets.filter((y, i) => y !== train.targets[i]!).length).toBe(6);
    expect(flipped.features).toEqual(train.features);
  });

  test('refuses what it cannot split', () => {
    const numbers = exampleData('outliers', 20, 0);
    expect(() => splitTable(numbers, { holdOut: 0.1, classes: true, seed: 0 })).toThrow(DataError);
    expect(() => splitTable(numbers, { holdOut: 0.1, classes: false, flip: 0.1, seed: 0 })).toThrow(
      OptionError,
    );
    expect(() => splitTable(table, { holdOut: 1, classes: true, seed: 0 })).toThrow(OptionError);
    expect(() => splitTable(exampleData('moons', 2, 0), { holdOut: 0.5, classes: true, seed: 0 })).toThrow(
      DataError,
    );
  });
});
