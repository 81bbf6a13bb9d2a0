/** How models are matched and merged networks corrected: the options of every command that does either, and what they come to. */
import { type Command, Option } from 'commander';
import { concatDatasets } from '../io/dataset.ts';
import { randomParts } from '../io/split.ts';
import type { Model } from '../nn/models/model.ts';
import { GpuDataset } from '../nn/train/gpu-dataset.ts';
import type { ActivationSimilarity } from '../rebasin/matching/activation-matching.ts';
import {
  MATCHING_METHODS,
  type MatchingOptions,
  type StraightThroughSettings,
} from '../rebasin/matching/match.ts';
import { PRESETS, type Preset, type PresetName } from '../rebasin/presets.ts';
import { hasBatchNorm } from '../rebasin/renormalise/layers.ts';
import {
  measuresStatistics,
  RENORMALISATIONS,
  type Renormalisation,
  type RenormalisationSettings,
} from '../rebasin/renormalise/renormalisations.ts';
import { REPAIR_FORMS } from '../rebasin/renormalise/repair.ts';
import type { MatchingMethod } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import type { LoadedData } from './data.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  nonNegative,
  positiveInteger,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';

export interface MatchingOptionValues {
  readonly preset?: PresetName;
  readonly order?: 'graph' | 'random';
  readonly statistic?: ActivationSimilarity['statistic'];
  readonly read?: ActivationSimilarity['read'];
  readonly streams?: ActivationSimilarity['streams'];
  readonly steps: number;
  readonly stepRate: number;
}

export interface RenormalisationOptionValues {
  readonly preset?: PresetName;
  readonly repairForm?: RenormalisationSettings['form'];
  readonly repairLayers?: RenormalisationSettings['layers'];
  readonly statisticsBatch?: number;
}

interface RenormaliseOptionValues extends RenormalisationOptionValues {
  readonly renormalise: Renormalisation;
}

/** What every command has that makes networks of others: how they are matched and corrected, on which images, where, from which seed. */
export interface MergingOptionValues
  extends AdapterOptionValues,
    DataOptionValues,
    MatchingOptionValues,
    RenormaliseOptionValues {
  readonly model?: string;
  readonly align: MatchingMethod;
  readonly seed: number;
}

/** The options of `MergingOptionValues`. @param align the matching method where the user names none. */
export function withMergingOptions(command: Command, align: MatchingMethod): Command {
  withRenormaliseOptions(
    withMatchingOptions(command.addOption(modelOption()).addOption(methodOption('--align', align))),
  );
  return withSeedOption(withAdapterOptions(withDataOptions(command)));
}

/** `--model`: what a checkpoint leaves open. */
export function modelOption(): Option {
  return new Option('--model <name>', 'what the checkpoints do not say, such as mlp:tanh');
}

/** `--method` or `--align`: the matching method. */
export function methodOption(flag: '--method' | '--align', fallback: MatchingMethod): Option {
  return new Option(`${flag} <method>`, 'how units of B are matched to units of A')
    .choices([...MATCHING_METHODS])
    .default(fallback);
}

/** `--preset`: whose small choices are taken where the user made none. */
export function presetOption(): Option {
  return new Option('--preset <name>', 'small choices as in one of the published codes').choices(
    Object.keys(PRESETS),
  );
}

/** `--preset`, `--order`, `--statistic`, `--read`, `--streams`, `--steps`, `--step-rate`. */
export function withMatchingOptions(command: Command): Command {
  return command
    .addOption(presetOption())
    .addOption(
      new Option('--order <order>', 'weight, straight-through: order of visits (default: graph)').choices([
        'graph',
        'random',
      ]),
    )
    .addOption(
      new Option('--statistic <name>', 'activation: how alike two units are (default: correlation)').choices([
        'correlation',
        'second-moment',
      ]),
    )
    .addOption(
      new Option(
        '--read <where>',
        'activation: after or before the activation function (default: after)',
      ).choices(['after', 'before']),
    )
    .addOption(
      new Option(
        '--streams <tensors>',
        'activation: tensors of a residual stream that count (default: all)',
      ).choices(['all', 'last']),
    )
    .option('--steps <n>', 'straight-through: training steps', positiveInteger, 500)
    .option('--step-rate <x>', 'straight-through: learning rate', nonNegative, 0.005);
}

/** `--renormalise`, and how it is done. */
function withRenormaliseOptions(command: Command): Command {
  return withRenormalisationSettings(
    command.addOption(
      new Option(
        '--renormalise <method>',
        'correct merged networks; reset: batch-norm statistics anew; bias: biases by depth, without data',
      )
        .choices([...RENORMALISATIONS])
        .default('none'),
    ),
  );
}

/** `--repair-form`, `--repair-layers`, `--statistics-batch`. */
export function withRenormalisationSettings(command: Command): Command {
  return command
    .addOption(
      new Option('--repair-form <form>', 'of repair, rescale and reshift (default: forward)').choices([
        ...REPAIR_FORMS,
      ]),
    )
    .addOption(
      new Option('--repair-layers <which>', 'layers to correct (default: hidden)').choices([
        'hidden',
        'all',
        'blocks',
      ]),
    )
    .option(
      '--statistics-batch <n>',
      'images whose statistics are taken together (default: 250)',
      positiveInteger,
    );
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
  values: MatchingOptionValues,
): Required<Pick<MatchingOptions, 'order' | 'similarity'>> {
  const preset = presetOf(values.preset);
  const { statistic, read, streams } = values;
  return {
    order: values.order ?? preset?.order ?? 'graph',
    similarity: {
      ...preset?.similarity,
      ...(statistic ? { statistic } : {}),
      ...(read ? { read } : {}),
      ...(streams ? { streams } : {}),
    },
  };
}

export function renormalisationSettings(values: RenormalisationOptionValues): RenormalisationSettings {
  const { repairForm, repairLayers, statisticsBatch } = values;
  return {
    ...presetOf(values.preset)?.renormalisation,
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
 */
export function uploadMethodImages(
  context: Context,
  images: LoadedData,
  model: Model,
  methods: readonly MatchingMethod[],
  renormalisations: readonly Renormalisation[],
  values: MatchingOptionValues & { readonly seed: number },
): MethodImages {
  const datasets: GpuDataset[] = [];
  const upload = (dataset: LoadedData['train']) => {
    const uploaded = new GpuDataset(context, dataset, images.normalisation);
    datasets.push(uploaded);
    return uploaded;
  };
  const trains = methods.includes('straight-through');
  const needed =
    methods.some((method) => method.startsWith('activation')) ||
    renormalisations.some(measuresStatistics) ||
    (trains && hasBatchNorm(model));
  const statistics = needed ? upload(images.statistics) : undefined;
  let straightThrough: StraightThroughSettings | undefined;
  if (trains) {
    const [chosenOn, ...rest] = randomParts(images.train, 5, values.seed);
    straightThrough = {
      data: upload(concatDatasets(rest)),
      evaluation: upload(chosenOn!),
      reset: hasBatchNorm(model) ? statistics : undefined,
      steps: values.steps,
      learningRate: values.stepRate,
    };
  }
  return { statistics, straightThrough, datasets };
}
