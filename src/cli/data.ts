/** `--data`: the built-in digits or a folder of files, with the normalisation that goes with them; `--split`: a part of the training images. */
import { type Command, InvalidArgumentError } from 'commander';
import { OptionError } from '../base/errors.ts';
import type { ImageDataset } from '../io/dataset.ts';
import { BUILT_IN_DATA, builtInImages, customaryNormalisation } from '../io/known-data.ts';
import { loadImageFolder } from '../io/node-files.ts';
import { biasedHalves, randomParts } from '../io/split.ts';
import type { Normalisation } from '../nn/train/gpu-dataset.ts';
import { type DataOptionValues, normalisationOf, wholeNumber } from './options.ts';

export interface LoadedData {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
  /** Images that statistics are estimated on: the training images unless files were named. */
  readonly statistics: ImageDataset;
  readonly normalisation: Normalisation;
}

/**
 * Loads training and test images; of a built-in data set 10,000 and 2,000, unless `--limit` asks for fewer. Images from files are
 * normalised as is customary (`customaryNormalisation`) unless --mean and --std say otherwise.
 * @param fallback normalisation that a checkpoint names, used where the user gave none.
 */
export async function loadData(options: DataOptionValues, fallback?: Normalisation): Promise<LoadedData> {
  const { data, limit, trainFiles, testFiles, statisticsFiles } = options;
  const chosen = normalisationOf(options) ?? fallback;
  const builtIn = BUILT_IN_DATA[data];
  if (builtIn) {
    const { train, test } = builtInImages(builtIn, limit);
    return { train, test, statistics: train, normalisation: chosen ?? builtIn.normalisation };
  }
  const { train, test, statistics } = await loadImageFolder(data, {
    ...(trainFiles ? { trainFiles } : {}),
    ...(testFiles ? { testFiles } : {}),
    ...(statisticsFiles ? { statisticsFiles } : {}),
    ...(limit ? { limit } : {}),
  });
  const normalisation = chosen ?? customaryNormalisation(train.channels);
  return { train, test, statistics, normalisation };
}

/** A class-biased half, or one of equal random parts. */
type Split = { readonly half: 1 | 2 } | { readonly part: number; readonly parts: number };

export interface SplitOptionValues {
  readonly split?: Split;
  readonly splitSeed?: number;
}

/** `--split`, `--split-seed`. */
export function withSplitOptions(command: Command): Command {
  return command
    .option(
      '--split <part>',
      'train on a part of the images: 1 or 2 is a class-biased half (a fifth of the lower classes and four fifths of the upper ones, ' +
        'or the rest), I/N the I-th of N equal random parts',
      parseSplit,
    )
    .option(
      '--split-seed <n>',
      'seed of how the images are split (default: 0); the parts of one seed are disjoint',
      wholeNumber,
    );
}

function parseSplit(text: string): Split {
  if (text === '1' || text === '2') return { half: text === '1' ? 1 : 2 };
  const [part, parts] = /^(\d{1,9})\/(\d{1,9})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (part === undefined || parts === undefined || part < 1 || part > parts) {
    throw new InvalidArgumentError('expected 1, 2, or I/N with I from 1 to N');
  }
  return { part, parts };
}

/** The part of the training images that the user asked for. */
export function splitOf(dataset: ImageDataset, { split, splitSeed }: SplitOptionValues): ImageDataset {
  if (split === undefined) {
    if (splitSeed !== undefined) throw new OptionError('--split-seed is the seed of --split: give both');
    return dataset;
  }
  const seed = splitSeed ?? 0;
  return 'half' in split
    ? biasedHalves(dataset, seed)[split.half - 1]!
    : randomParts(dataset, split.parts, seed)[split.part - 1]!;
}

/** `train-images... (60000), normalised by mean 0.1307, std 0.3081` */
export function describeData(dataset: ImageDataset, { mean, std }: Normalisation): string {
  return `${dataset.name} (${dataset.count} images), normalised by mean ${mean.join(',')}, std ${std.join(',')}`;
}
