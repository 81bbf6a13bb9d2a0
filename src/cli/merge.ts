/** `rebasin merge`: two or many checkpoints into one, with a verdict. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { checkpointOf, modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { mergeResult } from '../commands/merge.ts';
import { renormalisationSettings } from '../commands/method-settings.ts';
import { expectWritable, writeBytes } from '../io/node-files.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import { checkMerge, defaultStrategy } from '../rebasin/merging/merge.ts';
import { MERGING_METHODS, type MergingMethod } from '../rebasin/merging/merge-models.ts';
import { mergeSentence } from '../report/merge-summary.ts';
import type { MergeResult } from '../report/results.ts';
import { textTables } from '../report/summary.ts';
import { readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { type MergingOptionValues, withMergingOptions } from './method-options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { withStageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface MergeCommandOptions extends MergingOptionValues {
  readonly strategy?: MergingMethod;
  readonly lambda?: number;
  readonly measureCycles?: boolean;
  readonly out?: string;
  readonly report?: string;
}

export function registerMerge(program: Command): void {
  const command = program
    .command('merge')
    .description(
      'Merge two or more checkpoints into one network: align their units, average the weights, correct the mean; score it, and say how it did.',
    )
    .argument('<checkpoints...>', 'at least two checkpoints (.safetensors, .pt, .pth or .npz)')
    .addOption(
      new Option(
        '--strategy <name>',
        'which models are matched to which (default: cycle-consistent for more than two by weight, else reference)',
      ).choices([...MERGING_METHODS]),
    )
    .option('--lambda <x>', 'share of the second of two checkpoints (default: 0.5)', shareOf)
    .option(
      '--measure-cycles',
      'also match all other pairs, to see how far their matchings contradict each other',
    )
    .option('--out <file>', 'where to write the merged network (.safetensors)')
    .option('--report <path>', 'a folder for result.json and index.html, or a .json file');
  withMergingOptions(command, 'weight').action(runMerge);
}

function shareOf(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('expected a number from 0 to 1');
  }
  return value;
}

async function runMerge(paths: readonly string[], options: MergeCommandOptions): Promise<void> {
  const started = performance.now();
  const { align, renormalise, lambda } = options;
  if (paths.length < 2)
    throw new OptionError(`merge: expected at least two checkpoints, got ${paths.length}; name more`);
  const renormalisation = renormalisationSettings(options);
  const checkpoints = await readAlike(paths, toldBy(options));
  const first = checkpoints[0]!;
  const model = modelOfCheckpoint(first, options.model);
  const strategy = options.strategy ?? defaultStrategy(paths.length, align);
  checkMerge({
    ...{ model, models: checkpoints, strategy, method: align, renormalise, renormalisation },
    ...(lambda === undefined ? {} : { lambda }),
    statistics: 'what --data gives',
    straightThrough: 'what --data gives',
  });
  const images = await loadData(options, normalisationOfCheckpoint(first));
  for (const split of ['train', 'test', 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await expectWritable(options.out);
  if (options.report) await prepareReport(options.report);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const { result: found, merged } = await withStageBars((onProgress) =>
      mergeResult(context, { ...options, checkpoints, model, images, started, signal, onProgress }),
    );
    const result: MergeResult = { ...found, ...(options.out ? { checkpoint: options.out } : {}) };
    const { normalisation } = images;
    if (options.out) await writeBytes(options.out, checkpointOf(merged, first, normalisation));
    const written = options.report ? await writeReport(options.report, result) : [];
    printResult(options.json, result, [
      `model       ${result.model}`,
      ...result.assumptions.map((line) => `assumed     ${line}`),
      `order       ${mergeSentence(result)}`,
      `equivalence passed, largest difference ${result.equivalence.maxDifference.toExponential(1)} of the largest output`,
      `test        ${describeData(images.test, normalisation)}`,
      '',
      textTables(result),
      '',
      ...result.verdict,
      ...[...(options.out ? [options.out] : []), ...written].map((path) => `written ${path}`),
    ]);
  });
}
