/** What pruning is told, and what can be wrong with it: all of it before any work. */
import { OptionError, UnsupportedError } from '../../base/errors.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import {
  measuresStatistics,
  type Renormalisation,
  type RenormalisationSettings,
} from '../renormalise/renormalisations.ts';
import { derivePermutationSpec } from '../spec/permutation-spec.ts';
import { PRUNING_SCOPES, type PruningScope } from './prunable-weights.ts';
import { checkMethod, looksAtImages, type PruningMethod, patternOf } from './pruning-method.ts';
import { type PruningRenormalisation, pruningRenormalisation } from './pruning-renormalisation.ts';

/** How weights are judged and which. */
export interface PruningSettings {
  /** Default: `magnitude`. */
  readonly method?: PruningMethod;
  /** Which weights are judged, counted and removed; `channel` counts these, but removes units everywhere. Default: `without-shortcuts`. */
  readonly scope?: PruningScope;
  /** Images that `fisher`, `woodfisher` and `wanda` look at, the first of `statistics`. Default: 256, or all where there are fewer. */
  readonly samples?: number | undefined;
  /** Of `woodfisher`: neighbouring weights whose interaction counts. Default: 50. */
  readonly blockSize?: number | undefined;
  /** Of `woodfisher`: added to the diagonal of the Fisher information. Default: 1e-5. */
  readonly damping?: number | undefined;
  /** What is done afterwards. Default: `auto`. */
  readonly renormalise?: PruningRenormalisation;
  /** Details of the correction. */
  readonly renormalisation?: RenormalisationSettings;
}

/** Of `pruneNetwork`. */
export interface PruningOptions extends PruningSettings {
  /** The architecture. */
  readonly model: Model;
  /** f32 by name, every entry of the model. Read, never changed. */
  readonly values: HostTensors;
  /** Images that weights are judged on and statistics measured on, where a method or correction needs some. */
  readonly statistics?: GpuDataset | undefined;
  /** Of `random`. Default: 0. */
  readonly seed?: number;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: ((progress: PruningProgress) => void) | undefined;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** How far pruning is. */
export interface PruningProgress {
  /** `judge`: images looked at to judge weights; `prune`: networks made and, for a curve, evaluated. */
  readonly stage: 'judge' | 'prune';
  /** Parts done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
}

/**
 * What can be wrong with pruning and seen without a GPU.
 * @param sparsities each from 0 to 1; none for `N:M`, which has its own.
 * @returns the sparsities, and what `auto` stands for.
 * @throws OptionError for unknown names, numbers out of range or missing images; UnsupportedError where the model does not take the
 * correction, with the reason.
 */
export function checkPruning(
  options: Pick<PruningOptions, 'model' | keyof PruningSettings> & {
    /** Anything but undefined stands for images. */
    readonly statistics?: unknown;
  },
  sparsities: readonly number[] | undefined,
): { readonly sparsities: readonly number[]; readonly renormalise: Renormalisation } {
  const { model, method = 'magnitude', scope = 'without-shortcuts', statistics } = options;
  checkMethod(method);
  if (!PRUNING_SCOPES.includes(scope)) {
    throw new OptionError(`prune: the scope must be one of ${PRUNING_SCOPES.join(', ')}, got "${scope}"`);
  }
  const { samples = 1, blockSize = 1, damping = 1 } = options;
  for (const [name, value] of Object.entries({ samples, blockSize })) {
    if (!Number.isInteger(value) || value < 1)
      throw new OptionError(`prune: ${name} must be a positive integer, got ${value}`);
  }
  if (!(damping > 0 && Number.isFinite(damping)))
    throw new OptionError(`prune: damping must be above 0, got ${damping}`);
  const renormalise = pruningRenormalisation(options.renormalise ?? 'auto', model, options.renormalisation);
  for (const [name, needed] of [
    [method, looksAtImages(method)],
    [renormalise, measuresStatistics(renormalise)],
  ] as const) {
    if (needed && statistics === undefined)
      throw new OptionError(`prune: ${name} looks at activations or gradients, give it images (statistics)`);
  }
  if (method === 'channel' && derivePermutationSpec([forwardGraph(model).logits]).groups.length === 0)
    throw new UnsupportedError(`prune: ${model.name} has no hidden units that could be removed`);
  return { sparsities: checkSparsities(method, sparsities), renormalise };
}

function checkSparsities(
  method: PruningMethod,
  sparsities: readonly number[] | undefined,
): readonly number[] {
  const pattern = patternOf(method);
  if (pattern) {
    if (sparsities !== undefined)
      throw new OptionError(
        `prune: ${method} removes ${pattern.m - pattern.n} of ${pattern.m} weights, so its sparsity is ${1 - pattern.n / pattern.m}; give none`,
      );
    return [1 - pattern.n / pattern.m];
  }
  if (sparsities === undefined || sparsities.length === 0)
    throw new OptionError(`prune: ${method} needs at least one sparsity`);
  const outside = sparsities.find((sparsity) => !(sparsity >= 0 && sparsity <= 1));
  if (outside !== undefined) throw new OptionError(`prune: a sparsity must be from 0 to 1, got ${outside}`);
  return sparsities;
}
