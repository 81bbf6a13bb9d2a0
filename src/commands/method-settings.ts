/** How models are matched and merged networks corrected: what users choose, what their choices come to, and the images that it takes. */
import { OptionError } from '../base/errors.ts';
import { concatDatasets, type ImageDataset } from '../io/dataset.ts';
import { randomParts } from '../io/split.ts';
import type { Model } from '../nn/models/model.ts';
import { GpuDataset, type Normalisation } from '../nn/train/gpu-dataset.ts';
import type { ActivationSimilarity } from '../rebasin/matching/activation-matching.ts';
import type { MatchingOptions, StraightThroughSettings } from '../rebasin/matching/match.ts';
import { PRESETS, type Preset, type PresetName } from '../rebasin/presets.ts';
import { hasBatchNorm } from '../rebasin/renormalise/layers.ts';
import {
  measuresStatistics,
  type Renormalisation,
  type RenormalisationSettings,
} from '../rebasin/renormalise/renormalisations.ts';
import type { MatchingMethod } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import type { Scope } from '../runtime/scope.ts';

export interface MatchingChoices {
  /** Whose small choices are taken where none is made here. */
  readonly preset?: PresetName;
  /** Of weight matching. Default: the preset's, else `graph`. */
  readonly order?: 'graph' | 'random';
  /** Of activation matching. Default: the preset's, else `correlation`. */
  readonly statistic?: ActivationSimilarity['statistic'];
  /** Of activation matching. Default: the preset's, else `after`. */
  readonly read?: ActivationSimilarity['read'];
  /** Of activation matching. Default: the preset's, else `all`. */
  readonly streams?: ActivationSimilarity['streams'];
  /** Of straight-through matching. Default: 500. */
  readonly steps?: number;
  /** Of straight-through matching: its learning rate. Default: 0.005. */
  readonly stepRate?: number;
}

/** How merged networks are corrected, as users say it; what is left out comes from the preset. */
export interface RenormalisationChoices {
  /** Whose small choices are taken where none is made here. */
  readonly preset?: PresetName;
  /** Of REPAIR and its kin. */
  readonly repairForm?: RenormalisationSettings['form'];
  /** Which layers are corrected. */
  readonly repairLayers?: RenormalisationSettings['layers'];
  /** Images a batch while statistics are measured. */
  readonly statisticsBatch?: number;
}

/** What every command takes that makes networks of others. */
export interface MergingChoices extends MatchingChoices, RenormalisationChoices {
  /** How units are matched. */
  readonly align: MatchingMethod;
  /** How what comes out is corrected. */
  readonly renormalise: Renormalisation;
}

/** Of straight-through matching, where the user makes no choice. */
export const STRAIGHT_THROUGH_DEFAULTS = { steps: 500, stepRate: 0.005 } as const;

/** The images that a command looks at; a part that is not there is missed only by what needs it. */
export interface CommandImages {
  /** Training images. */
  readonly train?: ImageDataset | undefined;
  /** Test images. */
  readonly test?: ImageDataset | undefined;
  /** Images that statistics are estimated on: the training images, as a rule. */
  readonly statistics?: ImageDataset | undefined;
  /** Of all of them. */
  readonly normalisation: Normalisation;
}

/** A part of the images. @throws OptionError where it is missing. */
export function partOf(
  images: CommandImages,
  part: 'train' | 'test' | 'statistics',
  caller: string,
): ImageDataset {
  const found = images[part];
  if (found) return found;
  const what = { train: 'training images', test: 'test images', statistics: 'images to take statistics on' };
  throw new OptionError(`${caller}: expected ${what[part]}, got none; give their files as well`);
}

function presetOf(name: PresetName | undefined): Preset | undefined {
  return name && PRESETS[name];
}

/** Points of lambda where the user gave none. */
export function defaultPoints(name: PresetName | undefined): number {
  return presetOf(name)?.points ?? 25;
}

/** Whether ends of a sweep are corrected. */
export function endsOf(name: PresetName | undefined): Preset['ends'] {
  return presetOf(name)?.ends ?? 'corrected';
}

/** Order and similarity: what the user said, else what the preset says. */
export function matchingSettings(
  choices: MatchingChoices,
): Required<Pick<MatchingOptions, 'order' | 'similarity'>> {
  const preset = presetOf(choices.preset);
  const { statistic, read, streams } = choices;
  return {
    order: choices.order ?? preset?.order ?? 'graph',
    similarity: {
      ...preset?.similarity,
      ...(statistic ? { statistic } : {}),
      ...(read ? { read } : {}),
      ...(streams ? { streams } : {}),
    },
  };
}

export function renormalisationSettings(choices: RenormalisationChoices): RenormalisationSettings {
  const { repairForm, repairLayers, statisticsBatch } = choices;
  return {
    ...presetOf(choices.preset)?.renormalisation,
    ...(repairForm ? { form: repairForm } : {}),
    ...(repairLayers ? { layers: repairLayers } : {}),
    ...(statisticsBatch ? { batchSize: statisticsBatch } : {}),
  };
}

/** The images that methods look at, uploaded once and only where a method needs them. */
export interface MethodImages {
  readonly statistics: GpuDataset | undefined;
  readonly straightThrough: StraightThroughSettings | undefined;
  /** Everything uploaded. */
  readonly datasets: readonly GpuDataset[];
}

/**
 * Uploads what the methods look at. Straight-through matching trains on four fifths of the training images and compares its candidates
 * on the last; which is which depends on the seed.
 * @param scope frees what was uploaded.
 * @throws OptionError where images are missing.
 */
export function uploadMethodImages(
  context: Context,
  scope: Scope,
  images: CommandImages,
  model: Model,
  methods: readonly MatchingMethod[],
  renormalisations: readonly Renormalisation[],
  choices: MatchingChoices & { readonly seed: number },
): MethodImages {
  const datasets: GpuDataset[] = [];
  const upload = (dataset: ImageDataset) => {
    const uploaded = scope.own(new GpuDataset(context, dataset, images.normalisation));
    datasets.push(uploaded);
    return uploaded;
  };
  const trains = methods.includes('straight-through');
  const needed =
    methods.some((method) => method.startsWith('activation')) ||
    renormalisations.some(measuresStatistics) ||
    (trains && hasBatchNorm(model));
  const statistics = needed ? upload(partOf(images, 'statistics', 'matching and correcting')) : undefined;
  let straightThrough: StraightThroughSettings | undefined;
  if (trains) {
    const [chosenOn, ...rest] = randomParts(partOf(images, 'train', 'straight-through'), 5, choices.seed);
    straightThrough = {
      data: upload(concatDatasets(rest)),
      evaluation: upload(chosenOn!),
      reset: hasBatchNorm(model) ? statistics : undefined,
      steps: choices.steps ?? STRAIGHT_THROUGH_DEFAULTS.steps,
      learningRate: choices.stepRate ?? STRAIGHT_THROUGH_DEFAULTS.stepRate,
    };
  }
  return { statistics, straightThrough, datasets };
}
