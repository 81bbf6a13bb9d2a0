/** What `rebasin plane` finds: loss and accuracy on the plane through A, B and B permuted, or through A and two others permuted. */
import { OptionError } from '../base/errors.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { GpuDataset } from '../nn/train/gpu-dataset.ts';
import { planeSweep } from '../rebasin/interpolation/plane.ts';
import type { Match } from '../rebasin/matching/match.ts';
import { uploadEndpoints } from '../rebasin/renormalise/endpoints.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { MatchFields, PlaneResult } from '../report/results.ts';
import type { Arena, HostTensors } from '../runtime/arena.ts';
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
import { alignModels, type CommandRequest } from './request.ts';

export interface PlaneRequest extends CommandRequest, MergingChoices {
  /** A, B and, for three, C. */
  readonly checkpoints: readonly Checkpoint[];
  /** Of two checkpoints: what `matchResult` gave for the same choices, to be taken as it is. */
  readonly matched?: Match | undefined;
  /** Points along each axis. */
  readonly grid: number;
  /** Around the triangle, as a part of its larger extent. */
  readonly margin: number;
  /** Which images. */
  readonly on: 'train' | 'test';
}

type Three<T> = readonly [T, T, T];

/**
 * What can be wrong with a plane and seen without images or a GPU.
 * @param request `checkpoints`: how many there are.
 * @throws OptionError where there is no third point, or the correction goes between networks only; what `checkRenormalisation` throws.
 */
export function checkPlane(
  request: Pick<PlaneRequest, 'model' | 'align' | 'renormalise'> & { readonly checkpoints: number },
  renormalisation: ReturnType<typeof renormalisationSettings>,
): void {
  const { align, checkpoints, model, renormalise } = request;
  if (checkpoints < 3 && align === 'none') {
    throw new OptionError(
      '--align none: two checkpoints make no plane; give a third, or an alignment that makes one of B',
    );
  }
  checkRenormalisation(renormalise, model, renormalisation);
  if (renormalise === 'bias') {
    throw new OptionError(
      '--renormalise bias goes between networks; a plane goes beyond them: choose another',
    );
  }
}

/**
 * Sweeps the plane.
 * @returns the result that `rebasin plane` prints, with the same hash.
 * @throws what `checkPlane` throws; OptionError where images are missing; what `matchModels` and `planeSweep` throw.
 */
export async function planeResult(context: Context, request: PlaneRequest): Promise<PlaneResult> {
  const { checkpoints, model, align, renormalise, images, grid, margin, on, seed, signal } = request;
  const matching = matchingSettings(request);
  const renormalisation = renormalisationSettings(request);
  checkPlane({ ...request, checkpoints: checkpoints.length }, renormalisation);
  const dataset = partOf(images, on, 'plane');
  const scope = new Scope();
  try {
    const used = uploadMethodImages(context, scope, images, model, [align], [renormalise], request);
    const values = checkpoints.map(({ state }) => valuesOf(state));
    const matches: Record<string, MatchFields> = {};
    const aligned: HostTensors[] = [];
    for (const [i, name] of ['B', 'C'].slice(0, values.length - 1).entries()) {
      if (align === 'none') break;
      const found = await alignModels(context, {
        ...{ model, a: values[0]!, b: values[i + 1]!, method: align, ...matching, ...used, seed, signal },
        matched: values.length === 2 ? request.matched : undefined,
        stage: values.length === 2 ? 'match' : `match ${name}`,
        onProgress: request.onProgress,
      });
      matches[name] = found.match!;
      aligned.push(found.aligned);
    }
    const { ends, names } = chooseModels(values, aligned);
    const endpoints = scope.own(
      uploadEndpoints(context, {
        ...{ model, networks: ends, renormalise, settings: renormalisation, data: used.statistics },
      }),
    );
    const data = scope.own(new GpuDataset(context, dataset, images.normalisation));
    const plane = await planeSweep(context, {
      ...{ model: endpoints.model, models: endpoints.arenas as unknown as Three<Arena>, names },
      ...{ data: { [on]: data }, gridSize: grid, margin, renormalise: endpoints.renormalise },
      ...(signal ? { signal } : {}),
      onProgress: ({ done, total }) => request.onProgress?.({ stage: 'plane', done, total, note: '' }),
    });

    const fields = {
      model: model.name,
      align,
      renormalise,
      models: plane.models.map((position, i) => ({ name: names[i]!, ...position })),
      grid: { x: plane.x, y: plane.y },
      ...plane.values,
      matches,
    };
    const digests = [data, ...used.datasets].map(({ digest }) => digest);
    const inputs = { values: values.map((each) => [...each]), matching, renormalisation, digests };
    return completeResult(context, 'plane', seed, request.started, inputs, fields);
  } finally {
    scope.destroy();
  }
}

/** The corners of the triangle: of two checkpoints A, B and B permuted, of three A and the others, permuted if they are aligned. */
function chooseModels(
  values: readonly HostTensors[],
  aligned: readonly HostTensors[],
): { readonly ends: readonly HostTensors[]; readonly names: Three<string> } {
  if (values.length === 2) return { ends: [...values, aligned[0]!], names: ['A', 'B', 'pi(B)'] };
  if (aligned.length === 0) return { ends: values, names: ['A', 'B', 'C'] };
  return { ends: [values[0]!, ...aligned], names: ['A', 'pi(B)', 'pi(C)'] };
}
