/**
 * Sums of a whole array that decide something (losses, norms, objectives): the GPU makes one partial sum per 1024 elements in a fixed
 * order, the host adds these in f64. With n elements the relative error is about 36 * 2^-24 of sum |term|, whatever n.
 */
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
import template from './partials.wgsl';

const BLOCK = 1024;

function partialsKernel(name: string, inputs: readonly string[], term: string): Kernel {
  const bindings = inputs.map(
    (input, index) => `@group(0) @binding(${index + 1}) var<storage, read> ${input}: array<vec4f>;`,
  );
  bindings.push(`@group(0) @binding(${inputs.length + 1}) var<storage, read_write> output: array<f32>;`);
  return {
    name,
    file: 'src/kernels/reduce/partials.wgsl',
    wgsl: template.replace('// {{bindings}}', bindings.join('\n')).replace('// {{term}}', term),
    bindings: [...inputs.map(() => 'read' as const), 'read_write'],
  };
}

const sums = /* @__PURE__ */ partialsKernel(
  'partial sums',
  ['a'],
  'strand += select(vec4f(0.0), a[v], inside);',
);
const dots = /* @__PURE__ */ partialsKernel(
  'partial dots',
  ['a', 'b'],
  'strand = fma(select(vec4f(0.0), a[v], inside), select(vec4f(0.0), b[v], inside), strand);',
);
const squaredDistances = /* @__PURE__ */ partialsKernel(
  'partial squared distances',
  ['a', 'b'],
  'let d = select(vec4f(0.0), a[v] - b[v], inside); strand = fma(d, d, strand);',
);

/** Number of partials of an array of `count` elements: ceil(count / 1024). */
export function partialCount(count: number): number {
  return Math.ceil(count / BLOCK);
}

/** `output[b] = sum of input[i]` over block b. `output` is f32 [partialCount]. @throws ShapeError when views do not fit. */
export function partialSums(
  _context: Context,
  call: { readonly input: TensorView; readonly output: TensorView },
): Dispatch[] {
  return partials('partialSums', sums, { input: call.input }, call.output);
}

/**
 * `output[b] = sum of a[i] * b[i]` over block b. `output` is f32 [partialCount]. `a` and `b` may be the same view.
 * @throws ShapeError when views do not fit.
 */
export function partialDots(
  _context: Context,
  call: { readonly a: TensorView; readonly b: TensorView; readonly output: TensorView },
): Dispatch[] {
  return partials('partialDots', dots, { a: call.a, b: call.b }, call.output);
}

/** `output[b] = sum of (a[i] - b[i])^2` over block b. `output` is f32 [partialCount]. @throws ShapeError when views do not fit. */
export function partialSquaredDistances(
  _context: Context,
  call: { readonly a: TensorView; readonly b: TensorView; readonly output: TensorView },
): Dispatch[] {
  return partials('partialSquaredDistances', squaredDistances, { a: call.a, b: call.b }, call.output);
}

/** The last step on the host: the sum of the partials in f64, one after another. */
export function sumFloat64(partials: Float32Array): number {
  let total = 0;
  for (const partial of partials) total += partial;
  return total;
}

function partials(
  caller: string,
  kernel: Kernel,
  inputs: Readonly<Record<string, TensorView>>,
  output: TensorView,
): Dispatch[] {
  const views = Object.values(inputs);
  const count = elementCount(views[0]!.shape);
  for (const [name, view] of Object.entries(inputs)) checkView(caller, name, view, 'f32', count);
  checkView(caller, 'output', output, 'f32', partialCount(count));
  checkSeparate(caller, { output }, inputs);
  if (count === 0) return [];
  return [
    {
      kernel,
      views: [...views, output],
      params: packParams('u', count),
      workgroups: linearGrid(Math.ceil(partialCount(count) / 64)),
      work: count * views.length,
    },
  ];
}
