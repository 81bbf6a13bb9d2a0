/**
 * Linear sum assignment: our solver cold and warm-started, beside the npm package `linear-sum-assignment`.
 *
 * Maximises over several kinds of matrices. Results are checked before anything is timed: the duality gap, the warm
 * objective, and up to n = 512 the objective of the package. Times are the best of several runs, in ms; `scans` are
 * rows read. SciPy 1.17 on one machine, idle, for scale: random 7.5, 37, 206 ms at n = 512, 1024, 2048.
 *
 * Then warm starts along the matrices of straight-through matching (`warm-assignment.ts`).
 * Run from the repository root; the MNIST matrices are left out where ../shared/reference is not there.
 */
import { existsSync, readFileSync } from 'node:fs';
import { linearSumAssignment as npmAssignment } from 'linear-sum-assignment';
import { parseSafetensors } from '../src/io/safetensors.ts';
import { dualityGap, linearSumAssignment } from '../src/rebasin/assignment/assignment.ts';
import { randomPermutation } from '../src/rebasin/spec/permutation.ts';
import { benchWarmAssignment } from './warm-assignment.ts';

/** mulberry32: the same matrices in every run. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function fill(n: number, entry: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => entry(Math.floor(k / n), k % n));
}

/** a [n, k] times b^T, b [n, k]. */
function products(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const k = a.length / n;
  return fill(n, (i, j) => {
    let sum = 0;
    for (let c = 0; c < k; c++) sum += a[i * k + c]! * b[j * k + c]!;
    return sum;
  });
}

function syntheticMatrices(n: number): [string, number, Float64Array][] {
  const random = uniform(n);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const features = () => Float64Array.from({ length: (n * n) / 4 }, normal);
  const planted = randomPermutation(n, (below) => Math.floor(random() * below));
  return [
    ['random', n, fill(n, random)],
    ['planted', n, fill(n, (i, j) => normal() + (planted[i] === j ? 3 : 0))],
    ['features', n, products(features(), features(), n)],
    ['integers < 100', n, fill(n, () => Math.floor(random() * 100))],
    ['integers < 3', n, fill(n, () => Math.floor(random() * 3))],
    ...(n <= 512
      ? [['(i+1)(j+1)', n, fill(n, (i, j) => (i + 1) * (j + 1))] as [string, number, Float64Array]]
      : []),
  ];
}

/** The first assignment of weight matching for each hidden layer, all other permutations the identity. */
function mnistMatrices(): [string, number, Float64Array][] {
  const folder = '../shared/reference/mnist-mlp';
  if (!existsSync(folder)) {
    console.log(`left out: MNIST matrices (${folder} is not there)`);
    return [];
  }
  const n = 512;
  const [a, b] = ['a', 'b'].map((name) =>
    parseSafetensors(readFileSync(`${folder}/model-${name}.safetensors`)),
  );
  const weight = (file: typeof a, name: string) =>
    Float64Array.from(file!.tensors.get(name)!.data as Float32Array);
  const transposed = (x: Float64Array) =>
    x.map((_, k) => x[(k % (x.length / n)) * n + Math.floor(k / (x.length / n))]!);
  return [1, 2].map((layer) => {
    const sum = new Float64Array(n * n);
    const add = (part: Float64Array) => {
      for (let k = 0; k < sum.length; k++) sum[k]! += part[k]!;
    };
    for (const name of [`fc${layer}.weight`, `fc${layer}.bias`])
      add(products(weight(a, name), weight(b, name), n));
    const next = `fc${layer + 1}.weight`;
    add(products(transposed(weight(a, next)), transposed(weight(b, next)), n));
    return [`MNIST layer ${layer}`, n, sum];
  });
}

function bestMs(runs: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

function check(what: string, difference: number, scale: number): void {
  if (!(Math.abs(difference) <= 1e-10 * Math.abs(scale))) throw new Error(`${what}: off by ${difference}`);
}

console.log('matrix              n      cold   scans      warm   scans       npm');
for (const [name, n, matrix] of [...mnistMatrices(), ...[512, 1024, 2048].flatMap(syntheticMatrices)]) {
  const cold = linearSumAssignment(matrix, n);
  const warm = linearSumAssignment(matrix, n, { duals: cold.duals });
  check(`${name}: duality gap`, dualityGap(matrix, n, cold), cold.objective);
  check(`${name}: warm objective`, warm.objective - cold.objective, cold.objective);
  let npmMs = '-';
  if (n <= 512) {
    const rows = Array.from({ length: n }, (_, i) => Array.from(matrix.subarray(i * n, i * n + n)));
    const npm = npmAssignment(rows, { maximaze: true });
    const objective = rows.reduce((sum, row, i) => sum + row[npm.rowAssignments[i]!]!, 0);
    check(`${name}: npm objective`, objective - cold.objective, cold.objective);
    npmMs = bestMs(2, () => npmAssignment(rows, { maximaze: true })).toFixed(1);
  }
  const runs = n > 1024 ? 5 : 10;
  const coldMs = bestMs(runs, () => linearSumAssignment(matrix, n));
  const warmMs = bestMs(runs, () => linearSumAssignment(matrix, n, { duals: cold.duals }));
  const cells = [
    coldMs.toFixed(1),
    cold.statistics.rowScans,
    warmMs.toFixed(1),
    warm.statistics.rowScans,
    npmMs,
  ];
  const widths = [9, 8, 10, 8, 10];
  const row = cells.map((cell, k) => String(cell).padStart(widths[k]!)).join('');
  console.log(name.padEnd(16) + String(n).padStart(5) + row);
}
await benchWarmAssignment();
