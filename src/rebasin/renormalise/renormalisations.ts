/** Every re-normalisation by its name: what users choose from, and how each is made for an arena that holds merged models. */
import { OptionError } from '../../base/errors.ts';
import { type Model, stateEntries } from '../../nn/models/model.ts';
import { withBiases } from '../../nn/models/with-biases.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena, HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { BiasCalibration } from './bias-calibration.ts';
import { CORRECTIONS, type Correction, needsBias } from './correction.ts';
import { type CorrectedLayers, plainChain } from './layers.ts';
import type { RenormaliserFactory } from './renormaliser.ts';
import { Repair, type RepairForm, repairedLayers } from './repair.ts';
import { BatchNormReset, checkReset } from './reset.ts';

/** `none`; `reset` (batch norm); REPAIR and its parts; `bias`: bias calibration, without data. */
export const RENORMALISATIONS = ['none', 'reset', ...CORRECTIONS, 'bias'] as const;

/** Name of a correction. */
export type Renormalisation = (typeof RENORMALISATIONS)[number];

/** The choices in which published codes differ. */
export interface RenormalisationSettings {
  /** Of REPAIR and its parts. Default: `forward`. */
  readonly form?: RepairForm;
  /** Default: `hidden`. */
  readonly layers?: CorrectedLayers;
  /** Images whose statistics are taken together, fewer where a binding holds fewer; `all` of them in one batch. Default: 250. */
  readonly batchSize?: number | 'all';
  /** Added to variances. Default: 1e-5. */
  readonly epsilon?: number;
}

export interface RenormaliserOptions extends RenormalisationSettings {
  /** As `renormalisedModel` gives it. */
  readonly model: Model;
  /** The aligned models, in arenas of the merged one's layout; only read. */
  readonly endpoints: readonly Arena[];
  /** Images that statistics are measured on. Needed by all but `none` and `bias`. */
  readonly data?: GpuDataset | undefined;
}

/** Whether a re-normalisation measures statistics, for which it needs images. */
export function measuresStatistics(name: Renormalisation): boolean {
  return name !== 'none' && name !== 'bias';
}

/** Whether a re-normalisation looks at the models that were merged, and not at the merged network alone. */
export function looksAtModels(name: Renormalisation): boolean {
  return name === 'bias' || isCorrection(name);
}

/**
 * Whether a re-normalisation can be done on a model, without a GPU.
 * @param model as users have it: `renormalisedModel` adds the biases that it needs.
 * @throws OptionError for an unknown name; UnsupportedError with the reason why not.
 */
export function checkRenormalisation(
  name: Renormalisation,
  model: Model,
  { layers = 'hidden' }: RenormalisationSettings = {},
): void {
  checkName(name);
  if (name === 'reset') checkReset(model);
  if (name === 'bias') plainChain('bias calibration', model);
  // Of all corrections the one that needs no bias: those of the others will be added.
  if (isCorrection(name)) repairedLayers(model, 'rescale', layers);
}

/** How a re-normaliser of that name is made; undefined for `none`. @throws OptionError when it needs data and there are none. */
export function renormaliserFactory(
  context: Context,
  name: Renormalisation,
  options: RenormaliserOptions,
): RenormaliserFactory | undefined {
  const { model, endpoints, data, form, layers, epsilon } = options;
  checkName(name);
  if (name === 'none') return undefined;
  if (name === 'bias') return (merged) => new BiasCalibration(context, merged, model, endpoints);
  if (!data) throw new OptionError(`renormalise: ${name} measures statistics, give it images`);
  const batchSize = options.batchSize === 'all' ? data.count : (options.batchSize ?? 250);
  if (name === 'reset') return (merged) => new BatchNormReset(context, model, merged, data, batchSize);
  return (merged) =>
    new Repair(context, merged, {
      model,
      endpoints,
      data,
      correction: name,
      batchSize,
      ...(form ? { form } : {}),
      ...(layers ? { layers } : {}),
      ...(epsilon === undefined ? {} : { epsilon }),
    });
}

/** The model that a re-normalisation leaves: with a bias in every layer where results are shifted. */
export function renormalisedModel(name: Renormalisation, model: Model): Model {
  return isCorrection(name) && needsBias(name) ? withBiases(model) : model;
}

/** A model's values with zeros for what they lack: the biases that `renormalisedModel` added. The arrays are the given ones. */
export function withZeroBiases(model: Model, values: HostTensors): Map<string, Float32Array> {
  return new Map(
    stateEntries(model).map(({ name, shape }) => [
      name,
      values.get(name) ?? new Float32Array(elementCount(shape)),
    ]),
  );
}

function checkName(name: Renormalisation): void {
  if (RENORMALISATIONS.includes(name)) return;
  throw new OptionError(`renormalise: expected one of ${RENORMALISATIONS.join(', ')}, got "${String(name)}"`);
}

function isCorrection(name: Renormalisation): name is Correction {
  return (CORRECTIONS as readonly string[]).includes(name);
}
