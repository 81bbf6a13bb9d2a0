/** Batch norm: the statistics alone, and programs that apply it in training and evaluation, forward and with all gradients. */
import { RandomStream } from '../../src/base/random.ts';
import { channelStatistics } from '../../src/kernels/norm/channels.ts';
import { gradients } from '../../src/nn/gradient.ts';
import type { Node } from '../../src/nn/graph.ts';
import {
  batchNorm,
  batchNormTraining,
  batchStatistics,
  buffer,
  input,
  parameter,
} from '../../src/nn/ops/index.ts';
import { compile } from '../../src/nn/program.ts';
import { Arena, ArenaLayout } from '../../src/runtime/arena.ts';
import type { Context } from '../../src/runtime/context.ts';
import { evaluateReference } from '../../test/reference/graph.ts';
import { type Family, inParts, type OwnContestant, type TimedCase } from '../case.ts';
import { firstOf, firstWrong } from '../check.ts';
import type { StatisticsProblem } from '../problem.ts';
import { dispatching } from './dispatching.ts';

type Shape = StatisticsProblem['shape'];

const SHAPES: readonly (readonly [Shape, hardwareOnly: boolean])[] = [
  [[32, 16, 32, 32], false],
  [[32, 64, 8, 8], false],
  [[128, 64, 8, 8], false],
  [[128, 64, 56, 56], true],
];

export const normFamily: Family = {
  name: 'norm',
  about: 'batch norm: statistics of channels, applying it, its gradient',
  cases: async () =>
    SHAPES.flatMap(([shape, hardwareOnly]) => [
      statisticsCase(shape, hardwareOnly),
      ...(['evaluation', 'forward', 'forward+backward'] as const).map((task) =>
        programCase(task, shape, hardwareOnly),
      ),
    ]),
};

function valuesOf(shape: Shape): Float32Array<ArrayBuffer> {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  new RandomStream(1, `bench norm ${shape}`).fillNormal(values, 100);
  return values;
}

/** Statistics of values 100 + a standard normal, for peers too. */
function statisticsCase(shape: Shape, hardwareOnly = false): TimedCase {
  const [outer, channels, height, width] = shape;
  return {
    name: `norm/statistics/${shape.join('x')}`,
    hardwareOnly,
    bytes: 4 * shape.reduce((a, b) => a * b, 1),
    prepare() {
      const values = valuesOf(shape);
      const expected = statistics(values, shape);
      const { mean, variance } = batchStatistics(input('x', ['N', channels, height, width]));
      const sizes = { outer, channels, inner: height * width };
      return {
        problem: { kind: 'statistics', shape, values },
        own: (context) => [
          dispatching(context, ({ of, make }) => {
            const output = make([2, channels]);
            const call = { ...sizes, input: of(values, shape), output, scratch: make };
            return { dispatches: channelStatistics(context, call), results: [output] };
          }),
          programContestant(
            context,
            shape,
            values,
            { outputs: { mean, variance }, stores: {} },
            'as a program',
          ),
        ],
        check: (results) => {
          const both = results.length === 1 ? results[0]! : [...results[0]!, ...results[1]!];
          // Means near 100 (ulp 7.6e-6) of sums of at most four levels, variances near 1.
          return firstWrong(both, expected, (i) => (i < channels ? 1e-4 : 1e-3));
        },
      };
    },
  };
}

/** Means, then biased variances, in float64. */
function statistics(values: Float32Array, [N, C, H, W]: Shape): Float64Array {
  const out = new Float64Array(2 * C);
  const [space, n] = [H * W, N * H * W];
  const channel = (i: number) => Math.floor(i / space) % C;
  for (const [i, value] of values.entries()) out[channel(i)]! += value / n;
  for (const [i, value] of values.entries()) out[C + channel(i)]! += (value - out[channel(i)]!) ** 2 / n;
  return out;
}

/** A batch norm as a program of its own. */
function programCase(
  task: 'evaluation' | 'forward' | 'forward+backward',
  shape: Shape,
  hardwareOnly: boolean,
): TimedCase {
  const elements = shape.reduce((a, b) => a * b, 1);
  // each tensor once: x and y; then x and dy again, and dx
  const passes = task === 'forward+backward' ? 5 : 2;
  return {
    name: `norm/${task}/${shape.join('x')}`,
    hardwareOnly,
    bytes: 4 * elements * passes,
    prepare() {
      const values = valuesOf(shape);
      const graph = graphOf(task, shape);
      const leaves = new Map<string, Float32Array>([['x', values], ...leavesOf(shape)]);
      const all = [...Object.values(graph.outputs), ...Object.values(graph.stores)];
      const expected = evaluateReference(all, leaves, shape[0]);
      return {
        own: (context) => [programContestant(context, shape, values, graph)],
        check: (results) =>
          firstOf(
            ...expected.map((reference, i) => {
              // x - mean loses what 100 has more digits than 1; sums over the batch add up such errors of either sign
              const largest = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
              return firstWrong(results[i]!, reference, () => 2e-4 * largest);
            }),
          ),
      };
    },
  };
}

const PARAMETERS = ['weight', 'bias', 'running_mean', 'running_var'];

/** Values of everything but x. */
function leavesOf(shape: Shape): [string, Float32Array<ArrayBuffer>][] {
  const [, C] = shape;
  const dy = new Float32Array(shape.reduce((a, b) => a * b, 1));
  new RandomStream(1, `bench norm ${shape} dy`).fillNormal(dy);
  const channels = (value: (c: number) => number) => Float32Array.from({ length: C }, (_, c) => value(c));
  return [
    ['dy', dy],
    ['weight', channels((c) => 1 + c / C)],
    ['bias', channels((c) => c / C - 0.5)],
    // so far from the batch's that a step which does not store them is found
    ['running_mean', channels(() => 99)],
    ['running_var', channels(() => 2)],
  ];
}

/** What a program computes, and what it stores into the arena by name. */
interface Graph {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly stores: Readonly<Record<string, Node>>;
}

function graphOf(task: 'evaluation' | 'forward' | 'forward+backward', [, C, H, W]: Shape): Graph {
  const x = input('x', ['N', C, H, W]);
  const [weight, bias] = [parameter('weight', [C]), parameter('bias', [C])];
  const [runningMean, runningVar] = [buffer('running_mean', [C]), buffer('running_var', [C])];
  if (task === 'evaluation')
    return {
      outputs: { y: batchNorm(x, { mean: runningMean, variance: runningVar }, weight, bias) },
      stores: {},
    };
  const { output, stores } = batchNormTraining(x, { weight, bias, runningMean, runningVar });
  if (task === 'forward') return { outputs: { y: output }, stores };
  const [dx, dw, db] = gradients(output, [x, weight, bias], input('dy', ['N', C, H, W]));
  return { outputs: { y: output, dx: dx!, dw: dw!, db: db! }, stores };
}

function programContestant(
  context: Context,
  shape: Shape,
  values: Float32Array<ArrayBuffer>,
  { outputs, stores }: Graph,
  label?: string,
): OwnContestant {
  const [, C] = shape;
  const arena = new Arena(context, new ArenaLayout(PARAMETERS.map((name) => ({ name, shape: [C] }))));
  const leaves = leavesOf(shape);
  arena.write(new Map(leaves.slice(1)));
  const stored = Object.entries(stores).map(([name, node]) => [node, arena.view(name)] as const);
  const program = compile(context, { outputs, stores: stored, arenas: [arena], batchSize: shape[0] });
  context.write(program.input('x'), values);
  if ('dx' in outputs) context.write(program.input('dy'), leaves[0]![1]);
  return {
    ...(label === undefined ? {} : { label }),
    ...inParts({
      start: () => program.run(),
      finish: () => context.finish(),
    }),
    read: () =>
      Promise.all(
        [
          ...Object.keys(outputs).map((name) => program.output(name)),
          ...Object.keys(stores).map((name) => arena.view(name)),
        ].map((view) => context.read(view)),
      ),
    destroy() {
      program.destroy();
      arena.destroy();
    },
  };
}
