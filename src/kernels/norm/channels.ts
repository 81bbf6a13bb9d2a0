/**
 * Reductions of [outer, channels, inner] to one value a channel: sums, sums of centred products, mean and variance.
 *
 * Each channel is cut into chunks of 256 elements, each summed in four lanes (channel-chunks.wgsl); the chunks' results are then put
 * together in a fixed order. The order depends on nothing but the sizes. Error bounds are with the functions; u = 2^-24.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import { expand } from '../matmul/template.ts';
import { sum } from '../reduce/sum.ts';
import chunksTemplate from './channel-chunks.wgsl';
import mergeText from './merge-statistics.wgsl';

/** Gives an f32 view of a shape, in a buffer of its own, that a call may overwrite. */
export type Scratch = (shape: readonly number[]) => TensorView;

export interface ChannelSizes {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** Elements of one chunk, and chunks whose statistics one invocation puts together. */
const CHUNK = 256;
const FAN = 256;

interface Reduction {
  readonly name: string;
  /** Tensors like x, in binding order. */
  readonly inputs: readonly string[];
  /** Vectors of one value a channel, bound after them. */
  readonly vectors: readonly string[];
  readonly begin: string;
  /** With `a`, `b`: four elements of the inputs; elements that do not exist are `missing`. */
  readonly step: string;
  readonly missing: string;
  end(): string;
}

const lanes = (name: string) => `(${name}.x + ${name}.y) + (${name}.z + ${name}.w)`;

const SUMS: Reduction = {
  name: 'channel sums',
  inputs: ['a'],
  vectors: [],
  begin: 'var total = vec4f(0.0);',
  step: 'total += a;',
  missing: 'vec4f(0.0)',
  end: () => `output[p * params.row + c] = ${lanes('total')};`,
};

const CENTRED: Reduction = {
  name: 'centred channel sums',
  inputs: ['a', 'b'],
  vectors: ['centre'],
  begin: 'var total = vec4f(0.0);\n  var product = vec4f(0.0);\n  let middle = vec4f(centre[c]);',
  step: 'total += a;\n    product = fma(a, b - middle, product);',
  missing: 'vec4f(0.0)',
  end: () =>
    `output[2u * p * params.row + c] = ${lanes('total')};\n  output[(2u * p + 1u) * params.row + c] = ${lanes('product')};`,
};

/**
 * Each lane counts from its own first element: the squares it adds up are at most (elements of the lane + 1) times what is left when
 * the mean is taken off, however far from 0 the values lie and whatever the first one is.
 */
const STATISTICS: Reduction = {
  name: 'channel statistics',
  inputs: ['a'],
  vectors: [],
  begin: `let count = end - start;
  let sizes = vec4f((vec4u(count + 3u) - vec4u(0u, 1u, 2u, 3u)) / 4u);
  let reference = first_of(c);
  var shift = vec4f(0.0);
  var total = vec4f(0.0);
  var squares = vec4f(0.0);`,
  step: `if (j == start) {
      shift = a;
    }
    let d = a - shift;
    total += d;
    squares = fma(d, d, squares);`,
  missing: 'shift',
  end: () => `let lane_means = total / max(sizes, vec4f(1.0));
  let lane_squares = max(squares - total * lane_means, vec4f(0.0));
  let means = (shift - reference) + lane_means;
  let weighted = sizes * means;
  let mean = (${lanes('weighted')}) / f32(count);
  let distance = means - mean;
  let all = fma(sizes * distance, distance, lane_squares);
  output[2u * index] = mean;
  output[2u * index + 1u] = ${lanes('all')};`,
};

function chunksKernel(reduction: Reduction, vectors: boolean): Kernel {
  const { name, inputs } = reduction;
  const element = vectors ? 'vec4f' : 'f32';
  let binding = 1;
  const declare = (access: string, variable: string, type: string) =>
    `@group(0) @binding(${binding++}) var<storage, ${access}> ${variable}: array<${type}>;`;
  const bindings = [
    ...inputs.map((input) => declare('read', `input_${input}`, element)),
    ...reduction.vectors.map((vector) => declare('read', vector, 'f32')),
    declare('read_write', 'output', 'f32'),
  ];
  if (reduction === STATISTICS) {
    const at = vectors ? 'c * params.inner / 4u].x' : 'c * params.inner]';
    bindings.push(`fn first_of(c: u32) -> f32 { return input_a[${at}; }`);
  }
  const load = vectors
    ? ['let v = take(4u) / 4u;', ...inputs.map((input) => `let ${input} = input_${input}[v];`)]
    : [
        'let k = vec4u(take(1u), take(1u), take(1u), take(1u));',
        'let inside = vec4u(j) + vec4u(0u, 1u, 2u, 3u) < vec4u(end);',
        ...inputs.map((input) => {
          const four = ['x', 'y', 'z', 'w'].map((lane) => `input_${input}[k.${lane}]`).join(', ');
          return `let ${input} = select(${reduction.missing}, vec4f(${four}), inside);`;
        }),
      ];
  const replacements = {
    bindings,
    begin: [reduction.begin],
    load,
    step: [reduction.step],
    end: [reduction.end()],
  };
  let wgsl: string = chunksTemplate;
  for (const [key, lines] of Object.entries(replacements))
    wgsl = wgsl.replace(`// {{${key}}}`, () => lines.join('\n    '));
  return {
    name: vectors ? `${name}, vec4f` : name,
    file: 'src/kernels/norm/channel-chunks.wgsl',
    wgsl,
    bindings: [
      ...inputs.map(() => 'read' as const),
      ...reduction.vectors.map(() => 'read' as const),
      'read_write',
    ],
  };
}

const bothKernels = (reduction: Reduction) => ({
  vectors: chunksKernel(reduction, true),
  singles: chunksKernel(reduction, false),
});
const sumsKernels = /* @__PURE__ */ bothKernels(SUMS);
const centredKernels = /* @__PURE__ */ bothKernels(CENTRED);
const statisticsKernels = /* @__PURE__ */ bothKernels(STATISTICS);

const mergeKernels = {
  plain: /* @__PURE__ */ mergeKernel('merge channel statistics', false),
  fromOrigin: /* @__PURE__ */ mergeKernel('merge channel statistics from an origin', true),
};

function mergeKernel(name: string, origin: boolean): Kernel {
  return {
    name,
    file: 'src/kernels/norm/merge-statistics.wgsl',
    wgsl: expand(mergeText, { ORIGIN: origin, PLAIN: !origin }),
    bindings: origin ? ['read', 'read', 'read', 'read_write'] : ['read', 'read', 'read_write'],
  };
}

/**
 * `output[c] = sum of input[o, c, i]` over o and i. Error at most (68 + chunks / 256 + 256) u sum |x|.
 * @throws ShapeError when views do not fit.
 */
export function channelSums(
  context: Context,
  call: ChannelSizes & { readonly input: TensorView; readonly output: TensorView; readonly scratch: Scratch },
): Dispatch[] {
  const { input, output, scratch, channels } = call;
  const chunks = checkCall('channelSums', call, { input });
  checkView('channelSums', 'output', output, 'f32', channels);
  checkSeparate('channelSums', { output }, { input });
  return reduceChunks(context, call, chunks, [input], sumsKernels, channels, channels, output, scratch);
}

/**
 * Row 0 of the output: `sum of a[o, c, i]`; row 1: `sum of a[o, c, i] * (b[o, c, i] - centre[c])`. All that the gradient of a
 * normalisation needs to know of a channel, in one pass over both. Error as `channelSums`.
 * @param call.centre f32 [channels] @param call.output f32 [2, row]
 * @param call.row elements of an output row, at least `channels`. Default: `channels`; what lies between is left undefined.
 * @throws ShapeError when views do not fit.
 */
export function centredChannelSums(
  context: Context,
  call: ChannelSizes & {
    readonly a: TensorView;
    readonly b: TensorView;
    readonly centre: TensorView;
    readonly output: TensorView;
    readonly row?: number;
    readonly scratch: Scratch;
  },
): Dispatch[] {
  const caller = 'centredChannelSums';
  const { a, b, centre, output, scratch, channels, row = channels } = call;
  const chunks = checkCall(caller, call, { a, b });
  checkView(caller, 'centre', centre, 'f32', channels);
  checkView(caller, 'output', output, 'f32', 2 * row);
  checkSeparate(caller, { output }, { a, b, centre });
  const views = [a, b, centre];
  return reduceChunks(context, call, chunks, views, centredKernels, row, 2 * row, output, scratch);
}

/**
 * Row 0 of the output: the mean of each channel; row 1: its biased variance, sum of (x - mean)^2 over n = outer * inner. One pass.
 *
 * Values far from 0 lose nothing: elements are counted from the first of their lane, means from the first of their channel. The
 * variance's relative error is at most about 3 * 64 * 65 u = 7e-4 for the worst order of values, and some u for usual ones.
 * @param call.output f32 [2, row] @param call.row as in `centredChannelSums`.
 * @param call.origin f32 [channels], which the means are counted from: row 0 is mean - origin, and where the values lie near the origin
 *   its error is some u of their distance, not of the mean. Default: 0.
 * @throws ShapeError when views do not fit, or when there are no elements.
 */
export function channelStatistics(
  _context: Context,
  call: ChannelSizes & {
    readonly input: TensorView;
    readonly output: TensorView;
    readonly row?: number;
    readonly origin?: TensorView;
    readonly scratch: Scratch;
  },
): Dispatch[] {
  const caller = 'channelStatistics';
  const { input, output, scratch, outer, channels, inner, row = channels, origin } = call;
  checkSizes(caller, { 'the number of elements of a channel': outer * inner }, 1);
  const chunks = checkCall(caller, call, { input });
  checkView(caller, 'output', output, 'f32', 2 * row);
  if (origin) checkView(caller, 'origin', origin, 'f32', channels);
  checkSeparate(caller, { output }, origin ? { input, origin } : { input });
  let partials = scratch([chunks, channels, 2]);
  const dispatches = [chunkDispatch(statisticsKernels, call, chunks, [input], partials, channels)];
  for (let count = chunks, span = CHUNK; ; ) {
    const groups = Math.ceil(count / FAN);
    const target = groups === 1 ? output : scratch([groups, channels, 2]);
    checkSeparate(caller, { target }, { input, partials });
    const last = groups === 1 && origin;
    dispatches.push({
      kernel: last ? mergeKernels.fromOrigin : mergeKernels.plain,
      views: last ? [input, partials, origin, target] : [input, partials, target],
      params: packParams('uuuuuuuu', groups, count, FAN, channels, inner, span, outer * inner, row),
      workgroups: linearGrid(Math.ceil((groups * channels) / 64)),
      work: 16 * count * channels,
    });
    if (groups === 1) return dispatches;
    partials = target;
    count = groups;
    span *= FAN;
  }
}

/** @returns the number of chunks. */
function checkCall(
  caller: string,
  sizes: ChannelSizes,
  inputs: Readonly<Record<string, TensorView>>,
): number {
  const { outer, channels, inner } = sizes;
  checkSizes(caller, { outer });
  checkSizes(caller, { channels, inner }, 1);
  for (const [name, view] of Object.entries(inputs))
    checkView(caller, name, view, 'f32', outer * channels * inner);
  return Math.ceil((outer * inner) / CHUNK);
}

/** Partial rows of `width` elements for each chunk, then their sum. */
function reduceChunks(
  context: Context,
  sizes: ChannelSizes,
  chunks: number,
  views: readonly TensorView[],
  kernels: { readonly vectors: Kernel; readonly singles: Kernel },
  row: number,
  width: number,
  output: TensorView,
  scratch: Scratch,
): Dispatch[] {
  if (chunks === 1) return [chunkDispatch(kernels, sizes, chunks, views, output, row)];
  const partials = scratch([chunks, width]);
  const first = chunks > 0 ? [chunkDispatch(kernels, sizes, chunks, views, partials, row)] : [];
  return [
    ...first,
    ...sum(context, { input: partials, outer: 1, size: chunks, inner: width, output, scratch }),
  ];
}

function chunkDispatch(
  kernels: { readonly vectors: Kernel; readonly singles: Kernel },
  { outer, channels, inner }: ChannelSizes,
  chunks: number,
  views: readonly TensorView[],
  output: TensorView,
  row: number,
): Dispatch {
  return {
    kernel: inner % 4 === 0 ? kernels.vectors : kernels.singles,
    views: [...views, output],
    params: packParams('uuuuuu', channels * chunks, outer * inner, channels, inner, CHUNK, row),
    workgroups: linearGrid(Math.ceil((channels * chunks) / 64)),
    work: 2 * outer * channels * inner,
  };
}
