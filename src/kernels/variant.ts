/**
 * Which variant of a tiled kernel family (matrix products, convolutions, cross moments, singular values) runs: decided here alone, from
 * the kind of adapter. All variants of a family give the same bits.
 */
import { OptionError, UnsupportedError } from '../base/errors.ts';
import type { Context } from '../runtime/context.ts';

/** The variants of each tiled family, which `context.variants` may name. */
export const TILED_VARIANTS = ['naive', 'register', 'quad', 'workgroup'] as const;
export type TiledVariant = (typeof TILED_VARIANTS)[number];

/** The tiled families, as `context.variants` names them. */
export const TILED_FAMILIES = ['matmul', 'conv', 'cross-moments', 'svd'] as const;

/**
 * `naive` documents the formula, `register` and `quad` are for adapters that compute on the CPU (`quad` where subgroups have exactly
 * four invocations: SwiftShader), `workgroup` is for GPUs. `context.variants[family]` forces one.
 * @param caller the function that asks, for errors.
 * @throws OptionError when `context.variants` names no variant, UnsupportedError when it names `quad` and this adapter has none.
 */
export function chooseVariant(
  context: Context,
  family: (typeof TILED_FAMILIES)[number],
  caller: string,
): TiledVariant {
  const forced = context.variants[family];
  if (forced === undefined) {
    if (!context.software) return 'workgroup';
    return hasQuads(context) ? 'quad' : 'register';
  }
  const variant = TILED_VARIANTS.find((name) => name === forced);
  if (!variant)
    throw new OptionError(`${caller}: no variant "${forced}"; it has ${TILED_VARIANTS.join(', ')}`);
  if (variant === 'quad' && !hasQuads(context)) {
    throw new UnsupportedError(
      `${caller}: variant "quad" needs subgroups of four invocations, which ${context.adapterName} has not; use "register"`,
    );
  }
  return variant;
}

/** Whether `quad` runs here: four neighbouring invocations must be a subgroup of their own, so that no lanes idle. */
export function hasQuads(context: Context): boolean {
  const { subgroupMinSize, subgroupMaxSize } = context.origin.adapterInfo;
  return context.device.features.has('subgroups') && subgroupMinSize === 4 && subgroupMaxSize === 4;
}

/** Workgroups that keep a GPU busy: with fewer 64 x 64 tiles than this, 32 x 32 ones are used. */
export const ENOUGH_WORKGROUPS = 128;

/** Rows of a register tile: the smallest of 1, 4, 8, 16 that takes all of `rows`, but at most `largest`. */
export function fittingRows(rows: number, largest: number): number {
  return [1, 4, 8, 16].find((size) => size >= rows || size === largest)!;
}
