/**
 * Any formula on up to eight tensors, element by element: one kernel made from `elementwise.wgsl` for each expression.
 *
 * A kernel's text depends on the expression and on how each input is read, never on sizes, so a network needs few pipelines.
 */
import { OptionError, ShapeError, UnsupportedError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  linearGrid,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import { runOf } from '../run.ts';
import template from './elementwise.wgsl';
import functions from './functions.wgsl';

/** One input of an elementwise formula. */
export interface ElementwiseInput {
  /** f32. */
  readonly view: TensorView;
  /**
   * Element i of the output reads element `(i / inner) % size` of a view of `size` elements. For an output [N, C, H, W]:
   * per channel `{inner: H*W, size: C}`; for [N, C]: row vector [C] `{inner: 1, size: C}`, column vector [N] `{inner: C, size: N}`;
   * a scalar `{inner: 1, size: 1}`. Default: the view has as many elements as the output.
   */
  readonly broadcast?: { readonly inner: number; readonly size: number };
}

/** A formula and what it is applied to. */
export interface ElementwiseCall {
  /**
   * WGSL for type `T = vec4f`, of the inputs `a`, `b`, ... `h` and the scalars `s0` ... `s3` (f32; write `T(s0)` where a vector is
   * needed), such as `max(a, T(0.0))`. The functions of `functions.wgsl` may be used: `sigmoid`, `softplus`, `erf`, `normalCdf`,
   * `normalPdf`, `tanhSafe`, and `rectified`, ReLU.
   */
  readonly expression: string;
  /** At most eight. May be none: `T(s0)` fills. */
  readonly inputs: readonly ElementwiseInput[];
  /** f32. May be the very view of an input that is not broadcast: then the kernel works in place. */
  readonly output: TensorView;
  /** Values of `s0` ... `s3`. Default: 0. */
  readonly scalars?: readonly number[];
}

const LETTERS = 'abcdefgh';
const MAX_SCALARS = 4;
const LIBRARY = /* @__PURE__ */ Array.from(
  /* @__PURE__ */ functions.matchAll(/^fn (\w+)/gm),
  (match) => match[1]!,
);

/**
 * How an input is read. `full`: like the output. `inPlace`: it is the output. The others are broadcasts: `scalar` (size 1), `splat`
 * (inner a multiple of 4: one element for a whole vec4f), `row` (inner 1, size a multiple of 4: aligned vec4f loads), `any`.
 */
type Pattern = 'full' | 'inPlace' | 'scalar' | 'splat' | 'row' | 'any';

/**
 * `output[i] = expression(a[i], b[i], ...)`.
 *
 * @returns one dispatch, or none when the output is empty.
 * @throws ShapeError when views do not fit; OptionError when the expression names an input or scalar that was not given;
 * UnsupportedError when the device binds fewer storage buffers than there are inputs and outputs.
 */
export function elementwise(context: Context, call: ElementwiseCall): Dispatch[] {
  const { expression, inputs, output, scalars = [] } = call;
  const count = elementCount(output.shape);
  checkView('elementwise', 'output', output, 'f32', count);
  checkExpression(expression, inputs.length, scalars.length);
  const patterns = inputs.map((input, index) => inputPattern(input, LETTERS[index]!, output));
  const bound = inputs.filter((_, index) => patterns[index] !== 'inPlace');
  checkBindingCount(context, bound.length + 1);
  if (count === 0) return [];

  const sizes: number[] = [];
  for (let index = 0; index < LETTERS.length; index++) {
    const broadcast = inputs[index]?.broadcast;
    sizes.push(broadcast?.inner ?? 1, broadcast?.size ?? 1);
  }
  const values = Array.from({ length: MAX_SCALARS }, (_, index) => scalars[index] ?? 0);
  const run = runOf(context, 4);
  return [
    {
      kernel: elementwiseKernel(expression, patterns),
      views: [...bound.map((input) => input.view), output],
      params: packParams(`uffff${'u'.repeat(sizes.length)}u`, count, ...values, ...sizes, run),
      workgroups: linearGrid(Math.ceil(count / (256 * run))),
      work: count,
    },
  ];
}

function inputPattern(input: ElementwiseInput, letter: string, output: TensorView): Pattern {
  const name = `input ${letter}`;
  const count = elementCount(output.shape);
  const { view, broadcast } = input;
  if (!broadcast) {
    checkView('elementwise', name, view, 'f32', count);
    if (view.buffer === output.buffer && view.offset === output.offset) return 'inPlace';
    checkSeparate('elementwise', { output }, { [name]: view });
    return 'full';
  }
  const { inner, size } = broadcast;
  checkSizes('elementwise', { [`inner of ${name}`]: inner, [`size of ${name}`]: size }, 1);
  checkView('elementwise', name, view, 'f32', size);
  checkSeparate('elementwise', { output }, { [name]: view });
  if (count % (inner * size) !== 0) {
    throw new ShapeError(
      `elementwise: broadcast {inner: ${inner}, size: ${size}} of ${name} must divide the output's ${count} elements (shape [${output.shape}])`,
    );
  }
  if (size === 1) return 'scalar';
  if (inner % 4 === 0) return 'splat';
  return inner === 1 && size % 4 === 0 ? 'row' : 'any';
}

function checkExpression(expression: string, inputCount: number, scalarCount: number): void {
  if (inputCount > LETTERS.length || scalarCount > MAX_SCALARS) {
    throw new OptionError(
      `elementwise: takes at most ${LETTERS.length} inputs and ${MAX_SCALARS} scalars, got ${inputCount} and ${scalarCount}; split the expression`,
    );
  }
  for (const [name] of expression.matchAll(/\b(?:[a-h]|s[0-3])\b/g)) {
    const known = name[0] === 's' ? Number(name[1]) < scalarCount : LETTERS.indexOf(name) < inputCount;
    if (!known) {
      throw new OptionError(
        `elementwise: expression "${expression}" names ${name}, but ${inputCount} inputs and ${scalarCount} scalars were given; pass it or leave it out`,
      );
    }
  }
}

function checkBindingCount(context: Context, needed: number): void {
  const limit = context.device.limits.maxStorageBuffersPerShaderStage;
  if (needed > limit) {
    throw new UnsupportedError(
      `elementwise: needs ${needed} storage buffers, this device binds ${limit}; split the expression`,
    );
  }
}

function elementwiseKernel(expression: string, patterns: readonly Pattern[]): Kernel {
  const bindings: string[] = [];
  const loads: string[] = [];
  let binding = 1;
  patterns.forEach((pattern, index) => {
    const letter = LETTERS[index]!;
    const input = `input_${letter}`;
    loads.push(`let ${letter} = ${loadExpression(pattern, letter)};`);
    if (pattern === 'inPlace') return;
    const element = pattern === 'full' || pattern === 'row' ? 'T' : 'f32';
    bindings.push(`@group(0) @binding(${binding++}) var<storage, read> ${input}: array<${element}>;`);
    if (pattern === 'any') bindings.push(gatherFunction(letter));
  });
  const access = Array.from({ length: binding - 1 }, () => 'read' as const);
  bindings.push(`@group(0) @binding(${binding}) var<storage, read_write> output: array<T>;`);
  const usesLibrary = LIBRARY.some((name) => new RegExp(`\\b${name}\\(`).test(expression));
  return {
    name: `elementwise ${expression} (${patterns.join(' ')})`,
    file: 'src/kernels/elementwise/elementwise.wgsl',
    // Replacements are functions, since `$` in a replacement text has a meaning.
    wgsl: template
      .replace('// {{bindings}}', () => bindings.join('\n'))
      .replace('// {{functions}}', () => (usesLibrary ? functions : ''))
      .replace('// {{expression}}', () => [...loads, `let result: T = ${expression};`].join('\n    ')),
    bindings: [...access, 'read_write'],
  };
}

function gatherFunction(letter: string): string {
  const input = `input_${letter}`;
  return `fn gather_${letter}(k: vec4u) -> T { return T(${input}[k.x], ${input}[k.y], ${input}[k.z], ${input}[k.w]); }`;
}

/** The four elements of an input for output elements i .. i + 3, i = 4 v. */
function loadExpression(pattern: Pattern, letter: string): string {
  const input = `input_${letter}`;
  const inner = `params.inner_${letter}`;
  const size = `params.size_${letter}`;
  switch (pattern) {
    case 'full':
      return `${input}[v]`;
    case 'inPlace':
      return 'output[v]';
    case 'scalar':
      return `T(${input}[0])`;
    case 'splat':
      return `T(${input}[(i / ${inner}) % ${size}])`;
    case 'row':
      return `${input}[v % (${size} / 4u)]`;
    case 'any':
      return `gather_${letter}(broadcast_indices(i, ${inner}, ${size}))`;
  }
}
