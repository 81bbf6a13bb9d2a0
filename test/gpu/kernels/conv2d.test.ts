/** Convolutions and their gradients: every variant against float64, against each other bit for bit, and inside their bounds. */
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import {
  type Conv2dCall,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
} from '../../../src/kernels/conv/conv2d.ts';
import { CONV_TILES } from '../../../src/kernels/conv/tiles.ts';
import { hasQuads, TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { Dispatch } from '../../../src/runtime/kernel.ts';
import {
  type ConvSizes,
  conv2dInOrder,
  conv2dReference,
  convShapes,
  inputGradientInOrder,
  inputGradientReference,
  type Reference,
  weightGradientInOrder,
  weightGradientReference,
} from '../../reference/kernels/conv.ts';
import { useContext } from '../../support/context.ts';
import { type Memory, useMemory } from '../../support/memory.ts';
import { bitsOf, expectClose } from '../../support/numbers.ts';
import { platform } from '../../support/platform.ts';

const forced = TILED_VARIANTS.map((variant) => {
  const context = useContext({ variants: { conv: variant } });
  return { variant, context, memory: useMemory(context) };
});
const defaultContext = useContext();
const defaultMemory = useMemory(defaultContext);

/**
 * Software adapters take more than a second to compile a kernel with workgroup memory, and there is one for each number of taps: there it
 * meets 3 x 3 and 1 x 1 kernels, each of its tiles one case, and of strides, whose input gradients have a kernel for each residue, one
 * small case of 3 x 3 and one of 7 x 7. Chromium compiles the same texts for the same driver: there they are few.
 */
const meets = (variant: string, { kernel, stride, h, c, o }: ConvSizes) =>
  !defaultContext().software ||
  !variant.startsWith('workgroup') ||
  (platform.name === 'browser' && kernel[0] === 3 && h === 8 && stride[0] === 1) ||
  (platform.name === 'node' && meetsInNode({ kernel, stride, h, c, o }));

const meetsInNode = ({ kernel, stride, h, c, o }: Pick<ConvSizes, 'kernel' | 'stride' | 'h' | 'c' | 'o'>) =>
  (kernel[0] === 3 && kernel[1] === 3 && (stride[0] === 1 || (c === 16 && o === 10))) ||
  (kernel[0] === 7 && h === 9) ||
  (kernel[0] === 1 && kernel[1] === 1 && stride[0] === 1);

/** The variants that this adapter can run, the naive one first. */
const runners = () => forced.filter(({ variant, context }) => variant !== 'quad' || hasQuads(context()));

const square = (size: number, stride = 1, padding = 0) =>
  ({ kernel: [size, size], stride: [stride, stride], padding: [padding, padding] }) as const;

function sizes(
  [n, c, h, w, o]: readonly [number, number, number, number, number],
  { kernel, stride, padding }: Pick<ConvSizes, 'kernel' | 'stride' | 'padding'>,
  groups = 1,
): ConvSizes {
  return { n, c, h, w, o, kernel, stride, padding, groups };
}

/** Kernels, strides and paddings; channels and images around the tiles; groups; sums that pass one and two chunks. */
const CASES: readonly ConvSizes[] = [
  sizes([1, 1, 1, 1, 1], square(1)),
  sizes([5, 3, 8, 8, 10], square(1)),
  sizes([1, 16, 7, 7, 33], square(1)),
  sizes([2, 17, 9, 9, 10], square(1, 2)),
  sizes([1, 16, 8, 8, 16], square(1, 2)),
  sizes([1, 1040, 3, 5, 6], square(1)),
  sizes([1, 3, 32, 32, 16], square(3, 1, 1)),
  sizes([5, 16, 8, 8, 16], square(3, 1, 1)),
  sizes([1, 17, 7, 9, 33], square(3, 1, 1)),
  sizes([1, 16, 9, 8, 10], square(3, 2, 1)),
  sizes([2, 16, 8, 7, 17], square(3, 2, 1)),
  sizes([1, 60, 4, 4, 10], square(3, 1, 1)),
  sizes([1, 115, 2, 3, 5], square(3, 1, 1)),
  sizes([1, 5, 5, 5, 118], square(3, 1, 1)),
  sizes([2, 3, 9, 9, 10], square(3)),
  sizes([1, 3, 7, 7, 1], square(3, 3)),
  sizes([1, 2, 3, 3, 3], square(3, 1, 2)),
  sizes([5, 1, 9, 9, 6], square(5, 1, 2)),
  sizes([1, 3, 32, 30, 16], square(7, 2, 3)),
  sizes([1, 2, 9, 8, 3], square(7, 2, 3)),
  sizes([1, 3, 12, 12, 4], square(4, 4)),
  sizes([1, 2, 24, 25, 2], square(23, 1, 1)),
  sizes([2, 3, 8, 9, 5], { kernel: [2, 3], stride: [2, 1], padding: [0, 1] }),
  sizes([1, 4, 9, 7, 5], { kernel: [3, 1], stride: [1, 3], padding: [2, 0] }),
  sizes([1, 3, 1, 40, 4], { kernel: [1, 9], stride: [1, 2], padding: [0, 4] }),
  sizes([2, 16, 8, 8, 16], square(3, 1, 1), 16),
  sizes([1, 10, 9, 7, 20], square(3, 2, 1), 10),
  sizes([1, 12, 7, 8, 18], square(3, 1, 1), 3),
  sizes([3, 8, 6, 6, 8], square(1), 2),
  sizes([1, 2, 70, 33, 3], square(3, 1, 1)),
];

const nameOf = ({ n, c, h, w, o, kernel, stride, padding, groups }: ConvSizes) =>
  `[${n}, ${c}, ${h}, ${w}] to ${o} channels, kernel ${kernel}, stride ${stride}, padding ${padding}, groups ${groups}`;

interface Data {
  readonly input: Float32Array;
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
}

function dataOf(given: ConvSizes): Data {
  const shapes = convShapes(given);
  const fill = (name: string, shape: readonly number[]) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    new RandomStream(11, `conv ${nameOf(given)} ${name}`).fillUniform(values, -1, 1);
    return values;
  };
  return {
    input: fill('input', shapes.input),
    weight: fill('weight', shapes.weight),
    gradient: fill('gradient', shapes.output),
  };
}

interface Runner {
  readonly context: () => Context;
  readonly memory: Memory;
  /** Whom kernels are chosen for. Default: the context. */
  readonly chooser?: Context;
}

type Epilogue = Partial<Record<'bias' | 'mean' | 'factor' | 'shift' | 'addend', Float32Array>> & {
  relu?: boolean;
};

async function run(
  { context, memory, chooser = context() }: Runner,
  given: ConvSizes,
  data: Data,
  { bias, mean, factor, shift, addend, relu }: Epilogue = {},
): Promise<Float32Array> {
  const shapes = convShapes(given);
  const output = memory.output(shapes.output);
  const call: Conv2dCall = {
    ...given,
    input: memory.input(data.input, shapes.input),
    weight: memory.input(data.weight, shapes.weight),
    output,
    ...(bias ? { bias: memory.input(bias) } : {}),
    ...(mean && factor && shift
      ? { norm: { mean: memory.input(mean), factor: memory.input(factor), shift: memory.input(shift) } }
      : {}),
    ...(addend ? { addend: memory.input(addend, shapes.output) } : {}),
    ...(relu ? { activation: 'relu' } : {}),
  };
  context().record(...conv2d(chooser, call));
  return memory.read(output);
}

async function runInputGradient(
  { context, memory, chooser = context() }: Runner,
  given: ConvSizes,
  data: Data,
): Promise<Float32Array> {
  const shapes = convShapes(given);
  const output = memory.output(shapes.input);
  const outputGradient = memory.input(data.gradient, shapes.output);
  const weight = memory.input(data.weight, shapes.weight);
  context().record(...conv2dInputGradient(chooser, { ...given, outputGradient, weight, output }));
  return memory.read(output);
}

async function runWeightGradient(
  { context, memory, chooser = context() }: Runner,
  given: ConvSizes,
  data: Data,
  withScratch: boolean,
): Promise<Float32Array> {
  const shapes = convShapes(given);
  const output = memory.output(shapes.weight);
  const call = {
    ...given,
    input: memory.input(data.input, shapes.input),
    outputGradient: memory.input(data.gradient, shapes.output),
    output,
    ...(withScratch ? { scratch: (shape: readonly number[]) => memory.output(shape) } : {}),
  };
  context().record(...conv2dWeightGradient(chooser, call));
  return memory.read(output);
}

/** How many elements differ in their bits: quicker to say than toEqual's own difference of long arrays. */
function differences(x: Float32Array, y: Float32Array): number {
  const [p, q] = [bitsOf(x), bitsOf(y)];
  return p.reduce((count, word, i) => count + (word === q[i] ? 0 : 1), Math.abs(p.length - q.length));
}

/**
 * A sum of K products, each sum and product rounded once (or fused), is wrong by at most (K + 2) u sum |a b| with u = 2^-24, up to terms
 * in u^2; chunking only shortens the chains.
 */
function expectWithinBound(actual: Float32Array, { values, magnitudes, terms }: Reference): void {
  expectClose(
    actual,
    values,
    magnitudes.map((magnitude) => (terms + 2) * 2 ** -24 * magnitude),
  );
}

describe('conv2d and its gradients', () => {
  test.each(CASES.map((given) => ({ name: nameOf(given), given })))(
    '$name: within the f64 bound, the same bits in every variant',
    async ({ given }) => {
      const data = dataOf(given);
      const [first, ...others] = runners();
      const output = await run(first!, given, data);
      expectWithinBound(output, conv2dReference(given, data.input, data.weight));
      const inputGradient = await runInputGradient(first!, given, data);
      expectWithinBound(inputGradient, inputGradientReference(given, data.gradient, data.weight));
      const weightGradient = await runWeightGradient(first!, given, data, false);
      expectWithinBound(weightGradient, weightGradientReference(given, data.input, data.gradient));

      expect(differences(await runWeightGradient(first!, given, data, true), weightGradient)).toBe(0);
      for (const runner of others) {
        const { variant } = runner;
        if (!meets(variant, given)) continue;
        expect(differences(await run(runner, given, data), output), variant).toBe(0);
        expect(
          differences(await runInputGradient(runner, given, data), inputGradient),
          `${variant}, input gradient`,
        ).toBe(0);
        for (const withScratch of [false, true]) {
          const values = await runWeightGradient(runner, given, data, withScratch);
          expect(differences(values, weightGradient), `${variant}, weight gradient, ${withScratch}`).toBe(0);
        }
      }
    },
  );

  test.each(CONV_TILES.workgroup!.slice(0, platform.name === 'browser' ? 1 : undefined))(
    'tiles of %s have the same bits',
    async (tile) => {
      const variants = { value: { conv: `workgroup ${tile}` } };
      const chooser = Object.create(defaultContext(), { variants }) as Context;
      const runner = { context: defaultContext, memory: defaultMemory, chooser };
      const given = sizes([2, 9, 9, 7, 33], square(3, 1, 1));
      const data = dataOf(given);
      const naive = runners()[0]!;
      expect(differences(await run(runner, given, data), await run(naive, given, data))).toBe(0);
      const expected = await runWeightGradient(naive, given, data, false);
      expect(differences(await runWeightGradient(runner, given, data, true), expected)).toBe(0);
    },
  );

  test('the error bound would notice one wrong weight', async () => {
    const given = sizes([1, 3, 9, 9, 4], square(3, 1, 1));
    const data = dataOf(given);
    const output = await run({ context: defaultContext, memory: defaultMemory }, given, data);
    data.weight[40] = data.weight[40]! + 0.001;
    expect(() => expectWithinBound(output, conv2dReference(given, data.input, data.weight))).toThrow();
  });

  test('the orders of summation are the documented ones', async () => {
    for (const given of [
      sizes([1, 115, 3, 4, 3], square(3, 1, 1)),
      sizes([1, 3, 5, 5, 118], square(3, 2, 1)),
      sizes([3, 4, 29, 17, 3], square(3, 1, 1)),
      sizes([1, 4, 9, 600, 2], { kernel: [2, 2], stride: [1, 1], padding: [0, 0] }),
    ]) {
      const data = dataOf(given);
      // Products of numbers of 11 significant bits are exact: fused or not, only the order of the additions shows.
      for (const values of Object.values(data)) {
        values.forEach((value: number, i: number) => {
          values[i] = Math.round(value * 1024) / 1024;
        });
      }
      for (const runner of runners()) {
        const { variant } = runner;
        if (!meets(variant, given)) continue;
        const output = conv2dInOrder(given, data.input, data.weight);
        expect(differences(await run(runner, given, data), output), variant).toBe(0);
        const inputGradient = inputGradientInOrder(given, data.gradient, data.weight);
        expect(differences(await runInputGradient(runner, given, data), inputGradient), variant).toBe(0);
        const weightGradient = weightGradientInOrder(given, data.input, data.gradient);
        expect(differences(await runWeightGradient(runner, given, data, true), weightGradient), variant).toBe(
          0,
        );
      }
    }
  });

  test('the epilogue has the bits of separate steps', async () => {
    for (const given of [
      sizes([2, 60, 9, 9, 10], square(3, 1, 1)),
      sizes([2, 10, 7, 7, 10], square(3, 1, 1), 10),
      sizes([2, 6, 7, 7, 10], square(3, 1, 1), 2), // groups of five: no multiple of what a quad swaps
      sizes([2, 4, 6, 6, 20], square(1)),
    ]) {
      const data = dataOf(given);
      const plane = convShapes(given)
        .output.slice(2)
        .reduce((a, b) => a * b, 1);
      const bias = Float32Array.from({ length: given.o }, (_, c) => (c - 3) / 7);
      const mean = Float32Array.from({ length: given.o }, (_, c) => (5 - c) / 11);
      // Powers of two: fma(x - mean, factor, shift) then rounds as a product and a sum do.
      const factor = Float32Array.from({ length: given.o }, (_, c) => (c % 2 ? -0.5 : 4));
      const shift = Float32Array.from({ length: given.o }, (_, c) => 1 / (c + 3));
      const addend = new Float32Array(convShapes(given).output.reduce((a, b) => a * b, 1));
      new RandomStream(11, 'addend').fillUniform(addend, -1, 1);
      const channel = (i: number) => Math.floor(i / plane) % given.o;
      // Each step of a Float32Array's map rounds once.
      const add = (values: Float32Array, more: (i: number) => number) => values.map((v, i) => v + more(i));
      const biasedBy = (values: Float32Array) => add(values, (i) => bias[channel(i)]!);
      const addedTo = (values: Float32Array) => add(values, (i) => addend[i]!);
      const rectified = (values: Float32Array) => values.map((value) => (value <= 0 ? 0 : value));
      const normalised = (values: Float32Array) =>
        add(values, (i) => -mean[channel(i)]!).map((v, i) => v * factor[channel(i)]! + shift[channel(i)]!);
      for (const runner of runners()) {
        const { variant } = runner;
        const plain = await run(runner, given, data);
        const norm = { mean, factor, shift };
        const cases: [Epilogue, Float32Array][] = [
          [{ bias }, biasedBy(plain)],
          [norm, normalised(plain)],
          [{ addend }, addedTo(plain)],
          [{ ...norm, addend, relu: true }, rectified(addedTo(normalised(plain)))],
          [{ bias, ...norm, addend, relu: true }, rectified(addedTo(normalised(biasedBy(plain))))],
        ];
        for (const [epilogue, expected] of cases) {
          const fused = await run(runner, given, data, epilogue);
          expect(differences(fused, expected), `${variant}, ${Object.keys(epilogue)}`).toBe(0);
        }
      }
    }
  });

  test('infinities, NaNs and signed zeros are the same in every variant', async () => {
    for (const given of [
      sizes([1, 61, 8, 8, 9], square(3, 1, 1)),
      sizes([2, 5, 9, 7, 6], square(3, 2, 1)),
      sizes([1, 8, 4, 6, 5], square(1)),
    ]) {
      const data = dataOf(given);
      const special = [Number.POSITIVE_INFINITY, Number.NaN, -0, 1e-40, -1e-30, 3e38];
      special.forEach((value, i) => {
        for (const values of Object.values(data)) values[i * 7] = value;
      });
      data.gradient.fill(-1e-30, data.gradient.length - 20);
      // A NaN's sign and payload are nobody's promise: compare NaN with NaN, everything else by bits.
      const canonical = (x: Float32Array) => x.map((v) => (Number.isNaN(v) ? Number.NaN : v));
      const all = async (runner: Runner) => [
        canonical(await run(runner, given, data)),
        canonical(await runInputGradient(runner, given, data)),
        canonical(await runWeightGradient(runner, given, data, true)),
      ];
      const expected = await all(runners()[0]!);
      for (const runner of runners().slice(1)) {
        if (!meets(runner.variant, given)) continue;
        const values = await all(runner);
        const unlike = values.map((list, i) => differences(list, expected[i]!));
        expect(unlike, `${runner.variant} ${nameOf(given)}`).toEqual([0, 0, 0]);
      }
    }
  });

  test('no channels and no images give the bias, or zeros; empty outputs make no dispatch', async () => {
    for (const runner of runners()) {
      const noChannels = sizes([1, 0, 3, 3, 2], square(3, 1, 1));
      const bias = Float32Array.of(1, 2);
      const values = await run(runner, noChannels, dataOf(noChannels), { bias });
      expect([...values]).toEqual([...new Array(9).fill(1), ...new Array(9).fill(2)]);
      const noImages = sizes([0, 2, 3, 3, 2], square(3, 1, 1));
      const gradient = await runWeightGradient(runner, noImages, dataOf(noImages), true);
      expect([...gradient]).toEqual(new Array(36).fill(0));
      expect(await run(runner, noImages, dataOf(noImages))).toHaveLength(0);
    }
  });

  test('grids past 65,535 workgroups along one axis wrap', () => {
    for (const { variant, context } of runners()) {
      const view = (shape: number[]) => ({
        buffer: {} as GPUBuffer,
        offset: 0,
        shape,
        dtype: 'f32' as const,
      });
      const dispatches: Dispatch[] = [
        ...conv2d(context(), {
          ...square(3, 1, 1),
          input: view([64, 3, 512, 512]),
          weight: view([64, 3, 3, 3]),
          output: view([64, 64, 512, 512]),
        }),
        ...conv2dWeightGradient(context(), {
          input: view([1, 32768, 1, 1]),
          outputGradient: view([1, 16384, 1, 1]),
          output: view([16384, 32768, 1, 1]),
        }),
      ];
      for (const { workgroups } of dispatches) {
        expect(Math.max(...workgroups), variant).toBeLessThanOrEqual(65535);
        expect(workgroups[1], variant).toBeGreaterThan(1);
      }
    }
  });

  test('a wrapped grid computes what an unwrapped one does', async () => {
    // naive: more than 65,535 workgroups of 64 outputs
    const given = sizes([4, 1, 1024, 1025, 1], square(1));
    const data = dataOf(given);
    const [naive, ...others] = runners();
    const expected = await run(naive!, given, data);
    expect(expected.findIndex((value, i) => value !== Math.fround(data.input[i]! * data.weight[0]!))).toBe(
      -1,
    );
    for (const runner of others.filter(({ variant }) => variant !== 'workgroup'))
      expect(differences(await run(runner, given, data), expected)).toBe(0);
  });
});

describe('errors name what does not fit', () => {
  const shapes = { input: [2, 4, 8, 8], weight: [6, 4, 3, 3], output: [2, 6, 8, 8] };
  const call = (change: object, options: object = { padding: [1, 1] }) => {
    const views = Object.fromEntries(
      Object.entries({ ...shapes, ...change }).map(([name, shape]) => [
        name,
        { buffer: {} as GPUBuffer, offset: 0, shape, dtype: 'f32' as const },
      ]),
    );
    return () => conv2d(defaultContext(), { ...views, ...options } as unknown as Conv2dCall);
  };

  test('shapes', () => {
    expect(call({})).not.toThrow();
    expect(call({ input: [2, 4, 64] })).toThrow('input must have 4 axes, got shape [2,4,64]');
    expect(call({ weight: [6, 5, 3, 3] })).toThrow('takes 5 channels and gives a multiple of 1');
    expect(call({ output: [2, 6, 6, 6] })).toThrow('has an output [2,6,8,8], got [2,6,6,6]');
    expect(call({ weight: [6, 4, 11, 3] })).toThrow("the kernel's height 11 is larger than the input's 8");
    expect(call({ bias: [5] })).toThrow('bias must have 6 elements');
  });

  test('options', () => {
    expect(call({}, { stride: [0, 1] })).toThrow('stride[0] must be an integer of at least 1, got 0');
    expect(call({}, { padding: [0, 0.5] })).toThrow('padding[1] must be an integer of at least 0');
    expect(call({}, { padding: [1, 1], groups: 4 })).toThrow('takes 16 channels');
  });

  test('gradients', () => {
    const context = defaultContext();
    const view = (shape: number[]) => ({ buffer: {} as GPUBuffer, offset: 0, shape, dtype: 'f32' as const });
    expect(() =>
      conv2dInputGradient(context, {
        outputGradient: view([2, 6, 7, 8]),
        weight: view(shapes.weight),
        output: view(shapes.input),
        padding: [1, 1],
      }),
    ).toThrow('conv2dInputGradient: the convolution of input [2,4,8,8] and weight [6,4,3,3]');
    expect(() =>
      conv2dWeightGradient(context, {
        input: view(shapes.input),
        outputGradient: view(shapes.output),
        output: view([6, 4, 5, 3]),
        padding: [1, 1],
      }),
    ).toThrow('conv2dWeightGradient: ');
  });

  test('a variant that does not exist', () => {
    const context = Object.create(defaultContext(), { variants: { value: { conv: 'fast' } } }) as Context;
    const views = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        { buffer: {}, offset: 0, shape, dtype: 'f32' as const },
      ]),
    );
    expect(() => conv2d(context, { ...views, padding: [1, 1] } as unknown as Conv2dCall)).toThrow(
      'no variant "fast"; it has naive, register, quad, workgroup',
    );
  });

  test('an output in an input buffer', () => {
    const buffer = {} as GPUBuffer;
    const view = { buffer, offset: 0, shape: [1, 1, 1, 1], dtype: 'f32' as const };
    const other = { ...view, buffer: {} as GPUBuffer };
    expect(() => conv2d(defaultContext(), { input: view, weight: other, output: view })).toThrow(
      'same GPUBuffer',
    );
  });
});
