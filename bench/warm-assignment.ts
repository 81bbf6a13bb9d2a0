/**
 * Warm starts where they are made for: the assignments of straight-through matching between MLPs 784-512-512-512-10, every matrix in the
 * order in which they came, solved cold and from the duals of the last matrix of the same group.
 *
 * Results are checked before anything is timed. Times are the best of several solves of each matrix, added up, in ms a step of the
 * matching (weight matching, which comes before the first step, is left out). How much a warm start saves depends on how hard the
 * matrices are (`scans` are rows read: 512 is one look at each) and on how far they move between steps.
 */
import { existsSync, readFileSync } from 'node:fs';
import { DIGITS_NORMALISATION, digits } from '../src/io/digits.ts';
import { loadImageFiles } from '../src/io/image-files.ts';
import { mlp } from '../src/nn/models/mlp.ts';
import { forwardGraph } from '../src/nn/models/model.ts';
import { readStateDict, valuesOf } from '../src/nn/state-dict.ts';
import { fit } from '../src/nn/train/fit.ts';
import { GpuDataset } from '../src/nn/train/gpu-dataset.ts';
import {
  type AssignmentDuals,
  dualityGap,
  linearSumAssignment,
} from '../src/rebasin/assignment/assignment.ts';
import { straightThroughMatching } from '../src/rebasin/matching/straight-through.ts';
import { derivePermutationSpec } from '../src/rebasin/spec/permutation-spec.ts';
import type { HostTensors } from '../src/runtime/arena.ts';
import { type Context, requestContextOn } from '../src/runtime/context.ts';
import { nodePlatform } from '../src/runtime/platform-node.ts';

interface Solve {
  readonly matrix: Float64Array;
  readonly n: number;
  readonly duals: AssignmentDuals;
}

interface Pair {
  readonly name: string;
  readonly a: HostTensors;
  readonly b: HostTensors;
  readonly data: GpuDataset;
}

const STEPS = 20;
const model = mlp({ widths: [784, 512, 512, 512, 10] });

/** The reference pair: trained well, so its matrices are hard, and the free vector moves slowly. */
async function mnistPair(context: Context): Promise<Pair | undefined> {
  const [folder, images] = ['../shared/reference/mnist-mlp', '../shared/data/mnist'];
  if (!existsSync(folder) || !existsSync(images)) {
    console.log(`left out: the MNIST pair (${folder} or ${images} is not there)`);
    return undefined;
  }
  const load = async (file: string) => valuesOf(await readStateDict(readFileSync(`${folder}/${file}`), file));
  const read = async (file: string) => readFileSync(`${images}/${file}`);
  const dataset = await loadImageFiles(read, ['train-images-idx3-ubyte.gz'], { limit: 5000 });
  return {
    name: 'MNIST reference',
    a: await load('model-a.safetensors'),
    b: await load('model-b.safetensors'),
    data: new GpuDataset(context, dataset, { mean: [0.1307], std: [0.3081] }),
  };
}

/** Two epochs on the built-in digits: barely trained, so the matrices are easy, and the free vector moves fast. */
async function digitsPair(context: Context): Promise<Pair> {
  const dataset = digits({ count: 4000, seed: 0, split: 'train' });
  const data = new GpuDataset(context, dataset, DIGITS_NORMALISATION);
  const train = async (seed: number) => {
    const recipe = { model, data, optimizer: { type: 'adam' }, learningRate: 0.001, epochs: 2 } as const;
    return (await fit(context, { ...recipe, seed })).state;
  };
  return { name: 'digits', a: await train(0), b: await train(1), data };
}

/** Every warm-started assignment after the first step, and after how many steps the permutations were others. */
async function recordSolves(context: Context, { a, b, data }: Pair, learningRate: number) {
  const solves: Solve[] = [];
  let started = false;
  const { changes } = await straightThroughMatching(context, {
    model,
    spec: derivePermutationSpec([forwardGraph(model).logits]),
    a,
    b,
    data,
    evaluation: data,
    steps: STEPS,
    learningRate,
    candidateEvery: STEPS,
    assign(matrix, n, options = {}) {
      const { duals } = options;
      if (started) solves.push({ matrix: Float64Array.from(matrix), n, duals: duals as AssignmentDuals });
      return linearSumAssignment(matrix, n, options);
    },
    onProgress: () => {
      started = true;
    },
  });
  return { solves, changes };
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

function report(name: string, solves: readonly Solve[], changes: number): void {
  const total = { coldScans: 0, warmScans: 0, coldMs: 0, warmMs: 0 };
  for (const { matrix, n, duals } of solves) {
    const cold = linearSumAssignment(matrix, n);
    const warm = linearSumAssignment(matrix, n, { duals });
    const allowed = 1e-10 * Math.abs(cold.objective);
    const off = Math.max(
      Math.abs(warm.objective - cold.objective),
      dualityGap(matrix, n, cold),
      dualityGap(matrix, n, warm),
    );
    if (!(off <= allowed))
      throw new Error(`${name}: cold and warm objective or duality gap are off by ${off}`);
    total.coldScans += cold.statistics.rowScans;
    total.warmScans += warm.statistics.rowScans;
  }
  for (const { matrix, n, duals } of solves) {
    total.coldMs += bestMs(5, () => linearSumAssignment(matrix, n));
    total.warmMs += bestMs(15, () => linearSumAssignment(matrix, n, { duals }));
  }
  const cells = [
    solves.length / STEPS,
    changes,
    (total.coldMs / STEPS).toFixed(2),
    (total.coldScans / solves.length).toFixed(0),
    (total.warmMs / STEPS).toFixed(2),
    (total.warmScans / solves.length).toFixed(0),
    (total.coldMs / total.warmMs).toFixed(1),
  ];
  const widths = [8, 9, 10, 8, 10, 8, 8];
  console.log(name.padEnd(30) + cells.map((cell, k) => String(cell).padStart(widths[k]!)).join(''));
}

/** Prints the table. */
export async function benchWarmAssignment(): Promise<void> {
  const context = await requestContextOn(nodePlatform);
  try {
    console.log(`\nassignments of ${STEPS} steps of straight-through matching, n = 512; ms a step`);
    console.log('pair, learning rate            solves  changes      cold   scans      warm   scans   ratio');
    for (const makePair of [mnistPair, digitsPair]) {
      const pair = await makePair(context);
      if (!pair) continue;
      for (const learningRate of [0.01, 0.1]) {
        const { solves, changes } = await recordSolves(context, pair, learningRate);
        report(`${pair.name}, ${learningRate}`, solves, changes);
      }
      pair.data.destroy();
    }
  } finally {
    context.destroy();
  }
}
