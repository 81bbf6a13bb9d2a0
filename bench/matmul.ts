/**
 * Matrix products: GFLOP/s of the variants, beside `@jax-js/jax` in the same process on the same adapter.
 *
 * Every result is checked against float64 before anything is timed. Then all contestants take turns, so that whatever else the
 * machine does meets all of them: read the minima and their ratios. One repeat is one product from recording to queue completion.
 * Waiting sleeps (SleepingWait) for both; jax-js is also timed with its own `blockUntilReady`, and its better time counts.
 *
 *     node scripts/run.mjs bench/matmul.ts [--json] [--repeats 9] [--variants quad,register]
 */
import { parseArgs } from 'node:util';
import { RandomStream } from '../src/base/random.ts';
import { matmul } from '../src/kernels/matmul/matmul.ts';
import { type Context, requestContextOn } from '../src/runtime/context.ts';
import { nodePlatform } from '../src/runtime/platform-node.ts';
import type { Tensor } from '../src/runtime/tensor.ts';
import { matmulReference } from '../test/reference/matmul.ts';
import { type Jax, loadJax } from './jax.ts';

type Layout = 'NN' | 'NT' | 'TN';

interface Shape {
  readonly name: string;
  readonly layout: Layout;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const SHAPES: readonly Shape[] = [
  ...[256, 512, 1024].map((s) => ({ name: 'cube', layout: 'NN' as const, m: s, n: s, k: s })),
  { name: 'cube', layout: 'NT', m: 512, n: 512, k: 512 },
  { name: 'cube', layout: 'TN', m: 512, n: 512, k: 512 },
  { name: 'primes', layout: 'NN', m: 509, n: 503, k: 499 },
  { name: 'MLP forward 1', layout: 'NT', m: 512, n: 512, k: 784 },
  { name: 'MLP dW 1', layout: 'TN', m: 512, n: 784, k: 512 },
  { name: 'MLP dX 2', layout: 'NN', m: 512, n: 512, k: 512 },
  { name: 'logits', layout: 'NT', m: 512, n: 10, k: 512 },
  { name: 'logits dW', layout: 'TN', m: 10, n: 512, k: 512 },
  { name: 'logits dX', layout: 'NN', m: 512, n: 512, k: 10 },
  { name: 'MLP forward 1, batch 128', layout: 'NT', m: 128, n: 512, k: 784 },
];

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '9' },
    variants: { type: 'string', default: 'default' },
  },
});

/** Someone who computes the product, ready to run again and again. */
interface Contestant {
  readonly name: string;
  /** Runs once and waits; returns nothing but the time it took. */
  run(): Promise<void>;
  read(): Promise<Float32Array>;
  destroy(): void;
}

interface Operands extends Shape {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

function operandsOf(shape: Shape): Operands {
  const stream = new RandomStream(1, `bench matmul ${shape.m} ${shape.n} ${shape.k}`);
  const a = new Float32Array(shape.m * shape.k);
  const b = new Float32Array(shape.k * shape.n);
  stream.derive('a').fillUniform(a, -1, 1);
  stream.derive('b').fillUniform(b, -1, 1);
  return { ...shape, a, b };
}

function shapesOf({ layout, m, n, k }: Shape): { a: [number, number]; b: [number, number] } {
  return { a: layout === 'TN' ? [k, m] : [m, k], b: layout === 'NT' ? [n, k] : [k, n] };
}

function ours(context: Context, variant: string, given: Operands): Contestant {
  const shapes = shapesOf(given);
  const tensors: Tensor[] = [
    context.tensorFrom(given.a, shapes.a),
    context.tensorFrom(given.b, shapes.b),
    context.tensor([given.m, given.n]),
  ];
  const [a, b, output] = tensors as [Tensor, Tensor, Tensor];
  const transposes = { transposeA: given.layout === 'TN', transposeB: given.layout === 'NT' };
  return {
    name: variant === 'default' ? 'rebasin' : `rebasin ${variant}`,
    async run() {
      context.record(...matmul(context, { a, b, output, ...transposes }));
      await context.finish();
    },
    read: () => output.read(),
    destroy() {
      for (const tensor of tensors) tensor.destroy();
    },
  };
}

function jaxContestants(context: Context, jax: Jax, given: Operands): Contestant[] {
  const { numpy } = jax;
  const shapes = shapesOf(given);
  const a = numpy.array(given.a, { shape: shapes.a });
  const b = numpy.array(given.b, { shape: shapes.b });
  type Matrix = typeof a;
  const product = jax.jit((x: Matrix, y: Matrix) =>
    numpy.matmul(
      given.layout === 'TN' ? numpy.matrixTranspose(x) : x,
      given.layout === 'NT' ? numpy.matrixTranspose(y) : y,
    ),
  );
  let last: Matrix | undefined;
  const start = () => {
    last?.dispose();
    last = product(a.ref, b.ref);
    return last;
  };
  return [
    {
      name: 'jax-js, sleeping wait',
      async run() {
        await context.wait(start().blockUntilReady());
      },
      read: async () => (await last!.ref.data()) as Float32Array,
      destroy() {},
    },
    {
      name: 'jax-js, its own wait',
      async run() {
        await start().blockUntilReady();
      },
      read: async () => (await last!.ref.data()) as Float32Array,
      destroy() {
        last?.dispose();
        product.dispose();
        a.dispose();
        b.dispose();
      },
    },
  ];
}

function check(name: string, values: Float32Array, given: Operands): void {
  const transposes = { transposeA: given.layout === 'TN', transposeB: given.layout === 'NT' };
  const reference = matmulReference({ ...given, ...transposes });
  for (let i = 0; i < reference.values.length; i++) {
    const bound = (given.k + 2) * 2 ** -24 * reference.magnitudes[i]!;
    if (!(Math.abs(values[i]! - reference.values[i]!) <= bound)) {
      throw new Error(`${name}: element ${i} is ${values[i]}, expected ${reference.values[i]} +- ${bound}`);
    }
  }
}

interface Timing {
  readonly contestant: string;
  readonly minMs: number;
  readonly medianMs: number;
  /** (Third quartile - first quartile) / median. */
  readonly spread: number;
  readonly gflops: number;
}

function timing(name: string, times: number[], shape: Shape): Timing {
  const sorted = times.slice().sort((x, y) => x - y);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const gflops = (2 * shape.m * shape.n * shape.k) / at(0) / 1e6;
  return {
    contestant: name,
    minMs: at(0),
    medianMs: at(0.5),
    spread: (at(0.75) - at(0.25)) / at(0.5),
    gflops,
  };
}

async function main(): Promise<void> {
  const repeats = Number(options.repeats);
  const variants = options.variants.split(',');
  const contexts: [string, Context][] = [];
  for (const variant of variants) {
    const forced = variant === 'default' ? {} : { variants: { matmul: variant } };
    contexts.push([variant, await requestContextOn(nodePlatform, forced)]);
  }
  const context = contexts[0]![1];
  const jax = await loadJax(context);
  const say = (text: string) => {
    if (!options.json) console.log(text);
  };
  say(`${context.adapterName}${context.software ? ' (CPU emulation)' : ''}, Node ${process.version}`);

  for (const shape of SHAPES) {
    const given = operandsOf(shape);
    const contestants = [
      ...contexts.map(([variant, its]) => ours(its, variant, given)),
      ...jaxContestants(context, jax, given),
    ];
    const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
    for (const contestant of contestants) {
      await contestant.run();
      check(contestant.name, await contestant.read(), given);
    }
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const contestant of contestants) {
        const start = performance.now();
        await contestant.run();
        times.get(contestant.name)!.push(performance.now() - start);
      }
    }
    for (const contestant of contestants) contestant.destroy();

    const results = [...times].map(([name, list]) => timing(name, list, shape));
    const peer = Math.min(...results.filter((r) => r.contestant.startsWith('jax-js')).map((r) => r.minMs));
    const { name, layout, m, n, k } = shape;
    say(`\n${name}: ${layout} ${m} x ${n} x ${k}`);
    for (const result of results) {
      const ratio = peer / result.minMs;
      if (options.json) {
        console.log(JSON.stringify({ adapter: context.adapterName, ...shape, ...result, ratio }));
      } else {
        console.log(
          `  ${result.contestant.padEnd(24)} min ${result.minMs.toFixed(2).padStart(8)} ms` +
            `   median ${result.medianMs.toFixed(2).padStart(8)} ms   spread ${(100 * result.spread).toFixed(0).padStart(3)}%` +
            `   ${result.gflops.toFixed(2).padStart(6)} GFLOP/s   ${ratio.toFixed(2).padStart(5)}x jax-js`,
        );
      }
    }
  }
  for (const [, its] of contexts) its.destroy();
}

await main();
process.exit(0); // jax-js keeps its device, and with it the process
