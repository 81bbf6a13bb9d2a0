/**
 * Presets: the small choices in which the published codes differ, by name. They change numbers, so every result says which was used, and
 * each choice can be overridden.
 *
 * - `git-re-basin` (Ainsworth et al. 2022): weight matching in random orders; activations by the uncentred second moment; 25 points.
 * - `repair` (Jordan et al. 2023): correlation with 1e-4 added to the product of deviations, the last tensor of a stream; REPAIR forward.
 * - `rethink` (Qu and Horvath 2024): as `repair`, batches of 128, corrections inside residual blocks only, ends left as they are.
 * - `reference`: graph order; plain correlation, a stream's similarity summed over all its tensors; statistics of the whole set at once,
 *   which is layer after layer with earlier ones corrected; epsilon 1e-5, the last layer untouched; 11 points. Pruning spares no weight.
 *   (Its variances are divided by the number of values; ours by one less, for models and merge alike, which cancels but for epsilon.)
 */
import type { ActivationSimilarity } from './matching/activation-matching.ts';
import type { PruningScope } from './pruning/prunable-weights.ts';
import type { RenormalisationSettings } from './renormalise/renormalisations.ts';

/** What a preset decides. */
export interface Preset {
  /** Visits of weight matching. */
  readonly order: 'graph' | 'random';
  /** Of activation matching. */
  readonly similarity: ActivationSimilarity;
  /** Of REPAIR and its kin. */
  readonly renormalisation: RenormalisationSettings;
  /** Whether a sweep corrects the ends, too. */
  readonly ends: 'corrected' | 'raw';
  /** Values of lambda. */
  readonly points: number;
  /** Which weights pruning counts and removes. */
  readonly prune: PruningScope;
}

const WHOLE_SET = { form: 'forward', layers: 'hidden', batchSize: 'all', epsilon: 1e-5 } as const;

/** The presets by name; see the top of presets.ts for where each choice comes from. */
export const PRESETS = {
  'git-re-basin': {
    order: 'random',
    similarity: { statistic: 'second-moment' },
    renormalisation: { form: 'forward', layers: 'hidden', batchSize: 250 },
    ends: 'corrected',
    points: 25,
    prune: 'without-shortcuts',
  },
  repair: {
    order: 'graph',
    similarity: { statistic: 'correlation', epsilon: 1e-4, streams: 'last' },
    renormalisation: { form: 'forward', layers: 'hidden', batchSize: 500, epsilon: 1e-5 },
    ends: 'corrected',
    points: 25,
    prune: 'without-shortcuts',
  },
  rethink: {
    order: 'random',
    similarity: { statistic: 'correlation', epsilon: 1e-4, streams: 'last' },
    renormalisation: { form: 'forward', layers: 'blocks', batchSize: 128, epsilon: 1e-5 },
    ends: 'raw',
    points: 11,
    prune: 'without-shortcuts',
  },
  reference: {
    order: 'graph',
    similarity: { statistic: 'correlation', epsilon: 0, streams: 'all' },
    renormalisation: WHOLE_SET,
    ends: 'corrected',
    points: 11,
    prune: 'all',
  },
} as const satisfies Record<string, Preset>;

/** Name of a preset. */
export type PresetName = keyof typeof PRESETS;
