/** Applies a norm whose numbers are known: subtracts a mean, scales, shifts, and may clip at 0, channel by channel, in one pass. */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import { elementwise } from '../elementwise/elementwise.ts';
import { runOf } from '../run.ts';
import type { ChannelSizes } from './channels.ts';
import template from './normalise.wgsl';

/** A norm whose numbers are known, channel by channel: `(x - mean) factor + shift`. */
export interface ChannelNorm {
  /** f32 [C]. */
  readonly mean: TensorView;
  /** f32 [C]. */
  readonly factor: TensorView;
  /** f32 [C]. */
  readonly shift: TensorView;
}

export interface NormaliseCall extends ChannelSizes, ChannelNorm {
  /** f32 [outer, channels, inner]. */
  readonly input: TensorView;
  /** f32 like the input, in another buffer. */
  readonly output: TensorView;
}

function normaliseKernel(name: string, value: string, { added = false, relu = false } = {}): Kernel {
  const declare = (binding: number, access: string, variable: string, type: string) =>
    `@group(0) @binding(${binding}) var<storage, ${access}> ${variable}: array<${type}>;`;
  const others = added ? [declare(5, 'read', 'g', 'vec4f'), declare(6, 'read', 'slope', 'f32')] : [];
  const output = declare(5 + others.length, 'read_write', 'output', 'vec4f');
  return {
    name,
    file: 'src/kernels/norm/normalise.wgsl',
    wgsl: template
      .replace('// {{bindings}}', [...others, output].join('\n'))
      .replace('// {{channel}}', added ? 'let k = vec4f(slope[c]);' : '')
      .replace('// {{value}}', `${value};`)
      // not max: NaN stays NaN
      .replace('// {{result}}', relu ? 'select(y, vec4f(0.0), y <= vec4f(0.0));' : 'y;'),
    bindings: [...Array<'read'>(4 + others.length).fill('read'), 'read_write'],
  };
}

const plainKernel = /* @__PURE__ */ normaliseKernel('normalise', 'fma(x[v] - m, f, s)');
const reluKernel = /* @__PURE__ */ normaliseKernel('normalise, relu', 'fma(x[v] - m, f, s)', { relu: true });
const addedKernel = /* @__PURE__ */ normaliseKernel('normalise, added', 'fma(x[v] - m, f, fma(g[v], k, s))', {
  added: true,
});

/** `output = activation((input - mean[c]) * factor[c] + shift[c])`. @throws ShapeError when views do not fit. */
export function normalise(
  context: Context,
  call: NormaliseCall & { readonly activation?: 'relu' | undefined },
): Dispatch[] {
  const relu = call.activation === 'relu';
  const value = 'fma(a - b, c, d)';
  const expression = relu ? `rectified(${value})` : value;
  const { input, mean, factor, shift } = call;
  const inputs = { input, mean, factor, shift };
  return pass('normalise', context, call, relu ? reluKernel : plainKernel, inputs, expression);
}

/**
 * `output = (input - mean[c]) * factor[c] + shift[c] + added * slope[c]`.
 * @param call.added f32 like the input @param call.slope f32 [channels] @throws ShapeError when views do not fit.
 */
export function normaliseAdded(
  context: Context,
  call: NormaliseCall & { readonly added: TensorView; readonly slope: TensorView },
): Dispatch[] {
  const { input, mean, factor, shift, added, slope } = call;
  const inputs = { input, mean, factor, shift, added, slope };
  const expression = 'fma(a - b, c, fma(e, f, d))';
  return pass('normaliseAdded', context, call, addedKernel, inputs, expression);
}

/** `input` and `added` have an element for each of the output's, the other inputs one for each channel. */
function pass(
  caller: string,
  context: Context,
  { output, outer, channels, inner }: NormaliseCall,
  kernel: Kernel,
  inputs: Readonly<Record<string, TensorView>>,
  expression: string,
): Dispatch[] {
  const count = outer * channels * inner;
  const isFull = (name: string) => name === 'input' || name === 'added';
  checkSizes(caller, { outer, channels, inner });
  checkView(caller, 'output', output, 'f32', count);
  for (const [name, view] of Object.entries(inputs))
    checkView(caller, name, view, 'f32', isFull(name) ? count : channels);
  checkSeparate(caller, { output }, inputs);
  if (count === 0) return [];
  if (inner % 4 !== 0) {
    const broadcast = { inner, size: channels };
    const operands = Object.entries(inputs).map(([name, view]) =>
      isFull(name) ? { view } : { view, broadcast },
    );
    return elementwise(context, { expression, inputs: operands, output });
  }
  const run = runOf(context, 1);
  return [
    {
      kernel,
      views: [...Object.values(inputs), output],
      params: packParams('uuuu', count / 4, run, inner / 4, channels),
      workgroups: linearGrid(Math.ceil(count / 4 / run / 64)),
      work: 2 * count,
    },
  ];
}
