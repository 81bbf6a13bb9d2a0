/**
 * The assignment problem, cold and from the duals of the same matrix: random and planted matrices, products of features, and ties. The
 * optimum is certified by its duals before anyone is timed. SciPy 1.17 on an idle machine of two cores, for scale: random 7.5, 37 and
 * 206 ms at n = 512, 1024, 2048.
 */
import { RandomStream } from '../../src/base/random.ts';
import { dualityGap, linearSumAssignment } from '../../src/rebasin/assignment/assignment.ts';
import type { Family, OwnContestant, TimedCase } from '../case.ts';

export type Matrices = (n: number) => Float64Array;

export const assignmentFamily: Family = {
  name: 'assignment',
  about: 'linear sum assignment, cold and warm-started, on the host',
  cases: async () => [
    ...[128, 256, 512, 1024, 2048, 4096].flatMap((n) => [
      assignmentCase('random', n, random),
      assignmentCase('planted', n, planted),
    ]),
    ...[512, 1024, 2048].map((n) => assignmentCase('features', n, features)),
    ...[512, 1024, 2048].map((n) => assignmentCase('integers-below-100', n, integersBelow(100))),
    assignmentCase('integers-below-3', 512, integersBelow(3)),
    assignmentCase('products', 512, (n) =>
      Float64Array.from({ length: n * n }, (_, k) => (Math.floor(k / n) + 1) * ((k % n) + 1)),
    ),
  ],
};

/** @param make gives the matrix [n, n]; its sum is maximised. */
export function assignmentCase(name: string, n: number, make: Matrices): TimedCase {
  return {
    name: `assignment/${name}/${n}`,
    onHost: true,
    prepare() {
      const matrix = make(n);
      const optimum = linearSumAssignment(matrix, n);
      const allowed = 1e-10 * Math.abs(optimum.objective);
      const gap = dualityGap(matrix, n, optimum);
      if (!(gap <= allowed)) throw new Error(`the duality gap is ${gap}, allowed are ${allowed}`);
      return {
        problem: { kind: 'assignment', n, matrix },
        own: () => [
          solver(() => linearSumAssignment(matrix, n).assignment),
          solver(() => linearSumAssignment(matrix, n, { duals: optimum.duals }).assignment, 'warm'),
        ],
        check([columns]) {
          if (new Set(columns).size !== n) return 'a column is taken twice';
          const sum = columns!.reduce((total, column, row) => total + matrix[row * n + column]!, 0);
          return Math.abs(sum - optimum.objective) <= allowed
            ? undefined
            : `the sum is ${sum}, the optimum ${optimum.objective}`;
        },
      };
    },
  };
}

/** @param label of a way that knows the duals of the optimum, which no peer is told. */
function solver(solve: () => Int32Array, label?: string): OwnContestant {
  let columns: ArrayLike<number> = [];
  return {
    ...(label === undefined ? {} : { label, incomparable: true }),
    async run() {
      columns = solve();
    },
    read: async () => [Float32Array.from(columns)],
    destroy() {},
  };
}

const streamOf = (name: string, n: number) => new RandomStream(1, `bench assignment ${name} ${n}`);

function random(n: number): Float64Array {
  const values = new Float64Array(n * n);
  streamOf('random', n).fillUniform(values);
  return values;
}

function planted(n: number): Float64Array {
  const stream = streamOf('planted', n);
  const values = new Float64Array(n * n);
  stream.derive('noise').fillNormal(values);
  for (const [row, column] of stream.permutation(n).entries()) values[row * n + column]! += 3;
  return values;
}

/** Inner products of n and n random vectors of n / 4 numbers. */
function features(n: number): Float64Array {
  const k = n / 4;
  const stream = streamOf('features', n);
  const [a, b] = [new Float64Array(n * k), new Float64Array(n * k)];
  stream.derive('a').fillNormal(a);
  stream.derive('b').fillNormal(b);
  return products(a, b, n);
}

/** a [n, k] times b^T, b [n, k]. */
export function products(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const k = a.length / n;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += a[i * k + c]! * b[j * k + c]!;
      out[i * n + j] = sum;
    }
  }
  return out;
}

const integersBelow = (below: number) => (n: number) => {
  const values = random(n);
  return values.map((value) => Math.floor(value * below));
};
