/** The networks that are going to be merged, on the GPU, with whatever the re-normalisation of what lies between them needs. */
import { type Model, stateEntries } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Renormalisation,
  type RenormalisationSettings,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from './renormalisations.ts';
import type { RenormaliserFactory } from './renormaliser.ts';

/** Of `uploadEndpoints`. */
export interface EndpointsOptions {
  /** As users have it. */
  readonly model: Model;
  /** f32 by name, every entry of the model; aligned, where they are to be. */
  readonly networks: readonly HostTensors[];
  /** Which correction. */
  readonly renormalise: Renormalisation;
  /** Its details. */
  readonly settings?: RenormalisationSettings;
  /** Images that statistics are measured on. Needed by all but `none` and `bias`. */
  readonly data?: GpuDataset | undefined;
}

/** Networks on the GPU, ready to be merged and corrected. */
export interface Endpoints {
  /** With the biases that the re-normalisation adds. */
  readonly model: Model;
  /** One a network, in the model's layout. */
  readonly arenas: readonly Arena[];
  /** Makes the re-normaliser of an arena that holds a merged network; undefined for `none`. */
  readonly renormalise: RenormaliserFactory | undefined;
  /** Frees the arenas. */
  destroy(): void;
}

/** @throws OptionError when the re-normalisation is unknown or lacks images. */
export function uploadEndpoints(context: Context, options: EndpointsOptions): Endpoints {
  const { networks, renormalise, settings, data } = options;
  const model = renormalisedModel(renormalise, options.model);
  const layout = new ArenaLayout(stateEntries(model));
  const arenas: Arena[] = [];
  const destroy = () => {
    for (const arena of arenas) arena.destroy();
  };
  try {
    for (const values of networks) {
      const arena = new Arena(context, layout);
      arenas.push(arena);
      arena.write(withZeroBiases(model, values));
    }
    const given = { ...settings, model, endpoints: arenas, data };
    return { model, arenas, renormalise: renormaliserFactory(context, renormalise, given), destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}
