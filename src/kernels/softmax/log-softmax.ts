/** Logarithms of the softmax of rows of logits. */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, packParams, type TensorView } from '../../runtime/kernel.ts';
import wgsl from './log-softmax.wgsl';
import { checkLogits, rowDispatch } from './rows.ts';

const kernel: Kernel = {
  name: 'log-softmax',
  file: 'src/kernels/softmax/log-softmax.wgsl',
  wgsl,
  bindings: ['read', 'read_write'],
};

/**
 * `output[n, c] = log(softmax(logits[n, :])[c])`, finite wherever the logits are.
 * @param call.logits f32 [N, C], C at least 1. @param call.output f32 [N, C].
 * @throws ShapeError when views do not fit.
 */
export function logSoftmax(
  _context: Context,
  call: { readonly logits: TensorView; readonly output: TensorView },
): Dispatch[] {
  const { logits, output } = call;
  const { rows, classes } = checkLogits('logSoftmax', logits);
  const params = packParams('uu', rows, classes);
  return rowDispatch('logSoftmax', kernel, { logits }, output, rows * classes, rows, params);
}
