/** What `rebasin prune` finds: what is left of a network without most of its weights, before and after its statistics are put right. */
import { valuesOf } from '../nn/state-dict.ts';
import { GpuDataset } from '../nn/train/gpu-dataset.ts';
import { PRESETS } from '../rebasin/presets.ts';
import type { PruningScope } from '../rebasin/pruning/prunable-weights.ts';
import { type PrunedNetwork, pruningCurve } from '../rebasin/pruning/prune.ts';
import { looksAtImages, type PruningMethod, patternOf } from '../rebasin/pruning/pruning-method.ts';
import { checkPruning, type PruningProgress } from '../rebasin/pruning/pruning-options.ts';
import type { PruningRenormalisation } from '../rebasin/pruning/pruning-renormalisation.ts';
import { measuresStatistics } from '../rebasin/renormalise/renormalisations.ts';
import type { PruneResult } from '../report/prune-result.ts';
import type { Context } from '../runtime/context.ts';
import { Scope } from '../runtime/scope.ts';
import type { Checkpoint } from './checkpoint.ts';
import { completeResult } from './complete-result.ts';
import { partOf, type RenormalisationChoices, renormalisationSettings } from './method-settings.ts';
import type { CommandRequest } from './request.ts';

/** Where the user names none: those of the published figures that tell most. */
export const DEFAULT_SPARSITIES = [0.5, 0.7, 0.8, 0.9, 0.95] as const;

const STAGES: Readonly<Record<PruningProgress['stage'], string>> = { judge: 'judge weights', prune: 'prune' };

/** How weights are judged, which, and what is done afterwards. */
export interface PruningChoices extends RenormalisationChoices {
  /** How weights are judged. */
  readonly method: PruningMethod;
  /** Default: those of the preset, else `DEFAULT_SPARSITIES`; none for `N:M`. */
  readonly sparsity?: readonly number[];
  /** Default: of the preset, else `without-shortcuts`. */
  readonly scope?: PruningScope;
  /** How what is left is corrected. */
  readonly renormalise: PruningRenormalisation;
  /** Images that weights are judged on. */
  readonly samples?: number;
  /** Of `woodfisher`. */
  readonly blockSize?: number;
  /** Of `woodfisher`. */
  readonly damping?: number;
}

export interface PruneRequest extends CommandRequest, PruningChoices {
  /** The dense network. */
  readonly checkpoint: Checkpoint;
  /** Gets each network as it is in the end. */
  readonly onNetwork?: (network: PrunedNetwork) => void;
}

/**
 * What the choices come to, checked without images or a GPU.
 * @throws what `checkPruning` throws.
 */
export function planPruning({ model, ...choices }: PruningChoices & Pick<PruneRequest, 'model'>) {
  const { method, samples, blockSize, damping } = choices;
  const settings = {
    ...{ model, method, samples, blockSize, damping, renormalise: choices.renormalise },
    scope: choices.scope ?? (choices.preset ? PRESETS[choices.preset].prune : 'without-shortcuts'),
    renormalisation: renormalisationSettings(choices),
  } as const;
  const given = choices.sparsity ?? (patternOf(method) ? undefined : DEFAULT_SPARSITIES);
  return { settings, given, ...checkPruning({ ...settings, statistics: 'images' }, given) };
}

/**
 * Prunes a network to each sparsity and scores what is left on test images.
 * @returns the result that `rebasin prune` prints, with the same hash.
 * @throws what `planPruning` throws; OptionError where images are missing; what `pruningCurve` throws.
 */
export async function pruneResult(context: Context, request: PruneRequest): Promise<PruneResult> {
  const { checkpoint, model, images, method, samples, blockSize, damping, seed, signal } = request;
  const { settings, given, renormalise } = planPruning(request);
  const shown = partOf(images, 'test', 'prune');
  const seen = looksAtImages(method) || measuresStatistics(renormalise);
  const looked = seen ? partOf(images, 'statistics', 'prune') : undefined;
  const owned = new Scope();
  try {
    const { normalisation } = images;
    const test = owned.own(new GpuDataset(context, shown, normalisation));
    const statistics = looked && owned.own(new GpuDataset(context, looked, normalisation));
    const values = valuesOf(checkpoint.state);
    const { dense, curve, weights, scope } = await pruningCurve(context, {
      ...{ ...settings, values, sparsities: given, statistics, images: test, seed, signal },
      onNetwork: request.onNetwork,
      onProgress: ({ stage, done, total }) =>
        request.onProgress?.({ stage: STAGES[stage], done, total, note: '' }),
    });

    const fields = {
      model: model.name,
      assumptions: model.assumptions,
      ...{ method, scope, renormalise },
      ...(looksAtImages(method) ? { samples: samples ?? Math.min(256, looked!.count) } : {}),
      data: { name: shown.name, split: 'test', images: shown.count },
      ...{ weights, dense, curve },
    } as const;
    const inputs = {
      values: [...values],
      ...{ renormalisation: settings.renormalisation, blockSize, damping },
      digests: [test, ...(statistics ? [statistics] : [])].map(({ digest }) => digest),
    };
    return completeResult(context, 'prune', seed, request.started, inputs, fields);
  } finally {
    owned.destroy();
  }
}
