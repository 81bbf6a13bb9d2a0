/**
 * Which variant of a tiled kernel family (matrix products, convolutions, cross moments, singular values) runs: decided here alone, from
 * the kind of adapter. All variants of a family give the same bits.
 */
import { OptionError, UnsupportedError } from '../base/errors.ts';
import type { Context } from '../runtime/context.ts';

/** The variants of each tiled family, which `context.variants` may name. */
export const TILED_VARIANTS = ['naive', 'register', 'quad', 'workgroup'] as const;
export type TiledVariant = (typeof TILED_VARIANTS)[number];

/** The tiled families, as `context.variants` and `context.tuning` name them. */
export const TILED_FAMILIES = ['matmul', 'conv', 'cross-moments', 'svd'] as const;

/** Tiles that a family's variants come in, largest first. A variant that is not named has none to choose from. */
export type TileNames = Partial<Readonly<Record<TiledVariant, readonly string[]>>>;

/** A variant and, where one is asked for, its tile: `workgroup 64x64`. Without one the family takes what suits the sizes. */
export interface Candidate {
  readonly variant: TiledVariant;
  readonly tile?: string;
}

/**
 * `naive` documents the formula, `register` and `quad` are for adapters that compute on the CPU (`quad` where subgroups have exactly
 * four invocations: SwiftShader), `workgroup` is for GPUs. `context.variants[family]` forces one, `context.tuning` knows what was
 * fastest here for sizes like these.
 * @param caller the function that asks, for errors.
 * @param tiles those of the family, if it has any.
 * @param sizes as `shapeClass` writes them, if the family is tuned; asked for when something was tuned.
 * @throws OptionError when `context.variants` names no variant, UnsupportedError when it names `quad` and this adapter has none.
 */
export function chooseVariant(
  context: Context,
  family: (typeof TILED_FAMILIES)[number],
  caller: string,
  tiles: TileNames = {},
  sizes = () => '',
): Candidate {
  const { variants, tuning } = context;
  const name = variants[family] ?? (tuning.size > 0 ? tuning.get(`${family} ${sizes()}`) : undefined);
  if (name === undefined) {
    if (!context.software) return { variant: 'workgroup' };
    return { variant: hasQuads(context) ? 'quad' : 'register' };
  }
  const [first, tile] = name.split(' ');
  const variant = TILED_VARIANTS.find((known) => known === first);
  if (!variant) throw new OptionError(`${caller}: no variant "${name}"; it has ${TILED_VARIANTS.join(', ')}`);
  if (tile !== undefined && !tiles[variant]?.includes(tile)) {
    throw new OptionError(
      `${caller}: variant "${variant}" has no tile "${tile}"; it has ${tiles[variant]?.join(', ') ?? 'none to choose from'}`,
    );
  }
  if (variant === 'quad' && !hasQuads(context)) {
    throw new UnsupportedError(
      `${caller}: variant "quad" needs subgroups of four invocations, which ${context.adapterName} has not; use "register"`,
    );
  }
  return tile === undefined ? { variant } : { variant, tile };
}

/** What may run on this kind of adapter, as `context.tuning` names it. Software adapters take too long to compile `workgroup`. */
export function candidates(context: Context, tiles: TileNames): string[] {
  const variants: TiledVariant[] = !context.software ? ['workgroup', 'register'] : ['register'];
  if (hasQuads(context) && context.software) variants.unshift('quad');
  return variants.flatMap((variant) => tiles[variant]?.map((tile) => `${variant} ${tile}`) ?? [variant]);
}

/** Sizes that should want the same candidate: each rounded to a power of two, after the names of what else counts. */
export function shapeClass(traits: string, ...sizes: readonly number[]): string {
  const rounded = sizes.map((size) => {
    let power = 1;
    while (2 * power * power < size * size) power *= 2;
    return power;
  });
  return [traits, ...rounded].join(' ');
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
