/** `rebasin compare`: every way to align and to correct, on one pair of checkpoints. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Checkpoint, modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { completeResult } from '../commands/complete-result.ts';
import {
  endsOf,
  type MatchingChoices,
  matchingSettings,
  type RenormalisationChoices,
  renormalisationSettings,
  uploadMethodImages,
} from '../commands/method-settings.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { type Comparison, checkComparison, compareMethods } from '../rebasin/compare/compare.ts';
import { equallySpaced } from '../rebasin/interpolation/barrier.ts';
import { MATCHING_METHODS } from '../rebasin/matching/match.ts';
import { RENORMALISATIONS, type Renormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { CompareResult, MatchingMethod } from '../report/results.ts';
import { headline, textTables } from '../report/summary.ts';
import { Scope } from '../runtime/scope.ts';
import { readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { modelOption, withMatchingOptions, withRenormalisationSettings } from './method-options.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  pointCount,
  positiveInteger,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { stageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface CompareCommandOptions
  extends AdapterOptionValues,
    DataOptionValues,
    MatchingChoices,
    RenormalisationChoices {
  readonly model?: string;
  readonly methods: readonly MatchingMethod[];
  readonly renormalisations: readonly Renormalisation[];
  readonly points: number;
  readonly on: 'train' | 'test' | 'both';
  readonly seeds: number;
  readonly seed: number;
  readonly out?: string;
}

export function registerCompare(program: Command): void {
  const command = program
    .command('compare')
    .description(
      'Every matching with every re-normalisation on one pair: barriers, accuracy half-way, times, in a table and a picture.',
    )
    .argument('<a>', 'checkpoint A (.safetensors, .pt, .pth or .npz), the reference')
    .argument('<b>', 'checkpoint B, the one to permute')
    .addOption(modelOption())
    .addOption(listOption('--methods <names>', 'matching methods, separated by commas', MATCHING_METHODS))
    .addOption(listOption('--renormalisations <names>', 'corrections, separated by commas', RENORMALISATIONS))
    .option('--points <n>', 'equally spaced values of lambda, ends included, an odd number', pointCount, 11)
    .addOption(
      new Option('--on <split>', 'which images to evaluate on')
        .choices(['train', 'test', 'both'])
        .default('test'),
    )
    .option(
      '--seeds <n>',
      'repeat matchings that depend on a seed (random, straight-through, weight in random order)',
      positiveInteger,
      1,
    )
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withRenormalisationSettings(withMatchingOptions(command));
  withSeedOption(withAdapterOptions(withDataOptions(command))).action(runCompare);
}

/** A list of known names; all of them by default. */
function listOption(flags: string, description: string, known: readonly string[]): Option {
  return new Option(flags, `${description}: ${known.join(', ')} (default: all)`)
    .default(known, 'all')
    .argParser((text: string) => {
      const names = [...new Set(text.split(',').map((name) => name.trim()))];
      const wrong = names.find((name) => !known.includes(name));
      if (wrong !== undefined) {
        throw new InvalidArgumentError(`"${wrong}" is none of ${known.join(', ')}`);
      }
      return names;
    });
}

async function runCompare(pathA: string, pathB: string, options: CompareCommandOptions): Promise<void> {
  const started = performance.now();
  const { methods, renormalisations, preset, seed, seeds } = options;
  const lambda = equallySpaced(options.points);
  checkComparison({ methods, renormalisations, lambda, seeds });
  const matching = matchingSettings(options);
  const renormalisation = renormalisationSettings(options);
  // A correction that spoils the networks themselves must not look as if it left no barrier, unless that is how a code counts.
  const ends = preset ? endsOf(preset) : 'raw';
  const [a, b] = (await readAlike([pathA, pathB], toldBy(options))) as [Checkpoint, Checkpoint];
  const model = modelOfCheckpoint(a, options.model);
  const images = await loadData(options, normalisationOfCheckpoint(a));
  const { normalisation } = images;
  for (const split of ['train', 'test', 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const splits = (['train', 'test'] as const).filter((split) => [split, 'both'].includes(options.on));
    const used = uploadMethodImages(context, new Scope(), images, model, methods, renormalisations, options);
    const data = Object.fromEntries(
      splits.map((split) => [split, new GpuDataset(context, images[split], normalisation)]),
    );
    const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
    const bars = stageBars();
    const found = await compareMethods(context, {
      ...{ model, a: valuesA, b: valuesB, methods, renormalisations, renormalisation, lambda, data },
      ...{ ...matching, ...used, ends, seed, seeds, signal },
      onProgress: ({ done, total, note }) => bars.update('compare', done, total, note),
    }).finally(() => bars.stop());

    const fields = { model: model.name, assumptions: model.assumptions, ...found };
    const digests = [...Object.values(data), ...used.datasets].map(({ digest }) => digest);
    const inputs = {
      a: [...valuesA],
      b: [...valuesB],
      matching,
      renormalisation,
      ends,
      digests,
    };
    const result: CompareResult = {
      ...completeResult(context, 'compare', seed, started, inputs, { ...fields, ...untimed(found) }),
      ...fields,
    };
    const written = options.out ? await writeReport(options.out, result) : [];
    printResult(options.json, result, [
      headline(result),
      '',
      `model       ${result.model}`,
      ...result.assumptions.map((line) => `assumed     ${line}`),
      `equivalence passed, largest difference ${found.equivalence.maxDifference.toExponential(1)} of the largest output`,
      ...splits.map((split) => `${split.padEnd(11)} ${describeData(images[split], normalisation)}`),
      '',
      textTables(result),
      ...written.map((path) => `written ${path}`),
    ]);
  });
}

/** What is the same each time it is run. */
function untimed({ matchings, rows }: Comparison): object {
  return {
    matchings: matchings.map(({ seconds: _, ...matching }) => matching),
    rows: rows.map((row) => ({ ...row, runs: row.runs.map(({ seconds: _, ...run }) => run) })),
  };
}
