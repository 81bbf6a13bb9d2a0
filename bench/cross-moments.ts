/**
 * Cross moments of two activations, and of one with itself, beside the generic pieces that give the same matrix (the shifts subtracted
 * into copies, then a matrix product or the weight gradient of a 1 x 1 convolution) and beside `@jax-js/jax` (subtraction and tensordot,
 * jitted) in the same process on the same adapter.
 *
 * Every result is checked against float64 before anything is timed. Then all contestants take turns: read the minima and their ratios.
 * One repeat is one call from recording to queue completion. jax-js is timed with a sleeping wait and with its own; the better counts.
 *
 *     node scripts/run.mjs bench/cross-moments.ts [--json] [--repeats 11] [--variants quad,register]
 */
import { parseArgs } from 'node:util';
import { RandomStream } from '../src/base/random.ts';
import { conv2dWeightGradient } from '../src/kernels/conv/conv2d.ts';
import { crossMoments } from '../src/kernels/cross-moments/cross-moments.ts';
import { elementwise } from '../src/kernels/elementwise/elementwise.ts';
import { matmul } from '../src/kernels/matmul/matmul.ts';
import { type Context, requestContextOn } from '../src/runtime/context.ts';
import type { Dispatch } from '../src/runtime/kernel.ts';
import { nodePlatform } from '../src/runtime/platform-node.ts';
import type { Tensor } from '../src/runtime/tensor.ts';
import { type CrossMomentsCase, crossMomentsReference } from '../test/reference/kernels/cross-moments.ts';
import { type Jax, loadJax } from './jax.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '11' },
    variants: { type: 'string', default: 'default' },
  },
});

/** Samples, channels of both, positions: a hidden layer of an MLP, stages of a ResNet20, a late layer of a VGG, an odd image. */
const CASES = [
  [500, 512, 1],
  [100, 16, 1024],
  [250, 64, 64],
  [100, 512, 16],
  [250, 64, 49],
] as const;

type Task = 'two activations' | 'one with itself';

/** Someone who computes the matrix, ready to run again and again. */
interface Contestant {
  readonly name: string;
  readonly task: Task;
  run(): Promise<void>;
  read(): Promise<Float32Array>;
  destroy(): void;
}

function caseOf([outer, channels, inner]: (typeof CASES)[number]): CrossMomentsCase {
  const stream = new RandomStream(1, `bench cross moments ${outer} ${channels} ${inner}`);
  const uniform = (count: number, name: string, from: number, to: number) => {
    const values = new Float32Array(count);
    stream.derive(name).fillUniform(values, from, to);
    return values;
  };
  return {
    ...{ outer, channelsA: channels, channelsB: channels, inner },
    a: uniform(outer * channels * inner, 'a', 2, 4),
    b: uniform(outer * channels * inner, 'b', 2, 4),
    shiftA: uniform(channels, 'shiftA', 2.9, 3.1),
    shiftB: uniform(channels, 'shiftB', 2.9, 3.1),
  };
}

/** The operands of one task: of one activation with itself, b is a. */
function operandsOf(given: CrossMomentsCase, task: Task): CrossMomentsCase {
  return task === 'two activations' ? given : { ...given, b: given.a, shiftB: given.shiftA };
}

/** What uploads and frees tensors, and gives scratch memory made once, as a program would have it. */
function tensorsOf(context: Context) {
  const owned: Tensor[] = [];
  const own = (tensor: Tensor) => {
    owned.push(tensor);
    return tensor;
  };
  return {
    of: (values: Float32Array, shape: readonly number[]) => own(context.tensorFrom(values, shape)),
    make: (shape: readonly number[]) => own(context.tensor(shape)),
    destroy() {
      for (const tensor of owned) tensor.destroy();
    },
  };
}

function contestant(
  context: Context,
  name: string,
  task: Task,
  dispatches: readonly Dispatch[],
  output: Tensor,
  destroy: () => void,
): Contestant {
  return {
    name,
    task,
    async run() {
      context.record(...dispatches);
      await context.finish();
    },
    read: () => output.read(),
    destroy,
  };
}

function ours(context: Context, variant: string, given: CrossMomentsCase, task: Task): Contestant {
  const { outer, channelsA, channelsB, inner } = given;
  const { of, make, destroy } = tensorsOf(context);
  const [a, shiftA] = [of(given.a, [outer, channelsA, inner]), of(given.shiftA, [channelsA])];
  const [b, shiftB] =
    task === 'one with itself'
      ? [a, shiftA]
      : [of(given.b, [outer, channelsB, inner]), of(given.shiftB, [channelsB])];
  const output = make([channelsA, channelsB]);
  const sizes = { outer, channelsA, channelsB, inner };
  const dispatches = crossMoments(context, { ...sizes, a, b, shiftA, shiftB, output, scratch: make });
  const name = variant === 'default' ? 'rebasin' : `rebasin ${variant}`;
  return contestant(context, name, task, dispatches, output, destroy);
}

/** The same matrix by kernels made for other things. */
function genericPieces(context: Context, given: CrossMomentsCase, task: Task): Contestant {
  const { outer, channelsA, channelsB, inner } = given;
  const { of, make, destroy } = tensorsOf(context);
  const centre = (values: Float32Array, shift: Float32Array, channels: number) => {
    const shape = inner === 1 ? [outer, channels] : [outer, channels, inner, 1];
    const output = make(shape);
    const broadcast = { inner, size: channels };
    const inputs = [{ view: of(values, shape) }, { view: of(shift, [channels]), broadcast }];
    return { output, dispatches: elementwise(context, { expression: 'a - b', inputs, output }) };
  };
  const a = centre(given.a, given.shiftA, channelsA);
  const b = task === 'one with itself' ? a : centre(given.b, given.shiftB, channelsB);
  const output = make(inner === 1 ? [channelsA, channelsB] : [channelsA, channelsB, 1, 1]);
  const product =
    inner === 1
      ? matmul(context, { a: a.output, b: b.output, transposeA: true, output })
      : conv2dWeightGradient(context, { input: b.output, outputGradient: a.output, output, scratch: make });
  const dispatches = [...a.dispatches, ...(a === b ? [] : b.dispatches), ...product];
  return contestant(context, 'generic pieces', task, dispatches, output, destroy);
}

function jaxContestants(context: Context, jax: Jax, given: CrossMomentsCase, task: Task): Contestant[] {
  const { numpy } = jax;
  const { outer, channelsA, channelsB, inner } = given;
  const a = numpy.array(given.a, { shape: [outer, channelsA, inner] });
  const b = numpy.array(given.b, { shape: [outer, channelsB, inner] });
  const shiftA = numpy.array(given.shiftA, { shape: [1, channelsA, 1] });
  const shiftB = numpy.array(given.shiftB, { shape: [1, channelsB, 1] });
  type Tensors = typeof a;
  const product = jax.jit((x: Tensors, y: Tensors, s: Tensors, t: Tensors) =>
    numpy.tensordot(numpy.subtract(x, s), numpy.subtract(y, t), [
      [0, 2],
      [0, 2],
    ]),
  );
  let last: Tensors | undefined;
  const start = () => {
    last?.dispose();
    last = product(a.ref, b.ref, shiftA.ref, shiftB.ref);
    return last.blockUntilReady();
  };
  const read = async () => (await last!.ref.data()) as Float32Array;
  return [
    {
      ...{ name: 'jax-js, sleeping wait', task, read },
      async run() {
        await context.wait(start());
      },
      destroy() {},
    },
    {
      ...{ name: 'jax-js, its own wait', task, read },
      async run() {
        await start();
      },
      destroy() {
        last?.dispose();
        product.dispose();
        for (const array of [a, b, shiftA, shiftB]) array.dispose();
      },
    },
  ];
}

/** A sum of K products of differences is wrong by at most (K + 3) 2^-24 times the sum of their magnitudes, in any order. */
function check(
  name: string,
  values: Float32Array,
  { values: expected, magnitudes }: ReturnType<typeof crossMomentsReference>,
  terms: number,
): void {
  for (const [i, value] of expected.entries()) {
    const bound = (terms + 3) * 2 ** -24 * magnitudes[i]!;
    if (!(Math.abs(values[i]! - value) <= bound))
      throw new Error(`${name}: element ${i} is ${values[i]}, expected ${value} +- ${bound}`);
  }
}

async function main(): Promise<void> {
  const contexts: [string, Context][] = [];
  for (const variant of options.variants.split(',')) {
    const forced = variant === 'default' ? {} : { variants: { 'cross-moments': variant } };
    contexts.push([variant, await requestContextOn(nodePlatform, forced)]);
  }
  const context = contexts[0]![1];
  const jax = await loadJax(context);
  const say = (text: string) => {
    if (!options.json) console.log(text);
  };
  say(`${context.adapterName}${context.software ? ' (CPU emulation)' : ''}, Node ${process.version}`);
  for (const sizes of CASES) {
    for (const task of ['two activations', 'one with itself'] as const) {
      const given = operandsOf(caseOf(sizes), task);
      const expected = crossMomentsReference(given);
      const contestants = [
        ...contexts.map(([variant, its]) => ours(its, variant, given, task)),
        genericPieces(context, given, task),
        ...jaxContestants(context, jax, given, task),
      ];
      const times = new Map<Contestant, number[]>(contestants.map((one) => [one, []]));
      for (const one of contestants) {
        await one.run();
        check(`${one.name}, ${task}`, await one.read(), expected, given.outer * given.inner);
      }
      for (let repeat = 0; repeat < Number(options.repeats); repeat++) {
        for (const [one, list] of times) {
          const start = performance.now();
          await one.run();
          list.push(performance.now() - start);
        }
      }
      for (const one of contestants) one.destroy();
      report(context, given, task, times, say);
    }
  }
  for (const [, its] of contexts) its.destroy();
}

function report(
  context: Context,
  { outer, channelsA, channelsB, inner }: CrossMomentsCase,
  task: Task,
  times: ReadonlyMap<Contestant, number[]>,
  say: (text: string) => void,
): void {
  const timings = [...times].map(([{ name }, list]) => {
    list.sort((x, y) => x - y);
    return { name, minMs: list[0]!, medianMs: list[Math.floor(list.length / 2)]! };
  });
  const best = (name: string) =>
    Math.min(...timings.filter((timing) => timing.name.startsWith(name)).map(({ minMs }) => minMs));
  say(`\n${outer} samples, ${channelsA} channels of ${inner} positions, ${task}`);
  for (const timing of timings) {
    // of the whole matrix, whoever computes half of it
    const gflops = (2 * channelsA * channelsB * outer * inner) / timing.minMs / 1e6;
    const [overGeneric, overJax] = [best('generic') / timing.minMs, best('jax-js') / timing.minMs];
    const sizes = { outer, channelsA, channelsB, inner, task };
    if (options.json) {
      const ratios = { gflops, overGeneric, overJax };
      console.log(JSON.stringify({ adapter: context.adapterName, ...sizes, ...timing, ...ratios }));
    } else {
      console.log(
        `  ${timing.name.padEnd(22)} min ${timing.minMs.toFixed(2).padStart(8)} ms   median ${timing.medianMs.toFixed(2).padStart(8)} ms` +
          `   ${gflops.toFixed(2).padStart(6)} GFLOP/s   ${overGeneric.toFixed(2).padStart(5)}x generic   ${overJax.toFixed(2).padStart(5)}x jax-js`,
      );
    }
  }
}

await main();
process.exit(0); // jax-js keeps its device, and with it the process
