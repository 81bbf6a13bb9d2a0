/**
 * Batch-norm statistics (mean and variance of each channel) beside `@jax-js/jax` in the same process on the same adapter, and what the
 * rest of a batch norm costs: applying it, and its gradient.
 *
 * Every result is checked against float64 before anything is timed. Then all contestants take turns: read the minima and their ratios.
 * One repeat is one call from recording to queue completion. jax-js is timed with a sleeping wait and with its own; the better counts.
 *
 *     node scripts/run.mjs bench/norm.ts [--json] [--repeats 15]
 */
import { parseArgs } from 'node:util';
import { RandomStream } from '../src/base/random.ts';
import { channelStatistics } from '../src/kernels/norm/channels.ts';
import { gradients } from '../src/nn/gradient.ts';
import {
  batchNorm,
  batchNormTraining,
  batchStatistics,
  buffer,
  input,
  parameter,
} from '../src/nn/ops/index.ts';
import { compile } from '../src/nn/program.ts';
import { Arena, ArenaLayout } from '../src/runtime/arena.ts';
import { type Context, requestContextOn } from '../src/runtime/context.ts';
import { nodePlatform } from '../src/runtime/platform-node.ts';
import type { Tensor } from '../src/runtime/tensor.ts';
import { type Jax, loadJax } from './jax.ts';

type Shape = readonly [N: number, C: number, H: number, W: number];

const SHAPES: readonly Shape[] = [
  [32, 16, 32, 32],
  [32, 64, 8, 8],
  [128, 64, 8, 8],
];

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, repeats: { type: 'string', default: '15' } },
});

/** Someone who computes something, ready to run again and again. */
interface Contestant {
  readonly name: string;
  readonly task: 'statistics' | 'forward' | 'forward and gradient';
  run(): Promise<void>;
  /** Means, then biased variances; only of those whose task is statistics. */
  read?(): Promise<Float32Array>;
  destroy(): void;
}

/** The host function on scratch tensors made once, as a program would have them. */
function ours(context: Context, values: Float32Array, shape: Shape): Contestant {
  const [outer, channels, height, width] = shape;
  const input = context.tensorFrom(values, shape);
  const output = context.tensor([2, channels]);
  const owned: Tensor[] = [input, output];
  const scratch = (size: readonly number[]) => {
    const tensor = context.tensor(size);
    owned.push(tensor);
    return tensor;
  };
  const sizes = { outer, channels, inner: height * width };
  const dispatches = channelStatistics(context, { ...sizes, input, output, scratch });
  return {
    name: 'rebasin',
    task: 'statistics',
    async run() {
      context.record(...dispatches);
      await context.finish();
    },
    read: () => output.read(),
    destroy() {
      for (const tensor of owned) tensor.destroy();
    },
  };
}

/** A training batch norm as a program: forward, and with the gradients of all it depends on. */
function programs(context: Context, values: Float32Array, shape: Shape): Contestant[] {
  const [N, C, H, W] = shape;
  const x = input('x', ['N', C, H, W]);
  const [weight, bias] = [parameter('weight', [C]), parameter('bias', [C])];
  const [runningMean, runningVar] = [buffer('running_mean', [C]), buffer('running_var', [C])];
  const training = batchNormTraining(x, { weight, bias, runningMean, runningVar });
  const evaluation = batchNorm(x, { mean: runningMean, variance: runningVar }, weight, bias);
  const nodes = gradients(training.output, [x, weight, bias], input('dy', ['N', C, H, W]));
  const { mean, variance } = batchStatistics(x);
  const entries = ['weight', 'bias', 'running_mean', 'running_var'].map((name) => ({ name, shape: [C] }));
  const cases = [
    { name: 'statistics as a program', task: 'statistics', outputs: { mean, variance } },
    { name: 'evaluation', task: 'forward', outputs: { y: evaluation } },
    { name: 'training', task: 'forward', outputs: { y: training.output } },
    {
      name: 'training',
      task: 'forward and gradient',
      outputs: { y: training.output, dx: nodes[0]!, dw: nodes[1]!, db: nodes[2]! },
    },
  ] as const;
  return cases.map(({ name, task, outputs }) => {
    const arena = new Arena(context, new ArenaLayout(entries));
    const program = compile(context, { outputs, arenas: [arena], batchSize: N });
    context.write(program.input('x'), values);
    return {
      name: `rebasin, ${name}`,
      task,
      async run() {
        program.run();
        await context.finish();
      },
      destroy() {
        program.destroy();
        arena.destroy();
      },
    };
  });
}

function jaxContestants(context: Context, jax: Jax, values: Float32Array, shape: Shape): Contestant[] {
  const { numpy } = jax;
  const x = numpy.array(values, { shape: [...shape] });
  type Tensors = typeof x;
  const axes = [0, 2, 3];
  const both = jax.jit((a: Tensors): [Tensors, Tensors] => [numpy.mean(a.ref, axes), numpy.var_(a, axes)]);
  let last: [Tensors, Tensors] | undefined;
  const start = () => {
    for (const array of last ?? []) array.dispose();
    last = both(x.ref) as [Tensors, Tensors];
    return Promise.all(last.map((array) => array.blockUntilReady()));
  };
  const read = async () => {
    const [mean, variance] = await Promise.all(last!.map((array) => array.ref.data()));
    return Float32Array.of(...(mean as Float32Array), ...(variance as Float32Array));
  };
  return [
    {
      name: 'jax-js, sleeping wait',
      task: 'statistics',
      async run() {
        await context.wait(start());
      },
      read,
      destroy() {},
    },
    {
      name: 'jax-js, its own wait',
      task: 'statistics',
      async run() {
        await start();
      },
      read,
      destroy() {
        for (const array of last ?? []) array.dispose();
        both.dispose();
        x.dispose();
      },
    },
  ];
}

/** Means, then biased variances, in float64. */
function reference(values: Float32Array, [N, C, H, W]: Shape): Float64Array {
  const out = new Float64Array(2 * C);
  const [space, n] = [H * W, N * H * W];
  const channel = (i: number) => Math.floor(i / space) % C;
  for (const [i, value] of values.entries()) out[channel(i)]! += value / n;
  for (const [i, value] of values.entries()) out[C + channel(i)]! += (value - out[channel(i)]!) ** 2 / n;
  return out;
}

function check(name: string, values: Float32Array, expected: Float64Array): void {
  for (const [i, value] of expected.entries()) {
    // Values are 100 + a standard normal: means near 100, variances near 1.
    const bound = i < expected.length / 2 ? 1e-4 : 1e-3;
    if (!(Math.abs(values[i]! - value) <= bound))
      throw new Error(`${name}: element ${i} is ${values[i]}, expected ${value} +- ${bound}`);
  }
}

async function main(): Promise<void> {
  const repeats = Number(options.repeats);
  const context = await requestContextOn(nodePlatform);
  const jax = await loadJax(context);
  if (!options.json)
    console.log(
      `${context.adapterName}${context.software ? ' (CPU emulation)' : ''}, Node ${process.version}`,
    );
  for (const shape of SHAPES) {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    new RandomStream(1, `bench norm ${shape}`).fillNormal(values, 100);
    const expected = reference(values, shape);
    const contestants = [
      ours(context, values, shape),
      ...programs(context, values, shape),
      ...jaxContestants(context, jax, values, shape),
    ];
    const times = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
    for (const contestant of contestants) {
      await contestant.run();
      if (contestant.read) check(contestant.name, await contestant.read(), expected);
    }
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const [contestant, list] of times) {
        const start = performance.now();
        await contestant.run();
        list.push(performance.now() - start);
      }
    }
    for (const contestant of contestants) contestant.destroy();

    const timings = [...times].map(([{ name, task }, list]) => {
      list.sort((a, b) => a - b);
      return { name, task, minMs: list[0]!, medianMs: list[Math.floor(list.length / 2)]! };
    });
    const peer = Math.min(...timings.filter(({ name }) => name.startsWith('jax-js')).map((t) => t.minMs));
    if (!options.json) console.log(`\n[${shape.join(', ')}]`);
    for (const timing of timings) {
      const ratio = timing.task === 'statistics' ? { ratio: peer / timing.minMs } : {};
      if (options.json)
        console.log(JSON.stringify({ adapter: context.adapterName, shape, ...timing, ...ratio }));
      else {
        console.log(
          `  ${timing.task.padEnd(21)} ${timing.name.padEnd(34)} min ${timing.minMs.toFixed(2).padStart(7)} ms` +
            `   median ${timing.medianMs.toFixed(2).padStart(7)} ms` +
            (ratio.ratio === undefined ? '' : `   ${ratio.ratio.toFixed(2).padStart(5)}x jax-js`),
        );
      }
    }
  }
  context.destroy();
}

await main();
process.exit(0); // jax-js keeps its device, and with it the process
