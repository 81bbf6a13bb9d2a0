/** Options that several commands share: one definition each, so that they mean the same everywhere. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { TILED_FAMILIES, TILED_VARIANTS } from '../kernels/variant.ts';
import type { Normalisation } from '../nn/train/gpu-dataset.ts';
import type { Numerics } from '../runtime/kernel.ts';

export interface AdapterOptionValues {
  readonly adapter?: string;
  readonly backend?: string;
  readonly variant?: Readonly<Record<string, string>>;
  readonly numerics?: Numerics;
  readonly json?: boolean;
}

export interface DataOptionValues {
  readonly data: string;
  readonly trainFiles?: readonly string[];
  readonly testFiles?: readonly string[];
  readonly statisticsFiles?: readonly string[];
  readonly limit?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer');
  return value;
}

/** `--points`: both ends, at least. */
export function pointCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 2)
    throw new InvalidArgumentError('expected an integer of at least 2');
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('expected an integer of at least 0');
  return value;
}

export function nonNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('expected a number of at least 0');
  return value;
}

export function positiveNumber(text: string): number {
  const value = nonNegative(text);
  if (value === 0) throw new InvalidArgumentError('expected a number above 0');
  return value;
}

export function unitInterval(text: string): number {
  const value = nonNegative(text);
  if (value > 1) throw new InvalidArgumentError('expected a number from 0 to 1');
  return value;
}

export function numberList(text: string): number[] {
  const values = text.split(',').map(Number);
  if (text.trim() === '' || values.some((value) => !Number.isFinite(value))) {
    throw new InvalidArgumentError('expected numbers separated by commas');
  }
  return values;
}

function nameList(text: string, previous: readonly string[] | undefined): string[] {
  return [
    ...(previous ?? []),
    ...text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  ];
}

const VARIANTS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  TILED_FAMILIES.map((family) => [family, TILED_VARIANTS]),
);

function variantList(text: string, previous: Record<string, string> | undefined): Record<string, string> {
  const variants = { ...previous };
  for (const part of text.split(',')) {
    const [family, variant] = part.split('=');
    const known = VARIANTS[family ?? ''];
    if (!known || !variant || !known.includes(variant)) {
      const list = Object.entries(VARIANTS).map(([name, all]) => `${name}=${all.join('|')}`);
      throw new InvalidArgumentError(`expected ${list.join(' or ')}`);
    }
    variants[family!] = variant;
  }
  return variants;
}

/** `--adapter`, `--backend`, `--variant`, `--numerics`, `--json`. */
export function withAdapterOptions(command: Command): Command {
  return command
    .option('--adapter <name>', 'part of an adapter name, or the path of a Vulkan ICD .json file')
    .option('--backend <name>', 'Dawn backend: vulkan, metal, d3d12, ...')
    .option(
      '--variant <family=variant>',
      'force a kernel variant, such as matmul=naive (same results)',
      variantList,
    )
    .addOption(
      new Option(
        '--numerics <class>',
        'f16 rounds operands of matrix products and convolutions (other results; recorded in them)',
      ).choices(['f32', 'f16']),
    )
    .option('--json', 'print the result as JSON on stdout');
}

/** `--data`, `--train-files`, `--test-files`, `--statistics-files`, `--limit`, `--mean`, `--std`. */
export function withDataOptions(command: Command): Command {
  return command
    .option(
      '--data <folder>',
      'a folder with idx or CIFAR binary files, or "digits" or "colours" (built in)',
      'digits',
    )
    .option('--train-files <names>', 'training files in that folder, in order, separated by commas', nameList)
    .option('--test-files <names>', 'test files in that folder, in order, separated by commas', nameList)
    .option(
      '--statistics-files <names>',
      'files of the images that statistics are estimated on (default: the training images)',
      nameList,
    )
    .option('--limit <n>', 'use only the first n samples of each split', positiveInteger)
    .option(
      '--mean <numbers>',
      'subtracted from pixels / 255, one number or one a channel (default: customary for the data)',
      numberList,
    )
    .option('--std <numbers>', 'divides what --mean left, one number or one a channel', numberList);
}

export function withSeedOption(command: Command): Command {
  return command.option('--seed <n>', 'seed of everything random', wholeNumber, 0);
}

/** What the user said about normalisation; both options or neither. */
export function normalisationOf(values: Pick<DataOptionValues, 'mean' | 'std'>): Normalisation | undefined {
  const { mean, std } = values;
  if ((mean === undefined) !== (std === undefined)) {
    throw new OptionError('--mean and --std: give both or neither');
  }
  return mean && std ? { mean, std } : undefined;
}
