/**
 * Convolutions, forward and backward (input and weight gradient together), beside `@jax-js/jax` in the same process on the same adapter.
 *
 * Every result is checked against float64 before anything is timed. Then all contestants take turns: read the minima and their ratios.
 * One repeat is one call from recording to queue completion. jax-js is timed with a sleeping wait and with its own; the better counts.
 *
 *     node scripts/run.mjs bench/conv.ts [--json] [--repeats 11] [--variants quad,register]
 */
import { parseArgs } from 'node:util';
import { RandomStream } from '../src/base/random.ts';
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from '../src/kernels/conv/conv2d.ts';
import { type Context, requestContextOn } from '../src/runtime/context.ts';
import { nodePlatform } from '../src/runtime/platform-node.ts';
import type { Tensor } from '../src/runtime/tensor.ts';
import {
  type ConvSizes,
  conv2dReference,
  convShapes,
  inputGradientReference,
  type Reference,
  weightGradientReference,
} from '../test/reference/kernels/conv.ts';
import { type Jax, loadJax } from './jax.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '11' },
    variants: { type: 'string', default: 'default' },
  },
});

function convolution(
  [n, c, h, w]: readonly [number, number, number, number],
  o: number,
  kernel: number,
  stride: number,
  padding: number,
): ConvSizes {
  const square = (size: number) => [size, size] as const;
  return {
    ...{ n, c, h, w, o, groups: 1 },
    ...{ kernel: square(kernel), stride: square(stride), padding: square(padding) },
  };
}

const CASES: readonly ConvSizes[] = [
  convolution([32, 16, 32, 32], 16, 3, 1, 1),
  convolution([32, 64, 8, 8], 64, 3, 1, 1),
  convolution([32, 3, 32, 32], 16, 3, 1, 1),
  convolution([32, 16, 32, 32], 32, 3, 2, 1),
  convolution([32, 64, 16, 16], 64, 1, 1, 0),
  convolution([4, 3, 112, 112], 64, 7, 2, 3),
];

interface Data {
  readonly sizes: ConvSizes;
  readonly input: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly gradient: Float32Array<ArrayBuffer>;
}

function dataOf(sizes: ConvSizes): Data {
  const shapes = convShapes(sizes);
  const values = (name: string, shape: readonly number[]) => {
    const array = new Float32Array(shape.reduce((a, b) => a * b, 1));
    new RandomStream(1, `bench conv ${JSON.stringify(sizes)} ${name}`).fillUniform(array, -1, 1);
    return array;
  };
  return {
    sizes,
    input: values('input', shapes.input),
    weight: values('weight', shapes.weight),
    gradient: values('gradient', shapes.output),
  };
}

type Task = 'forward' | 'backward';

/** Someone who computes something, ready to run again and again. */
interface Contestant {
  readonly name: string;
  readonly task: Task;
  run(): Promise<void>;
  /** The output, or the gradients of input and weight. */
  read(): Promise<Float32Array[]>;
  destroy(): void;
}

function ours(context: Context, variant: string, { sizes, input, weight, gradient }: Data): Contestant[] {
  const shapes = convShapes(sizes);
  const owned: Tensor[] = [];
  const own = (tensor: Tensor) => {
    owned.push(tensor);
    return tensor;
  };
  const x = own(context.tensorFrom(input, shapes.input));
  const w = own(context.tensorFrom(weight, shapes.weight));
  const dy = own(context.tensorFrom(gradient, shapes.output));
  const y = own(context.tensor(shapes.output));
  const [dx, dw] = [own(context.tensor(shapes.input)), own(context.tensor(shapes.weight))];
  const scratch = (shape: readonly number[]) => own(context.tensor(shape));
  const forward = conv2d(context, { ...sizes, input: x, weight: w, output: y });
  const backward = [
    ...conv2dInputGradient(context, { ...sizes, outputGradient: dy, weight: w, output: dx }),
    ...conv2dWeightGradient(context, { ...sizes, input: x, outputGradient: dy, output: dw, scratch }),
  ];
  const name = variant === 'default' ? 'rebasin' : `rebasin ${variant}`;
  const contestant = (task: Task, dispatches: typeof forward, results: Tensor[]): Contestant => ({
    name,
    task,
    async run() {
      context.record(...dispatches);
      await context.finish();
    },
    read: () => Promise.all(results.map((tensor) => tensor.read())),
    destroy() {
      for (const tensor of owned) tensor.destroy();
    },
  });
  return [contestant('forward', forward, [y]), contestant('backward', backward, [dx, dw])];
}

function jaxContestants(context: Context, jax: Jax, data: Data): Contestant[] {
  const { numpy, lax } = jax;
  const { sizes } = data;
  const shapes = convShapes(sizes);
  const x = numpy.array(data.input, { shape: shapes.input });
  const w = numpy.array(data.weight, { shape: shapes.weight });
  const dy = numpy.array(data.gradient, { shape: shapes.output });
  type Tensors = typeof x;
  const [vertical, horizontal] = sizes.padding;
  const padding: [number, number][] = [
    [vertical, vertical],
    [horizontal, horizontal],
  ];
  const convolve = (a: Tensors, b: Tensors) => lax.convGeneralDilated(a, b, [...sizes.stride], padding);
  const forward = jax.jit((a: Tensors, b: Tensors): Tensors[] => [convolve(a, b)]);
  // The gradient of sum(y dy): exactly the two gradients, since y itself is not asked for.
  const backward = jax.jit(
    (a: Tensors, b: Tensors, d: Tensors): Tensors[] =>
      jax.grad((p: Tensors, q: Tensors) => numpy.sum(numpy.multiply(convolve(p, q), d)), { argnums: [0, 1] })(
        a,
        b,
      ) as Tensors[],
  );
  const contestants = (task: Task, compute: () => Tensors[]): Contestant[] => {
    let last: Tensors[] = [];
    const start = () => {
      for (const array of last) array.dispose();
      last = compute();
      return Promise.all(last.map((array) => array.blockUntilReady()));
    };
    const read = () => Promise.all(last.map((array) => array.ref.data() as Promise<Float32Array>));
    return [
      {
        name: 'jax-js, sleeping wait',
        task,
        async run() {
          await context.wait(start());
        },
        read,
        destroy() {},
      },
      {
        name: 'jax-js, its own wait',
        task,
        async run() {
          await start();
        },
        read,
        destroy() {
          for (const array of last) array.dispose();
        },
      },
    ];
  };
  return [
    ...contestants('forward', () => forward(x.ref, w.ref)),
    ...contestants('backward', () => backward(x.ref, w.ref, dy.ref)),
  ];
}

/** A sum of K products is wrong by at most (K + 2) 2^-24 times the sum of their magnitudes. */
function check(name: string, values: Float32Array, { values: expected, magnitudes, terms }: Reference): void {
  for (const [i, value] of expected.entries()) {
    const bound = (terms + 2) * 2 ** -24 * magnitudes[i]!;
    if (!(Math.abs(values[i]! - value) <= bound))
      throw new Error(`${name}: element ${i} is ${values[i]}, expected ${value} +- ${bound}`);
  }
}

function multiplyAdds(sizes: ConvSizes): number {
  const { weight, output } = convShapes(sizes);
  return [...output, ...weight.slice(1)].reduce((a, b) => a * b, 1);
}

async function main(): Promise<void> {
  const contexts: [string, Context][] = [];
  for (const variant of options.variants.split(',')) {
    const forced = variant === 'default' ? {} : { variants: { conv: variant } };
    contexts.push([variant, await requestContextOn(nodePlatform, forced)]);
  }
  const context = contexts[0]![1];
  const jax = await loadJax(context);
  const say = (text: string) => {
    if (!options.json) console.log(text);
  };
  say(`${context.adapterName}${context.software ? ' (CPU emulation)' : ''}, Node ${process.version}`);
  for (const sizes of CASES) {
    const data = dataOf(sizes);
    const expected: Record<Task, Reference[]> = {
      forward: [conv2dReference(sizes, data.input, data.weight)],
      backward: [
        inputGradientReference(sizes, data.gradient, data.weight),
        weightGradientReference(sizes, data.input, data.gradient),
      ],
    };
    const contestants = [
      ...contexts.flatMap(([variant, its]) => ours(its, variant, data)),
      ...jaxContestants(context, jax, data),
    ];
    const times = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
    for (const contestant of contestants) {
      await contestant.run();
      const results = await contestant.read();
      for (const [i, values] of results.entries())
        check(`${contestant.name}, ${contestant.task}`, values, expected[contestant.task][i]!);
    }
    for (let repeat = 0; repeat < Number(options.repeats); repeat++) {
      for (const [contestant, list] of times) {
        const start = performance.now();
        await contestant.run();
        list.push(performance.now() - start);
      }
    }
    for (const contestant of contestants) contestant.destroy();
    report(context, sizes, times, say);
  }
  for (const [, its] of contexts) its.destroy();
}

function report(
  context: Context,
  sizes: ConvSizes,
  times: ReadonlyMap<Contestant, number[]>,
  say: (text: string) => void,
): void {
  const timings = [...times].map(([{ name, task }, list]) => {
    list.sort((a, b) => a - b);
    const minMs = list[0]!;
    const flops = (task === 'forward' ? 2 : 4) * multiplyAdds(sizes);
    return { name, task, minMs, medianMs: list[Math.floor(list.length / 2)]!, gflops: flops / minMs / 1e6 };
  });
  const { n, c, h, w, o, kernel, stride, padding } = sizes;
  say(`\n[${[n, c, h, w]}] to ${o} channels, kernel ${kernel}, stride ${stride}, padding ${padding}`);
  for (const timing of timings.sort((a, b) => (a.task === b.task ? 0 : a.task === 'forward' ? -1 : 1))) {
    const peers = timings.filter(({ name, task }) => task === timing.task && name.startsWith('jax-js'));
    const ratio = Math.min(...peers.map((peer) => peer.minMs)) / timing.minMs;
    if (options.json) {
      console.log(JSON.stringify({ adapter: context.adapterName, ...sizes, ...timing, ratio }));
    } else {
      console.log(
        `  ${timing.task.padEnd(8)} ${timing.name.padEnd(24)} min ${timing.minMs.toFixed(2).padStart(8)} ms` +
          `   median ${timing.medianMs.toFixed(2).padStart(8)} ms   ${timing.gflops.toFixed(2).padStart(6)} GFLOP/s` +
          `   ${ratio.toFixed(2).padStart(5)}x jax-js`,
      );
    }
  }
}

await main();
process.exit(0); // jax-js keeps its device, and with it the process
