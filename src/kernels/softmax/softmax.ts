/** Softmax of rows of logits, their cross-entropy against class labels and its gradient, and which rows are classified correctly. */
import { ShapeError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkView } from '../checks.ts';
import correctWgsl from './correct.wgsl';
import crossEntropyWgsl from './cross-entropy.wgsl';
import gradientWgsl from './cross-entropy-gradient.wgsl';
import { checkLogits, rowDispatch } from './rows.ts';
import softmaxWgsl from './softmax.wgsl';

/** Logits with their labels. */
export interface LabelledCall {
  /** f32 [N, C], C at least 1. */
  readonly logits: TensorView;
  /** u32 [N], each below C. */
  readonly labels: TensorView;
  /** f32 [N]; the gradient [N, C]. In another buffer than the inputs. */
  readonly output: TensorView;
}

const softmaxKernel: Kernel = {
  name: 'softmax',
  file: 'src/kernels/softmax/softmax.wgsl',
  wgsl: softmaxWgsl,
  bindings: ['read', 'read_write'],
};

const crossEntropyKernel: Kernel = {
  name: 'cross-entropy',
  file: 'src/kernels/softmax/cross-entropy.wgsl',
  wgsl: crossEntropyWgsl,
  bindings: ['read', 'read', 'read_write'],
};

const correctKernel: Kernel = {
  name: 'correct',
  file: 'src/kernels/softmax/correct.wgsl',
  wgsl: correctWgsl,
  bindings: ['read', 'read', 'read_write'],
};

const gradientKernel: Kernel = {
  name: 'cross-entropy gradient',
  file: 'src/kernels/softmax/cross-entropy-gradient.wgsl',
  wgsl: /* @__PURE__ */ gradientWgsl
    .replace('// {{bindings}}', '@group(0) @binding(3) var<storage, read_write> output: array<f32>;')
    .replace('// {{scale}}', 'let scale = params.scale;'),
  bindings: ['read', 'read', 'read_write'],
};

const scaledGradientKernel: Kernel = {
  name: 'cross-entropy gradient, scales in a tensor',
  file: 'src/kernels/softmax/cross-entropy-gradient.wgsl',
  wgsl: /* @__PURE__ */ gradientWgsl
    .replace(
      '// {{bindings}}',
      '@group(0) @binding(3) var<storage, read> scales: array<f32>;\n' +
        '@group(0) @binding(4) var<storage, read_write> output: array<f32>;',
    )
    .replace('// {{scale}}', 'let scale = scales[n * params.scale_stride];'),
  bindings: ['read', 'read', 'read', 'read_write'],
};

/**
 * `output[n, c] = exp(logits[n, c]) / sum over k of exp(logits[n, k])`, without overflow.
 * @param call.logits f32 [N, C], C at least 1. @param call.output f32 [N, C].
 * @throws ShapeError when views do not fit.
 */
export function softmax(
  _context: Context,
  call: { readonly logits: TensorView; readonly output: TensorView },
): Dispatch[] {
  const { logits, output } = call;
  const { rows, classes } = checkLogits('softmax', logits);
  const params = packParams('uu', rows, classes);
  return rowDispatch('softmax', softmaxKernel, { logits }, output, rows * classes, rows, params);
}

/**
 * `output[n] = log(sum over k of exp(logits[n, k])) - logits[n, labels[n]]`, in nats. NaN for a label of C or more.
 * @param call.output f32 [N]. @throws ShapeError when views do not fit.
 */
export function crossEntropy(_context: Context, call: LabelledCall): Dispatch[] {
  return labelled('crossEntropy', crossEntropyKernel, call);
}

/**
 * `output[n] = 1` where the largest of `logits[n, :]` (the first of equals) is at `labels[n]`, else 0; 0 for rows that hold a NaN.
 * @param call.output f32 [N]. @throws ShapeError when views do not fit.
 */
export function correct(_context: Context, call: LabelledCall): Dispatch[] {
  return labelled('correct', correctKernel, call);
}

/**
 * `output[n, c] = (softmax(logits[n, :])[c] - (c == labels[n])) * scale[n]`.
 * @param call.scale a number for all rows (`1 / N` for a mean loss), or an f32 view of N elements (the gradient with respect to
 * each row's loss) or of one. @param call.output f32 [N, C]. @throws ShapeError when views do not fit.
 */
export function crossEntropyGradient(
  _context: Context,
  call: LabelledCall & { readonly scale: number | TensorView },
): Dispatch[] {
  const caller = 'crossEntropyGradient';
  const { logits, labels, scale, output } = call;
  const { rows, classes } = checkLogits(caller, logits);
  checkView(caller, 'labels', labels, 'u32', rows);
  const dispatchOf = (kernel: Kernel, inputs: Record<string, TensorView>, factor: number, stride: number) =>
    rowDispatch(
      caller,
      kernel,
      inputs,
      output,
      rows * classes,
      rows,
      packParams('uufu', rows, classes, factor, stride),
    );
  if (typeof scale === 'number') return dispatchOf(gradientKernel, { logits, labels }, scale, 0);

  const scales = elementCount(scale.shape);
  if (scale.dtype !== 'f32' || (scales !== rows && scales !== 1)) {
    throw new ShapeError(
      `${caller}: scale must be a number or f32 of ${rows} elements or one, got ${scale.dtype} of shape [${scale.shape}]`,
    );
  }
  return dispatchOf(scaledGradientKernel, { logits, labels, scale }, 0, scales === 1 ? 0 : 1);
}

function labelled(caller: string, kernel: Kernel, call: LabelledCall): Dispatch[] {
  const { logits, labels, output } = call;
  const { rows, classes } = checkLogits(caller, logits);
  checkView(caller, 'labels', labels, 'u32', rows);
  return rowDispatch(caller, kernel, { logits, labels }, output, rows, rows, packParams('uu', rows, classes));
}
