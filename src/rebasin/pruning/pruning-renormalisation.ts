/** Which corrections go with pruning: the dense network takes the place of the models that are merged, with a share of 1. */
import { OptionError } from '../../base/errors.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { findWeightedTaps } from '../../nn/taps.ts';
import { CORRECTIONS } from '../renormalise/correction.ts';
import { chainObstacle, hasBatchNorm } from '../renormalise/layers.ts';
import {
  checkRenormalisation,
  type Renormalisation,
  type RenormalisationSettings,
} from '../renormalise/renormalisations.ts';

/** `auto` takes what Qu and Horvath 2024 found best for the kind of network. */
export const PRUNING_RENORMALISATIONS = ['auto', 'none', 'reset', ...CORRECTIONS] as const;

/** A correction after pruning; `auto` chooses one by the network. */
export type PruningRenormalisation = (typeof PRUNING_RENORMALISATIONS)[number];

/**
 * What `auto` stands for: RESET where there is batch norm, RESCALE in plain chains of ReLU layers, REPAIR in all others; nothing where
 * there is no hidden layer.
 * @throws OptionError or UnsupportedError, with the reason, for a correction that does not go with pruning or with the model.
 */
export function pruningRenormalisation(
  name: PruningRenormalisation,
  model: Model,
  settings: RenormalisationSettings = {},
): Renormalisation {
  if (!PRUNING_RENORMALISATIONS.includes(name)) {
    const known = PRUNING_RENORMALISATIONS.join(', ');
    throw new OptionError(
      `prune: the re-normalisation must be one of ${known}, got "${String(name)}"${(name as string) === 'bias' ? '; calibrating biases by a share of 1 changes nothing' : ''}`,
    );
  }
  const chosen = name === 'auto' ? automatic(model) : name;
  checkRenormalisation(chosen, model, settings);
  if (chosen !== 'none' && chosen !== 'reset' && settings.form === 'closed') {
    throw new OptionError(
      `prune: the closed form of ${chosen} tells what merging does to statistics; what pruning does has to be measured: forward or sequential`,
    );
  }
  return chosen;
}

function automatic(model: Model): Renormalisation {
  if (hasBatchNorm(model)) return 'reset';
  if (findWeightedTaps([forwardGraph(model).logits]).length < 2) return 'none';
  return chainObstacle(model) === undefined ? 'rescale' : 'repair';
}
