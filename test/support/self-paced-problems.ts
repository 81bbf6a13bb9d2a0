/** Small problems for age paths, and their conditions of optimality written out plainly, apart from the code under test. */
import { RandomStream } from '../../src/base/random.ts';
import { lasso } from '../../src/selfpaced/lasso.ts';
import { logisticRegression } from '../../src/selfpaced/logistic-regression.ts';
import { SET, type SelfPacedProblem, type Sets } from '../../src/selfpaced/problem.ts';
import type { RegulariserName, SelfPacedRegulariser } from '../../src/selfpaced/regularisers.ts';
import { supportVectorMachine } from '../../src/selfpaced/support-vector-machine.ts';

export const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

export interface PlainProblem {
  readonly problem: SelfPacedProblem;
  readonly features: Float64Array;
  /** Labels or targets. */
  readonly y: Float64Array;
  readonly columns: number;
  /** Largest violation of the conditions of optimality at x with weights v; x is exact where it should be 0. */
  violation(x: Float64Array, v: Float64Array): number;
}

/** Ages that show all of a path; its losses are of order 1. */
export function agesOf(name: RegulariserName, kind: SelfPacedProblem['name']): { from: number; to: number } {
  if (name === 'logarithmic') return { from: 0.2, to: 0.97 };
  return kind === 'svm' ? { from: 1.2, to: 20 } : { from: 0.5, to: 20 };
}

function normals(count: number, seed: number, purpose: string): Float64Array {
  const values = new Float64Array(count);
  new RandomStream(seed, purpose).fillNormal(values);
  return values;
}

/** Two classes with a curved border and `flipped` wrong labels. */
export function classes(seed: number, n: number, columns: number, flipped: number) {
  const features = normals(n * columns, seed, 'features');
  const y = Float64Array.from({ length: n }, (_, i) => {
    const [a, b] = [features[i * columns]!, features[i * columns + 1]!];
    const label = a + 0.7 * b + 0.3 * a * a - 0.3 > 0 ? 1 : -1;
    return i < flipped ? -label : label;
  });
  return { features, y };
}

/** A sparse linear model with noise, and gross outliers in the first `outliers` targets. */
export function outlierRegression(seed: number, n: number, columns: number, outliers: number) {
  const features = normals(n * columns, seed, 'features');
  const w = normals(columns, seed, 'model').map((each, j) => (j < columns / 2 ? each : 0));
  const [noise, gross] = [normals(n, seed, 'noise'), normals(n, seed, 'gross')];
  const y = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0.3 * noise[i]! + (i < outliers ? 5 * gross[i]! : 0);
    for (let j = 0; j < columns; j++) sum += w[j]! * features[i * columns + j]!;
    return sum;
  });
  return { features, y, w };
}

function logisticProblem(seed: number, n = 24, columns = 3): PlainProblem {
  const { features, y } = classes(seed, n, columns, 4);
  const penalty = 1;
  return {
    problem: logisticRegression({ features, labels: y, penalty }),
    features,
    y,
    columns,
    violation(w, v) {
      let worst = 0;
      for (let j = 0; j < columns; j++) {
        let gradient = penalty * w[j]!;
        for (let i = 0; i < n; i++) {
          let z = 0;
          for (let k = 0; k < columns; k++) z += y[i]! * features[i * columns + k]! * w[k]!;
          gradient -= (v[i]! / (1 + Math.exp(z))) * y[i]! * features[i * columns + j]!;
        }
        worst = Math.max(worst, Math.abs(gradient));
      }
      return worst;
    },
  };
}

export function lassoProblem(seed: number, n = 30, columns = 6): PlainProblem {
  const { features, y } = outlierRegression(seed, n, columns, 6);
  const penalty = 1;
  return {
    problem: lasso({ features, targets: y, penalty }),
    features,
    y,
    columns,
    violation(w, v) {
      let worst = 0;
      for (let j = 0; j < columns; j++) {
        let c = 0;
        for (let i = 0; i < n; i++) {
          let r = y[i]!;
          for (let k = 0; k < columns; k++) r -= features[i * columns + k]! * w[k]!;
          c += v[i]! * r * features[i * columns + j]!;
        }
        const bad = w[j] === 0 ? Math.abs(c) - penalty : Math.abs(c - penalty * Math.sign(w[j]!));
        worst = Math.max(worst, bad);
      }
      return worst;
    },
  };
}

export function svmProblem(seed: number, n = 24, rbf = seed % 2 === 0): PlainProblem {
  const columns = 2;
  const cost = 1;
  const { features, y } = classes(seed, n, columns, 4);
  const kernelOf = (i: number, j: number) => {
    let [product, squares] = [0, 0];
    for (let k = 0; k < columns; k++) {
      const [a, b] = [features[i * columns + k]!, features[j * columns + k]!];
      product += a * b;
      squares += (a - b) * (a - b);
    }
    return rbf ? Math.exp(-0.5 * squares) : product;
  };
  return {
    problem: supportVectorMachine({
      features,
      labels: y,
      kernel: rbf ? { kind: 'rbf', gamma: 0.5 } : { kind: 'linear' },
      cost,
    }),
    features,
    y,
    columns,
    violation(x, v) {
      let worst = Math.abs(y.reduce((sum, each, i) => sum + each * x[i]!, 0));
      for (let i = 0; i < n; i++) {
        let score = x[n]!;
        for (let j = 0; j < n; j++) score += x[j]! * y[j]! * kernelOf(i, j);
        const margin = y[i]! * score;
        const bound = cost * v[i]!;
        // Within its bounds; at 0 only with margin >= 1, at the bound only with margin <= 1, between only with margin 1.
        worst = Math.max(worst, -x[i]!, x[i]! - bound);
        worst = Math.max(worst, Math.min(x[i]!, margin - 1), Math.min(bound - x[i]!, 1 - margin));
      }
      return worst;
    },
  };
}

export const PROBLEMS = { logistic: logisticProblem, lasso: lassoProblem, svm: svmProblem } as const;

/**
 * v*(loss; age) from the losses alone. At the one or two samples whose loss is at a jump of the weight (hard), or within rounding of 0
 * weight, the sets say which of the two it is.
 */
export function plainWeights(
  losses: Float64Array,
  regulariser: SelfPacedRegulariser,
  age: number,
  sets: Sets,
): Float64Array {
  return losses.map((loss, i) => {
    if (Math.abs(loss - regulariser.droppedFrom(age)) < 1e-9) {
      if (sets[i] === SET.dropped) return 0;
      if (regulariser.jumps) return 1;
    }
    return regulariser.weight(loss, age);
  });
}

/** Solves a dense system f64 [n, n] by Gauss elimination with row pivoting. */
export function solveDense(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= rows[i]![j]! * x[j]!;
    x[i] = sum / rows[i]![i]!;
  }
  return x;
}
