/** At least one dispatch for every kernel text that the library can make, from the host functions themselves on views without memory. */
import { axpy, combine, copy, interpolate, scale } from '../../../src/kernels/arena/arena.ts';
import { gatherAugmented } from '../../../src/kernels/augment/gather-augmented.ts';
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from '../../../src/kernels/conv/conv2d.ts';
import { CONV_TILES } from '../../../src/kernels/conv/tiles.ts';
import { crossMoments } from '../../../src/kernels/cross-moments/cross-moments.ts';
import { elementwise } from '../../../src/kernels/elementwise/elementwise.ts';
import { gatherAxis } from '../../../src/kernels/gather/gather-axis.ts';
import { gatherImages, gatherLabels } from '../../../src/kernels/gather/gather-batch.ts';
import { MATMUL_TILES } from '../../../src/kernels/matmul/matmul.ts';
import { packedMatmul } from '../../../src/kernels/matmul/packed.ts';
import { adamStep, adamWStep } from '../../../src/kernels/optimizer/adam.ts';
import { sgdStep } from '../../../src/kernels/optimizer/sgd.ts';
import { fillBits, fillUniform } from '../../../src/kernels/random/fill.ts';
import { partialDots, partialSquaredDistances, partialSums } from '../../../src/kernels/reduce/partials.ts';
import { sum } from '../../../src/kernels/reduce/sum.ts';
import {
  correct,
  crossEntropy,
  crossEntropyGradient,
  softmax,
} from '../../../src/kernels/softmax/softmax.ts';
import { orthogonaliseRows } from '../../../src/kernels/svd/orthogonalise-rows.ts';
import { TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { Dispatch, DType, TensorView } from '../../../src/runtime/kernel.ts';
import { PackingTextures } from '../../../src/runtime/packing-textures.ts';
import { normDispatches, poolDispatches, structureDispatches } from './norm-dispatches.ts';

/** A context that only answers what host functions ask before they make a dispatch. Its subgroups let every variant run. */
function contextWithoutGpu(software: boolean, variants: Record<string, string> = {}): Context {
  const device = { limits: { maxStorageBuffersPerShaderStage: 8 }, features: new Set(['subgroups']) };
  const origin = { adapterInfo: { subgroupMinSize: 4, subgroupMaxSize: 4 } };
  const attachments = new Map([[PackingTextures, { holds: () => true, get: () => ({}), sampler: {} }]]);
  return {
    software,
    variants,
    tuning: new Map(),
    numerics: 'f32',
    device,
    origin,
    attachments,
  } as unknown as Context;
}

function view(shape: readonly number[], dtype: DType = 'f32'): TensorView {
  return { buffer: {} as GPUBuffer, offset: 0, shape, dtype };
}

export function representativeDispatches(): Dispatch[] {
  const context = contextWithoutGpu(true);
  return [
    ...elementwiseDispatches(context),
    ...matmulDispatches(),
    ...convDispatches(),
    ...crossMomentsDispatches(),
    ...singularValueDispatches(),
    ...reduceDispatches(context),
    ...softmaxDispatches(context),
    ...gatherDispatches(context),
    ...arenaDispatches(context),
    ...normDispatches(context, view),
    ...poolDispatches(context, view),
    ...structureDispatches(context, view),
    ...fillBits(context, { stream: { key0: 1, key1: 2 }, output: view([5], 'u32') }),
    ...fillUniform(context, { stream: { key0: 1, key1: 2 }, output: view([5]) }),
  ];
}

/** Every way to read an input, every function of the library, as many inputs as every device binds, and none. */
function elementwiseDispatches(context: Context): Dispatch[] {
  const output = view([16, 12]);
  const call = (expression: string, ...inputs: Parameters<typeof elementwise>[1]['inputs']) =>
    elementwise(context, { expression, inputs, output });
  const full = () => ({ view: view([192]) });
  const functions = ['sigmoid', 'softplus', 'erf', 'normalCdf', 'normalPdf', 'tanhSafe'];
  return [
    ...elementwise(context, {
      expression: 'T(s0 + s1 * s2 - s3)',
      inputs: [],
      scalars: [1, 2, 3, 4],
      output,
    }),
    ...call('max(a, T(0.0))', full()),
    ...call('a + b', full(), { view: output }),
    ...call('a * b', full(), { view: view([1]), broadcast: { inner: 1, size: 1 } }),
    ...call('a * b', full(), { view: view([16]), broadcast: { inner: 12, size: 16 } }),
    ...call('a * b', full(), { view: view([12]), broadcast: { inner: 1, size: 12 } }),
    ...call(
      'a * b * c',
      full(),
      ...[3, 6].map((size) => ({ view: view([size]), broadcast: { inner: 1, size } })),
    ),
    ...call('a + b + c + d + e + f + g', ...Array.from({ length: 7 }, full)),
    ...functions.flatMap((name) => call(`${name}(a)`, full())),
  ];
}

function matmulDispatches(): Dispatch[] {
  const dispatches: Dispatch[] = [];
  const tiles = MATMUL_TILES.workgroup!.map((tile) => `workgroup ${tile}`);
  for (const variant of [...TILED_VARIANTS, ...tiles, 'quad packed']) {
    const context = contextWithoutGpu(false, { matmul: variant });
    for (const [m, n, k] of [
      [5, 7, 3],
      [8, 8, 8],
      [9, 12, 20], // more than one step of 16 along k, a last step of packed operands that is short
      [2048, 2048, 20], // enough for large tiles
    ] as const) {
      const output = view([m, n]);
      dispatches.push(
        ...packedMatmul(context, {
          a: view([m, k]),
          b: view([k, n]),
          bias: view([n]),
          activation: 'relu',
          output,
        }),
        ...packedMatmul(context, { a: view([m, k]), b: view([n, k]), transposeB: true, output }),
        ...packedMatmul(context, { a: view([k, m]), b: view([k, n]), transposeA: true, output }),
      );
    }
  }
  return dispatches;
}

/** Every variant with windows of taps and single ones, groups, enough outputs for large tiles. The last dispatch of a kernel is interpreted: a small one. */
function convDispatches(): Dispatch[] {
  const dispatches: Dispatch[] = [];
  const tiles = CONV_TILES.workgroup!.map((tile) => `workgroup ${tile}`).reverse();
  for (const variant of [...tiles, ...TILED_VARIANTS]) {
    const context = contextWithoutGpu(false, { conv: variant });
    for (const [n, c, h, w, o, kernel, stride, padding, groups] of [
      [1, 4, 8, 8, 4, 3, 1, 1, 4],
      [4, 3, 32, 30, 16, 7, 2, 3, 1],
      [1, 3, 16, 16, 16, 9, 4, 3, 1],
      [1, 16, 8, 8, 16, 1, 1, 0, 1],
      [32, 512, 32, 32, 256, 3, 1, 1, 1],
      [1, 2, 3, 6, 2, 3, 1, 1, 1], // more than one step of 16 along k
    ] as const) {
      if (tiles.includes(variant) && n > 1) continue; // nor is that one interpreted
      const size = (length: number) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
      const [input, weight] = [
        [n, c, h, w],
        [o, c / groups, kernel, kernel],
      ] as const;
      const output = [n, o, size(h), size(w)];
      const options = { stride: [stride, stride], padding: [padding, padding], groups } as const;
      const norm = { mean: view([o]), factor: view([o]), shift: view([o]) };
      const channels = { bias: view([o]), norm, addend: view(output) };
      dispatches.push(
        ...conv2dInputGradient(context, {
          ...options,
          outputGradient: view(output),
          weight: view(weight),
          output: view(input),
        }),
        ...conv2d(context, {
          ...options,
          ...channels,
          ...{ input: view(input), weight: view(weight), output: view(output), activation: 'relu' },
        }),
        ...conv2dWeightGradient(context, {
          ...options,
          input: view(input),
          outputGradient: view(output),
          output: view(weight),
          scratch: view,
        }),
      );
    }
  }
  return dispatches;
}

/** Every variant with each way to read its operands, few rows and many, and at last enough elements for large tiles. */
function crossMomentsDispatches(): Dispatch[] {
  return TILED_VARIANTS.flatMap((variant) =>
    [
      [3, 5, 9, 7],
      [20, 8, 12, 1], // more than one step of 16 along k
      [20, 8, 3, 1],
      [20, 3, 8, 1],
      [2, 20, 33, 8],
      [2, 4, 4, 8],
      [2, 20, 33, 7],
      [1, 2048, 2048, 1],
    ].flatMap(([outer = 0, channelsA = 0, channelsB = 0, inner = 0]) =>
      crossMoments(contextWithoutGpu(false, { 'cross-moments': variant }), {
        ...{ outer, channelsA, channelsB, inner },
        a: view([outer, channelsA, inner]),
        b: view([outer, channelsB, inner]),
        shiftA: view([channelsA]),
        shiftB: view([channelsB]),
        output: view([channelsA, channelsB]),
        accumulate: true,
        scratch: view,
      }),
    ),
  );
}

/** Every variant, with the two blocks that make one pair, and more than four chunks of a row. */
function singularValueDispatches(): Dispatch[] {
  return TILED_VARIANTS.flatMap((variant) =>
    orthogonaliseRows(contextWithoutGpu(false, { svd: variant }), {
      ...{ matrices: 2, rows: 8, length: 132, stride: 140 },
      ...{ vectors: view([2, 8, 140]), cosines: view([2]) },
    }),
  );
}

function reduceDispatches(context: Context): Dispatch[] {
  const sizes = [
    [2, 300, 3],
    [1, 300, 8],
    [2, 300, 1],
  ] as const;
  const [a, b, output] = [view([1500]), view([1500]), view([2])];
  return [
    ...sizes.flatMap(([outer, size, inner]) =>
      [undefined, view].flatMap((scratch) =>
        sum(context, {
          input: view([outer, size, inner]),
          outer,
          size,
          inner,
          output: view([outer, inner]),
          ...(scratch ? { scratch } : {}),
        }),
      ),
    ),
    ...partialSums(context, { input: a, output }),
    ...partialDots(context, { a, b, output }),
    ...partialSquaredDistances(context, { a, b, output }),
  ];
}

function softmaxDispatches(context: Context): Dispatch[] {
  const [logits, labels, losses, output] = [view([5, 3]), view([5], 'u32'), view([5]), view([5, 3])];
  return [
    ...softmax(context, { logits, output }),
    ...crossEntropy(context, { logits, labels, output: losses }),
    ...crossEntropyGradient(context, { logits, labels, scale: 0.2, output }),
    ...crossEntropyGradient(context, { logits, labels, scale: view([5]), output }),
    ...correct(context, { logits, labels, output: losses }),
  ];
}

function gatherDispatches(context: Context): Dispatch[] {
  const indices = view([6], 'u32');
  return [
    ...[3, 8].flatMap((inner) =>
      gatherAxis(context, {
        input: view([2, 6, inner]),
        outer: 2,
        size: 6,
        inner,
        index: indices,
        output: view([2, 6, inner]),
      }),
    ),
    ...gatherImages(context, {
      images: view([9], 'u32'),
      channels: 1,
      table: view([1, 256]),
      indices,
      start: 0,
      output: view([4, 9]),
    }),
    ...gatherImages(context, {
      images: view([12], 'u32'),
      channels: 1,
      table: view([1, 256]),
      indices,
      start: 0,
      output: view([4, 12]),
    }),
    ...gatherLabels(context, { labels: view([2], 'u32'), indices, start: 0, output: view([4], 'u32') }),
    ...gatherAugmented(context, {
      ...{ images: view([12], 'u32'), channels: 1, height: 4, width: 3, table: view([1, 256]) },
      ...{ indices, start: 0, output: view([4, 12]) },
      ...{ augmentation: { flip: true, crop: 1 }, stream: { key0: 1, key1: 2 } },
    }),
  ];
}

function arenaDispatches(context: Context): Dispatch[] {
  const [a, b, c, d] = Array.from({ length: 4 }, () => [view([64]), view([5])]);
  const adam = {
    parameters: a!,
    gradients: b!,
    firstMoments: c!,
    secondMoments: d!,
    step: 1,
    learningRate: 1,
  };
  return [
    ...interpolate(context, { a: a!, b: b!, output: c!, lambda: 0.5 }),
    ...combine(context, { a: a!, b: b!, c: c!, output: d!, weights: [0.5, 0.3, 0.2] }),
    ...axpy(context, { alpha: 2, x: a!, y: b! }),
    ...scale(context, { alpha: 2, x: a!, output: a! }),
    ...copy(context, { input: a!, output: b! }),
    ...sgdStep(context, { parameters: a!, gradients: b!, learningRate: 1 }),
    ...sgdStep(context, { parameters: a!, gradients: b!, velocities: c!, learningRate: 1, momentum: 0.9 }),
    ...adamStep(context, adam),
    ...adamWStep(context, adam),
  ];
}
