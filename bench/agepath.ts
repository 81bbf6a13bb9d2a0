/**
 * Age paths beside grids: the whole path against alternating search at 50, 200 and 1,000 ages, each from the solution of the one before.
 *
 * `npm run bench -- agepath [--small] [--only svm-200]`. Results are checked first: every stored point of the path to 1e-10. Times are CPU
 * seconds of this process (user), since they are comparable on a machine that does other things besides. `solves` are dense factorisations; for
 * a support vector machine those of the path are larger (all samples between the sets) than those of a fit (support vectors on the margin). The
 * grid stops each age at a change of 1e-8. Held-out error: least over the ages that were evaluated (of the path, 2,000 ages without a solve), then
 * at the age that is best on a validation part, so that the choice is not made on the samples that judge it.
 */
import { agePath } from '../src/selfpaced/age-path.ts';
import { fullFit, searchGrid } from '../src/selfpaced/alternating-search.ts';
import { exampleData } from '../src/selfpaced/example-data.ts';
import { lasso } from '../src/selfpaced/lasso.ts';
import { logisticRegression } from '../src/selfpaced/logistic-regression.ts';
import { drawnAges, heldOutError, logarithmicGrid } from '../src/selfpaced/path-curves.ts';
import type { SelfPacedProblem } from '../src/selfpaced/problem.ts';
import { type RegulariserName, selfPacedRegulariser } from '../src/selfpaced/regularisers.ts';
import { type Part, splitTable } from '../src/selfpaced/split-table.ts';
import { supportVectorMachine } from '../src/selfpaced/support-vector-machine.ts';
import { outlierTable } from './agepath-data.ts';

interface Case {
  readonly name: string;
  readonly regularisers: readonly RegulariserName[];
  readonly from: number;
  readonly to: number;
  make(): { problem: SelfPacedProblem; validation: Part; test: Part };
}

/** Training samples, and 1,000 each to choose the age on and to judge it. */
function moons(n: number) {
  const { train, test } = splitTable(exampleData('moons', n + 2000, 1), {
    holdOut: 2000 / (n + 2000),
    classes: true,
    flip: 0.15,
    constant: false,
    seed: 1,
  });
  return { train, ...halves(test) };
}

function halves({ features, targets }: Part): { validation: Part; test: Part } {
  const [half, columns] = [targets.length >> 1, features.length / targets.length];
  return {
    validation: { features: features.subarray(0, half * columns), targets: targets.subarray(0, half) },
    test: { features: features.subarray(half * columns), targets: targets.subarray(half) },
  };
}

const svm = (n: number): Case => ({
  name: `svm-${n}`,
  regularisers: ['linear', 'mixture'],
  from: 1.2,
  to: 20,
  make() {
    const { train, validation, test } = moons(n);
    const { features, targets: labels } = train;
    return {
      problem: supportVectorMachine({ features, labels, kernel: { kind: 'rbf', gamma: 1 }, cost: 1 }),
      validation,
      test,
    };
  },
});

const CASES: readonly Case[] = [
  svm(200),
  svm(1000),
  {
    name: 'lasso-500x50',
    regularisers: ['linear', 'mixture'],
    from: 0.2,
    to: 100,
    make() {
      const { train, validation, test } = outlierTable(500, 50, 1);
      return { problem: lasso({ ...train, penalty: 20 }), validation, test };
    },
  },
  {
    name: 'logistic-1000x20',
    regularisers: ['linear', 'log'],
    from: 0.4,
    to: 20,
    make() {
      const { train, validation, test } = outlierTable(1000, 20, 2, true);
      const { features, targets: labels } = train;
      return { problem: logisticRegression({ features, labels, penalty: 1 }), validation, test };
    },
  },
];

function measured<T>(work: () => T): { value: T; seconds: number } {
  const before = process.cpuUsage().user;
  const value = work();
  return { value, seconds: (process.cpuUsage().user - before) / 1e6 };
}

const line = (cells: readonly string[]) =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(28) : cell.padStart(i === 1 ? 12 : 10))).join('');

const [, , ...flags] = process.argv;
const only = flags.includes('--only') ? flags[flags.indexOf('--only') + 1] : undefined;
const grids = flags.includes('--small') ? [50] : [50, 200, 1000];
console.log(line(['', 'CPU s', 'solves', 'least err', 'chosen', 'at age', 'steps', 'jumps']));
for (const { name, regularisers, from, to, make } of CASES.filter((each) => !only || each.name === only)) {
  const { problem, validation, test } = make();
  const plain = measured(() => fullFit(problem));
  const testError = heldOutError(problem, test);
  const validationError = heldOutError(problem, validation);
  console.log(
    line([`${name}, all samples`, plain.seconds.toFixed(2), '-', '-', testError(plain.value).toFixed(4)]),
  );
  for (const regulariserName of regularisers) {
    const regulariser = selfPacedRegulariser(regulariserName);
    const report = (
      what: string,
      seconds: number,
      solves: number,
      points: readonly { age: number; solution: Float64Array }[],
      rest: readonly string[] = [],
    ) => {
      const judged = points.map(({ solution }) => testError(solution));
      const chosen = points
        .map(({ solution }) => validationError(solution))
        .reduce((best, each, i, all) => (each < all[best]! ? i : best), 0);
      const cells = [
        Math.min(...judged).toFixed(4),
        judged[chosen]!.toFixed(4),
        points[chosen]!.age.toFixed(3),
      ];
      console.log(line([what, seconds.toFixed(2), String(solves), ...cells, ...rest]));
    };
    const { value: path, seconds } = measured(() => agePath(problem, regulariser, { from, to }));
    const worst = path.points().reduce((largest, { residual }) => Math.max(largest, residual), 0);
    if (!(worst <= 1e-10)) throw new Error(`${name}, ${regulariserName}: a stored point is off by ${worst}`);
    const { steps, jumps, linearSolves } = path.statistics;
    report(
      `  ${regulariserName}: path`,
      seconds,
      linearSolves,
      drawnAges(path, problem.name === 'svm' && problem.samples > 500 ? 500 : 2000).ages.map((age) =>
        path.at(age),
      ),
      [String(steps), String(jumps)],
    );
    for (const count of grids) {
      const grid = measured(() =>
        searchGrid(problem, regulariser, { ages: logarithmicGrid(from, to, count) }),
      );
      const { solutions, work } = grid.value;
      const unfinished = solutions.filter(({ converged }) => !converged).length;
      report(`  ${regulariserName}: grid of ${count}`, grid.seconds, work.linearSolves, solutions, [
        unfinished > 0 ? `${unfinished} unfinished` : '',
      ]);
    }
  }
}
