/** Options of `rebasin train` for self-paced training, and how its weights are told. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import type { Recipe } from '../nn/train/recipe.ts';
import type { EpochPace } from '../nn/train/self-paced.ts';
import { REGULARISER_NAMES, type RegulariserName } from '../selfpaced/regularisers.ts';
import { positiveInteger, positiveNumber, unitInterval } from './options.ts';

export interface SelfPacedOptionValues {
  readonly selfPaced?: RegulariserName;
  readonly ageFrom?: number;
  readonly ageTo?: number;
  readonly plainEpochs?: number;
  readonly exponent?: number;
  readonly scale?: number;
}

/** `--self-paced` and what goes with it. */
export function withSelfPacedOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--self-paced <regulariser>',
        'weigh each image by its own loss of the epoch before: the harder, the less, and less so as the age grows',
      ).choices(REGULARISER_NAMES.filter((name) => name !== 'logarithmic')), // its ages end at 1
    )
    .option(
      '--age-from <share>',
      'of --self-paced: the age, as the share of images that are easy enough, of the first weighted epoch (default: 0.5)',
      share,
    )
    .option('--age-to <share>', 'the same of the last epoch; may be below --age-from (default: 1)', share)
    .option(
      '--plain-epochs <n>',
      'of --self-paced: epochs before the first weighted one (default: 1)',
      positiveInteger,
    )
    .option('--exponent <t>', 'of the polynomial regulariser, above 1 (default: 1.5)', positiveNumber)
    .option('--scale <g>', 'of the mixture regulariser (default: 1)', positiveNumber);
}

/** The part of a recipe that these options say. @throws OptionError for the others without `--self-paced`. */
export function selfPacingOf(options: SelfPacedOptionValues): Pick<Recipe, 'selfPaced'> {
  const { selfPaced: regulariser, ageFrom: from, ageTo: to, plainEpochs, exponent, scale } = options;
  const given = Object.entries({ from, to, plainEpochs, exponent, scale }).filter(
    ([, value]) => value !== undefined,
  );
  for (const [name, value, owner] of [
    ['--exponent', exponent, 'polynomial'],
    ['--scale', scale, 'mixture'],
  ] as const) {
    if (regulariser && value !== undefined && regulariser !== owner)
      throw new OptionError(`${name} is of --self-paced ${owner}, and means nothing to ${regulariser}`);
  }
  if (regulariser) return { selfPaced: { regulariser, ...Object.fromEntries(given) } };
  if (given.length === 0) return {};
  throw new OptionError(
    '--age-from, --age-to, --plain-epochs, --exponent and --scale: they say how --self-paced weighs images; give it too',
  );
}

/** To be put after a loss; nothing where all samples count alike. */
export function describePace(pace: EpochPace | undefined): string {
  if (!pace) return '';
  return `  weighted ${(100 * pace.share).toFixed(1)}%, mean weight ${pace.meanWeight.toFixed(3)}`;
}

function share(text: string): number {
  const value = unitInterval(text);
  if (value === 0) throw new InvalidArgumentError('expected a number above 0, up to 1');
  return value;
}
