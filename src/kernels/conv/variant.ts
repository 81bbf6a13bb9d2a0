/** Which variant of the convolution kernels runs: decided here alone, from the kind of adapter. All give the same bits. */
import { OptionError, UnsupportedError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { hasQuads } from '../matmul/matmul.ts';

/** The variants that `context.variants.conv` may name. */
export const CONV_VARIANTS = ['naive', 'register', 'quad', 'workgroup'] as const;
export type ConvVariant = (typeof CONV_VARIANTS)[number];

/**
 * `naive` documents the formula, `register` and `quad` are for adapters that compute on the CPU (`quad` where subgroups have exactly
 * four invocations: SwiftShader), `workgroup` is for GPUs. `context.variants.conv` forces one.
 */
export function chooseVariant(context: Context): ConvVariant {
  const forced = context.variants.conv;
  if (forced === undefined) {
    if (!context.software) return 'workgroup';
    return hasQuads(context) ? 'quad' : 'register';
  }
  const variant = CONV_VARIANTS.find((name) => name === forced);
  if (!variant) throw new OptionError(`conv2d: no variant "${forced}"; it has ${CONV_VARIANTS.join(', ')}`);
  if (variant === 'quad' && !hasQuads(context)) {
    throw new UnsupportedError(
      `conv2d: variant "quad" needs subgroups of four invocations, which ${context.adapterName} has not; use "register"`,
    );
  }
  return variant;
}

/** Workgroups that keep a GPU busy: with fewer 64 x 64 tiles than this, 32 x 32 ones are used. */
export const ENOUGH_WORKGROUPS = 128;

/** Rows of a register tile: the smallest of 1, 4, 8, 16 that takes all of `rows`, but at most `largest`. */
export function fittingRows(rows: number, largest: number): number {
  return [1, 4, 8, 16].find((size) => size >= rows || size === largest)!;
}
