/**
 * Arithmetic on whole arenas: each function takes lists of windows (`Arena.windows`, or any views) and makes one dispatch a window.
 *
 * The lists must have equal lengths, and windows of equal places equal sizes. All of it maps zeros to zeros, so padding stays zero.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, elementCount, type Kernel, linearGrid, packParams } from '../../runtime/kernel.ts';
import { checkSeparate, checkView, checkWindows, type Windows } from '../checks.ts';
import { elementwise } from '../elementwise/elementwise.ts';
import copyWgsl from './copy.wgsl';

const copyKernel: Kernel = {
  name: 'copy',
  file: 'src/kernels/arena/copy.wgsl',
  wgsl: copyWgsl,
  bindings: ['read', 'read_write'],
};

/**
 * `output = (1 - lambda) a + lambda b`, on the line through two models.
 *
 * Rounding: `s0 = 1 - lambda` is computed in f64 and, like `s1 = lambda`, rounded to f32; the result is `fma(s1, b, s0 * a)`
 * (an adapter may round the product in `fma`, as SwiftShader does).
 * At lambda 0 it is exactly `a` and at lambda 1 exactly `b`, whatever the other holds. `output` may be `a` or `b` itself.
 */
export function interpolate(
  context: Context,
  call: { readonly a: Windows; readonly b: Windows; readonly output: Windows; readonly lambda: number },
): Dispatch[] {
  const { a, b, output, lambda } = call;
  checkWindows('interpolate', { a, b, output });
  return output.flatMap((target, window) =>
    elementwise(context, {
      expression: 'select(select(fma(T(s1), b, s0 * a), b, s1 == 1.0), a, s1 == 0.0)',
      inputs: [{ view: a[window]! }, { view: b[window]! }],
      scalars: [1 - lambda, lambda],
      output: target,
    }),
  );
}

/**
 * `output = weights[0] a + weights[1] b + weights[2] c`, on the plane through three models where the weights' sum is 1.
 *
 * Rounding: the weights are rounded to f32; the result is `fma(s2, c, fma(s1, b, s0 * a))` (an adapter may round the products).
 * Where one weight is 1 and the others are 0 it is exactly that model, whatever the others hold. `output` may be any of the three.
 */
export function combine(
  context: Context,
  call: {
    readonly a: Windows;
    readonly b: Windows;
    readonly c: Windows;
    readonly output: Windows;
    readonly weights: readonly [number, number, number];
  },
): Dispatch[] {
  const { a, b, c, output, weights } = call;
  checkWindows('combine', { a, b, c, output });
  const sum = 'fma(T(s2), c, fma(T(s1), b, s0 * a))';
  return output.flatMap((target, window) =>
    elementwise(context, {
      expression:
        `select(select(select(${sum}, c, s0 == 0.0 && s1 == 0.0 && s2 == 1.0), ` +
        'b, s0 == 0.0 && s1 == 1.0 && s2 == 0.0), a, s0 == 1.0 && s1 == 0.0 && s2 == 0.0)',
      inputs: [a, b, c].map((windows) => ({ view: windows[window]! })),
      scalars: weights,
      output: target,
    }),
  );
}

/** `y = fma(alpha, x, y)`, in place, alpha rounded to f32. */
export function axpy(
  context: Context,
  call: { readonly alpha: number; readonly x: Windows; readonly y: Windows },
): Dispatch[] {
  const { alpha, x, y } = call;
  checkWindows('axpy', { x, y });
  return y.flatMap((target, window) =>
    elementwise(context, {
      expression: 'fma(T(s0), a, b)',
      inputs: [{ view: x[window]! }, { view: target }],
      scalars: [alpha],
      output: target,
    }),
  );
}

/** `output = alpha x`, alpha rounded to f32. `output` may be `x` itself. */
export function scale(
  context: Context,
  call: { readonly alpha: number; readonly x: Windows; readonly output: Windows },
): Dispatch[] {
  const { alpha, x, output } = call;
  checkWindows('scale', { x, output });
  return output.flatMap((target, window) =>
    elementwise(context, {
      expression: 's0 * a',
      inputs: [{ view: x[window]! }],
      scalars: [alpha],
      output: target,
    }),
  );
}

/** `output = input`, bit for bit, for any element type. @throws ShapeError when both lie in one buffer. */
export function copy(
  _context: Context,
  call: { readonly input: Windows; readonly output: Windows },
): Dispatch[] {
  const { input, output } = call;
  checkWindows('copy', { input, output });
  return output.flatMap((target, window) => {
    const source = input[window]!;
    const count = elementCount(target.shape);
    checkView('copy', `window ${window} of input`, source, target.dtype, count);
    checkSeparate('copy', { output: target }, { input: source });
    if (count === 0) return [];
    return [
      {
        kernel: copyKernel,
        views: [source, target],
        params: packParams('u', count),
        workgroups: linearGrid(Math.ceil(count / 1024)),
        work: count,
      },
    ];
  });
}
