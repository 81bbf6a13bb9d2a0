/** What `rebasin merge` makes: two or many checkpoints as one network, its scores, and a verdict. */
import { limitDataset } from '../io/dataset.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { GpuDataset } from '../nn/train/gpu-dataset.ts';
import { defaultStrategy, type MergedNetwork, mergeNetworks, scoreMerge } from '../rebasin/merging/merge.ts';
import { diagnoseMerge } from '../rebasin/merging/merge-collapse.ts';
import type { MergingMethod } from '../rebasin/merging/merge-models.ts';
import { mergeVerdict } from '../rebasin/merging/merge-verdict.ts';
import type { MergeResult } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import { Scope } from '../runtime/scope.ts';
import type { Checkpoint } from './checkpoint.ts';
import { completeResult } from './complete-result.ts';
import {
  type MergingChoices,
  matchingSettings,
  partOf,
  renormalisationSettings,
  uploadMethodImages,
} from './method-settings.ts';
import type { CommandRequest } from './request.ts';

/** Test images that activations are looked at on, for the verdict. */
const DIAGNOSED = 1000;

export interface MergeRequest extends CommandRequest, MergingChoices {
  /** At least two. */
  readonly checkpoints: readonly Checkpoint[];
  /** Default: `defaultStrategy`. */
  readonly strategy?: MergingMethod | undefined;
  /** The share of the second of two. */
  readonly lambda?: number | undefined;
  /** Whether pairs that need not be matched are, too, for the cycle error. */
  readonly measureCycles?: boolean | undefined;
}

/**
 * Merges networks and scores what came out on test images.
 * @returns the result that `rebasin merge` prints, with the same hash, and the network.
 * @throws OptionError where images are missing; what `mergeNetworks`, `scoreMerge` and `diagnoseMerge` throw.
 */
export async function mergeResult(
  context: Context,
  request: MergeRequest,
): Promise<{ readonly result: MergeResult; readonly merged: MergedNetwork }> {
  const { checkpoints, model, align, renormalise, images, lambda, measureCycles, seed, signal } = request;
  const matching = matchingSettings(request);
  const renormalisation = renormalisationSettings(request);
  const strategy = request.strategy ?? defaultStrategy(checkpoints.length, align);
  const shown = partOf(images, 'test', 'merge');
  const report = (stage: string, done: number, total: number, note = '') =>
    request.onProgress?.({ stage, done, total, note });
  const scope = new Scope();
  try {
    const { normalisation } = images;
    const matches = strategy === 'none' ? 'none' : align;
    const used = uploadMethodImages(context, scope, images, model, [matches], [renormalise], request);
    const test = scope.own(new GpuDataset(context, shown, normalisation));
    const diagnosed = scope.own(new GpuDataset(context, limitDataset(shown, DIAGNOSED), normalisation));
    const models = checkpoints.map(({ state }) => valuesOf(state));
    const common = {
      ...{ model, models, signal },
      onProgress: ({ stage, done, total, note }: Parameters<NonNullable<typeof request.onProgress>>[0]) =>
        report(stage, done, total, note),
    };
    const merged = await mergeNetworks(context, {
      ...{ ...common, ...matching, ...used, method: align, strategy, renormalise, renormalisation, seed },
      ...{ lambda, measureCycles },
    });
    const scores = await scoreMerge(context, { ...common, merged, images: test });
    const collapse = Number.isFinite(scores.merged.loss)
      ? await diagnoseMerge(context, {
          ...{ model, models, merged, scores, images: diagnosed, align: matches, renormalise, signal },
          onProgress: ({ done, total }) => report('look at activations', done, total),
        })
      : undefined;

    const { coefficients, merging, equivalence } = merged;
    const { rounds, converged, distances, objective, cycleError } = merging;
    const verdict = mergeVerdict({
      ...{ model, scores, coefficients, images: test.count, strategy, align, renormalise, collapse },
    });
    const fields = {
      model: merged.model.name,
      assumptions: merged.model.assumptions,
      strategy,
      align: matches,
      renormalise,
      images: test.count,
      test: scores.merged,
      ensemble: scores.ensemble,
      merging: {
        rounds,
        converged,
        distances,
        objective,
        ...(cycleError === undefined ? {} : { cycleError }),
      },
      equivalence,
      permutations: merging.permutations.map((groups) =>
        Object.fromEntries(Object.entries(groups).map(([name, p]) => [name, [...p]])),
      ),
      ...(collapse ? { collapse } : {}),
      verdict,
    };
    const digests = [test, ...used.datasets].map(({ digest }) => digest);
    const inputs = {
      models: models.map((each) => [...each]),
      matching,
      renormalisation,
      coefficients,
      digests,
    };
    // Hashed beside what the result shows: the merged weights themselves.
    const outcome = { scores: scores.models, values: [...merged.values] };
    const result: MergeResult = {
      ...completeResult(context, 'merge', seed, request.started, { ...inputs, outcome }, fields),
      models: checkpoints.map(({ path }, k) => ({
        name: path,
        coefficient: coefficients[k]!,
        test: scores.models[k]!,
      })),
    };
    return { result, merged };
  } finally {
    scope.destroy();
  }
}
