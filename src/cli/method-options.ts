/** How models are matched and merged networks corrected: the options of every command that does either. */
import { type Command, Option } from 'commander';
import { type MergingChoices, STRAIGHT_THROUGH_DEFAULTS } from '../commands/method-settings.ts';
import { MATCHING_METHODS } from '../rebasin/matching/match.ts';
import { PRESETS } from '../rebasin/presets.ts';
import { RENORMALISATIONS } from '../rebasin/renormalise/renormalisations.ts';
import { REPAIR_FORMS } from '../rebasin/renormalise/repair.ts';
import type { MatchingMethod } from '../report/results.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  nonNegative,
  positiveInteger,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';

/** What every command has that makes networks of others: how they are matched and corrected, on which images, where, from which seed. */
export interface MergingOptionValues extends AdapterOptionValues, DataOptionValues, MergingChoices {
  readonly model?: string;
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
    .option(
      '--steps <n>',
      'straight-through: training steps',
      positiveInteger,
      STRAIGHT_THROUGH_DEFAULTS.steps,
    )
    .option(
      '--step-rate <x>',
      'straight-through: learning rate',
      nonNegative,
      STRAIGHT_THROUGH_DEFAULTS.stepRate,
    );
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
