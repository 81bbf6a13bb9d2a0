/**
 * Mean 0 and variance 1 within each sample: over the channels at every position (layer norm as Git Re-Basin has it), or over all
 * elements of each of G groups of channels (group norm; G = 1 is layer norm over a whole sample). And the gradient, and the mean.
 *
 * Positions have kernels of their own, which read a column three times. Groups are contiguous, so that they are channels of a
 * batch of one: their statistics are those of channels.ts, applied element by element.
 */
import { ShapeError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  linearGrid,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';
import { elementwise } from '../elementwise/elementwise.ts';
import { centredChannelSums, channelStatistics, channelSums, type Scratch } from './channels.ts';
import meanWgsl from './mean-columns.wgsl';
import columnsTemplate from './standardise-columns.wgsl';

/** What is put to mean 0 and variance 1 together: all channels of one position, or all elements of one of so many groups. */
export type Together = 'channels' | { readonly groups: number };

interface StandardiseCall {
  /** f32 [N, C, ...] */
  readonly input: TensorView;
  /** f32 of that shape, in another buffer. */
  readonly output: TensorView;
  readonly together: Together;
  readonly scratch: Scratch;
}

const output = (binding: number) =>
  `@group(0) @binding(${binding}) var<storage, read_write> output: array<Element>;`;

/** One text for single positions and one for four neighbours. */
function columnKernels(name: string, file: string, wgsl: string, inputs: number) {
  const bindings = [...Array<'read'>(inputs).fill('read'), 'read_write' as const];
  const path = `src/kernels/norm/${file}`;
  const vectors = wgsl.replace('alias Element = f32;', 'alias Element = vec4f;');
  return {
    singles: { name, file: path, wgsl, bindings },
    vectors: { name: `${name}, vec4f`, file: path, wgsl: vectors, bindings },
  };
}

type ColumnKernels = Readonly<Record<'singles' | 'vectors', Kernel>>;

const forwardKernels = /* @__PURE__ */ columnKernels(
  'standardise columns',
  'standardise-columns.wgsl',
  /* @__PURE__ */ columnsTemplate
    .replace('// {{bindings}}', output(2))
    .replace('// {{begin}}', '')
    .replace('// {{step}}', '')
    .replace('// {{result}}', '(x[at] - mean) * r;'),
  1,
);
const gradientKernels = /* @__PURE__ */ columnKernels(
  'standardise columns, gradient',
  'standardise-columns.wgsl',
  /* @__PURE__ */ columnsTemplate
    .replace('// {{bindings}}', `@group(0) @binding(2) var<storage, read> dy: array<Element>;\n${output(3)}`)
    .replace('// {{begin}}', 'var sum = Element(0.0);\n  var product = Element(0.0);')
    .replace('// {{step}}', 'sum += dy[at];\n    product = fma(dy[at], distance, product);')
    .replace('// {{result}}', 'r * (dy[at] - sum / count - (x[at] - mean) * (product / count / variance));'),
  2,
);
const meanKernels = /* @__PURE__ */ columnKernels('mean of columns', 'mean-columns.wgsl', meanWgsl, 1);

/** `(x - mean) / sqrt(variance + eps)`, mean and biased variance of what belongs together. @throws ShapeError */
export function standardise(context: Context, call: StandardiseCall & { readonly eps: number }): Dispatch[] {
  const caller = 'standardise';
  const { input, output, together, eps, scratch } = call;
  check(caller, { input }, output);
  if (together === 'channels') return columns(forwardKernels, [input], output, 'uuuf', eps);
  const sizes = groupSizes(caller, input, together.groups);
  if (sizes.inner * sizes.channels === 0) return [];
  const [statistics, rows] = twoRows(sizes.channels, scratch);
  return [
    ...channelStatistics(context, { ...sizes, input, output: statistics, row: rows.row, scratch }),
    ...elementwise(context, {
      expression: '(a - b) / sqrt(c + T(s0))',
      inputs: [{ view: input }, ...rows.views.map((view) => perGroup(view, sizes))],
      scalars: [eps],
      output,
    }),
  ];
}

/**
 * The gradient of `standardise` at `input`, applied to `outputGradient`:
 * `r (dy - mean(dy) - y mean(dy y))`, r = 1 / sqrt(variance + eps), y the result. @throws ShapeError
 */
export function standardiseGradient(
  context: Context,
  call: StandardiseCall & { readonly outputGradient: TensorView; readonly eps: number },
): Dispatch[] {
  const caller = 'standardiseGradient';
  const { input, outputGradient, output, together, eps, scratch } = call;
  check(caller, { input, outputGradient }, output);
  if (together === 'channels') return columns(gradientKernels, [input, outputGradient], output, 'uuuf', eps);
  const sizes = groupSizes(caller, input, together.groups);
  if (sizes.inner * sizes.channels === 0) return [];
  const [statistics, known] = twoRows(sizes.channels, scratch);
  const [sums, summed] = twoRows(sizes.channels, scratch);
  return [
    ...channelStatistics(context, { ...sizes, input, output: statistics, row: known.row, scratch }),
    ...centredChannelSums(context, {
      ...sizes,
      a: outputGradient,
      b: input,
      centre: known.views[0]!,
      output: sums,
      row: summed.row,
      scratch,
    }),
    ...elementwise(context, {
      expression: '(a - e * s1 - (b - c) * (f * s1 / (d + T(s0)))) / sqrt(d + T(s0))',
      inputs: [
        { view: outputGradient },
        { view: input },
        ...[...known.views, ...summed.views].map((view) => perGroup(view, sizes)),
      ],
      scalars: [eps, 1 / sizes.inner],
      output,
    }),
  ];
}

/** The mean of what belongs together, in the place of each of its elements. @throws ShapeError */
export function spreadMean(context: Context, call: StandardiseCall): Dispatch[] {
  const caller = 'spreadMean';
  const { input, output, together, scratch } = call;
  check(caller, { input }, output);
  if (together === 'channels') return columns(meanKernels, [input], output, 'uuu');
  const sizes = groupSizes(caller, input, together.groups);
  if (sizes.inner * sizes.channels === 0) return [];
  const sums = scratch([sizes.channels]);
  return [
    ...channelSums(context, { ...sizes, input, output: sums, scratch }),
    ...elementwise(context, {
      expression: 'a * s0',
      inputs: [perGroup(sums, sizes)],
      scalars: [1 / sizes.inner],
      output,
    }),
  ];
}

function check(caller: string, inputs: Readonly<Record<string, TensorView>>, output: TensorView): void {
  const { shape } = output;
  if (shape.length < 2)
    throw new ShapeError(`${caller}: needs tensors [N, C, ...], got shape [${shape}]; reshape the view`);
  for (const [name, view] of Object.entries({ ...inputs, output }))
    checkView(caller, name, view, 'f32', elementCount(shape));
  checkSeparate(caller, { output }, inputs);
}

/** Groups of samples as channels of a batch of one. */
function groupSizes(caller: string, { shape }: TensorView, groups: number) {
  const [n, c, ...space] = shape as [number, number, ...number[]];
  if (!Number.isInteger(groups) || groups < 1 || c % groups !== 0) {
    throw new ShapeError(`${caller}: ${groups} groups must divide the ${c} channels of [${shape}]`);
  }
  return { outer: 1, channels: n * groups, inner: (c / groups) * elementCount(space) };
}

/** Two rows of one value a group, each where a view may start. */
function twoRows(groups: number, scratch: Scratch): [TensorView, { row: number; views: TensorView[] }] {
  const row = Math.ceil(groups / 64) * 64;
  const both = scratch([2, row]);
  const views = [0, 1].map((k) => ({ ...both, offset: both.offset + 4 * k * row, shape: [groups] }));
  return [both, { row, views }];
}

const perGroup = (view: TensorView, { channels, inner }: { channels: number; inner: number }) => ({
  view,
  broadcast: { inner, size: channels },
});

function columns(
  kernels: ColumnKernels,
  inputs: readonly TensorView[],
  output: TensorView,
  format: string,
  ...values: number[]
): Dispatch[] {
  const [n, c, ...rest] = output.shape as [number, number, ...number[]];
  const space = elementCount(rest);
  const width = space % 4 === 0 ? 4 : 1;
  const positions = (n * space) / width;
  if (positions * c === 0) return [];
  return [
    {
      kernel: width === 4 ? kernels.vectors : kernels.singles,
      views: [...inputs, output],
      params: packParams(format, positions, c, space / width, ...values),
      workgroups: linearGrid(Math.ceil(positions / 64)),
      work: 4 * n * c * space,
    },
  ];
}
