/** Pruning methods by name. */
import { OptionError } from '../../base/errors.ts';

/**
 * How unimportant weights are told:
 * - `magnitude`, `magnitude-per-layer`: |w|, compared over the whole network or within each layer;
 * - `random`: a number for each weight, from the seed;
 * - `fisher`: w^2 F / 2, F the diagonal of the empirical Fisher information (what the loss is expected to rise by, to second order; LeCun
 *   et al. 1990, "Optimal brain damage");
 * - `woodfisher`: w^2 / (2 [F^-1]_ii), F in diagonal blocks (Singh and Alistarh 2020, "WoodFisher"), without update of other weights;
 * - `wanda`: |w| times the norm of its input, compared within each output (Sun et al. 2023, "A simple and effective pruning approach");
 * - `channel`: whole units by the norm of their incoming weights, within each group of units that stand or fall together;
 * - `N:M`, such as `2:4`: of each M neighbours along the input axis the N largest stay.
 */
export type PruningMethod = (typeof PRUNING_METHODS)[number] | NofM;

/** Keeps N of M neighbours, such as `2:4`. */
export type NofM = `${number}:${number}`;

/** Their names, as options take them; `N:M` such as `2:4` beside. */
export const PRUNING_METHODS = [
  'magnitude',
  'magnitude-per-layer',
  'random',
  'fisher',
  'woodfisher',
  'wanda',
  'channel',
] as const;

/** @throws OptionError unless it is a method. */
export function checkMethod(method: PruningMethod): void {
  if ((PRUNING_METHODS as readonly string[]).includes(method) || patternOf(method)) return;
  throw new OptionError(
    `prune: the method must be one of ${PRUNING_METHODS.join(', ')}, or N:M with 1 <= N < M such as 2:4, got "${method}"`,
  );
}

/** N and M of a method `N:M`; undefined for all others. */
export function patternOf(method: PruningMethod): { readonly n: number; readonly m: number } | undefined {
  const [, n, m] = /^([1-9]\d{0,5}):([1-9]\d{0,5})$/.exec(method) ?? [];
  return n !== undefined && Number(n) < Number(m) ? { n: Number(n), m: Number(m) } : undefined;
}

/** Whether a method looks at images. */
export function looksAtImages(method: PruningMethod): boolean {
  return method === 'fisher' || method === 'woodfisher' || method === 'wanda';
}
