/** `rebasin prune`: what is left of a network without most of its weights, before and after its statistics are put right. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { checkpointOf, modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { DEFAULT_SPARSITIES, type PruningChoices, planPruning, pruneResult } from '../commands/prune.ts';
import { expectWritable, writeBytes } from '../io/node-files.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import { PRUNING_SCOPES } from '../rebasin/pruning/prunable-weights.ts';
import type { PrunedNetwork } from '../rebasin/pruning/prune.ts';
import { PRUNING_METHODS, type PruningMethod, patternOf } from '../rebasin/pruning/pruning-method.ts';
import { PRUNING_RENORMALISATIONS } from '../rebasin/pruning/pruning-renormalisation.ts';
import type { PruneResult } from '../report/prune-result.ts';
import { pruneSentence, pruneTable } from '../report/prune-summary.ts';
import { headline } from '../report/summary.ts';
import { readCheckpoint } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { modelOption, presetOption, withRenormalisationSettings } from './method-options.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  nonNegative,
  numberList,
  positiveInteger,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { withStageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface PruneOptions extends AdapterOptionValues, DataOptionValues, PruningChoices {
  readonly model?: string;
  readonly save?: string;
  readonly at?: number;
  readonly seed: number;
  readonly out?: string;
}

export function registerPrune(program: Command): void {
  const command = program
    .command('prune')
    .description(
      'Remove the least important weights of a network, put the statistics of what is left right, and score both at each sparsity.',
    )
    .argument('<checkpoint>', 'a checkpoint (.safetensors, .pt, .pth or .npz)')
    .addOption(modelOption())
    .option(
      '--method <name>',
      `how weights are judged: ${PRUNING_METHODS.join(', ')}, or N:M such as 2:4`,
      methodName,
      'magnitude',
    )
    .option(
      '--sparsity <numbers>',
      `shares of the weights to remove, from 0 to 1, separated by commas (default: ${DEFAULT_SPARSITIES.join(',')})`,
      numberList,
    )
    .addOption(
      new Option('--scope <which>', 'which weights (default: without-shortcuts)').choices([
        ...PRUNING_SCOPES,
      ]),
    )
    .addOption(
      new Option(
        '--renormalise <method>',
        'correct what is left; auto: reset with batch norm, rescale in plain networks, else repair',
      )
        .choices([...PRUNING_RENORMALISATIONS])
        .default('auto'),
    )
    .option(
      '--samples <n>',
      'fisher, woodfisher, wanda: judge on the first n images of the statistics (default: 256)',
      positiveInteger,
    )
    .option('--block-size <n>', 'woodfisher: weights that are judged together (default: 50)', positiveInteger)
    .option('--damping <x>', 'woodfisher: added to the diagonal (default: 1e-5)', nonNegative)
    .addOption(presetOption())
    .option('--save <file>', 'where to write one of the networks that come out (.safetensors)')
    .option('--at <sparsity>', 'which one: its sparsity', share)
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withSeedOption(withAdapterOptions(withDataOptions(withRenormalisationSettings(command)))).action(runPrune);
}

function methodName(text: string): string {
  if ((PRUNING_METHODS as readonly string[]).includes(text) || patternOf(text as PruningMethod)) return text;
  throw new InvalidArgumentError(
    `expected one of ${PRUNING_METHODS.join(', ')}, or N:M with 1 <= N < M such as 2:4`,
  );
}

function share(text: string): number {
  const value = nonNegative(text);
  if (value > 1) throw new InvalidArgumentError('expected a number from 0 to 1');
  return value;
}

async function runPrune(path: string, options: PruneOptions): Promise<void> {
  const started = performance.now();
  const checkpoint = await readCheckpoint(path);
  const model = modelOfCheckpoint(checkpoint, options.model);
  const { sparsities } = planPruning({ ...options, model });
  const saved = savedSparsity(options, sparsities);
  const images = await loadData(options, normalisationOfCheckpoint(checkpoint));
  for (const split of ['test', 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.save) await expectWritable(options.save);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    let kept: PrunedNetwork | undefined;
    const found = await withStageBars((onProgress) =>
      pruneResult(context, {
        ...{ ...options, checkpoint, model, images, started, signal, onProgress },
        onNetwork: (network) => {
          if (network.sparsity === saved) kept = network;
        },
      }),
    );
    const result: PruneResult = {
      ...found,
      ...(options.save && kept ? { saved: { file: options.save, sparsity: kept.sparsity } } : {}),
    };
    const { normalisation } = images;
    if (options.save && kept) await writeBytes(options.save, checkpointOf(kept, checkpoint, normalisation));
    const written = options.out ? await writeReport(options.out, result) : [];
    printResult(options.json, result, [
      headline(result),
      '',
      `model       ${model.name}`,
      ...model.assumptions.map((line) => `assumed     ${line}`),
      `test        ${describeData(images.test, normalisation)}`,
      pruneSentence(result),
      '',
      pruneTable(result),
      ...[...(options.save ? [options.save] : []), ...written].map((file) => `written ${file}`),
    ]);
  });
}

/** Which of the sparsities is to be written; undefined where nothing is. */
function savedSparsity({ save, at }: PruneOptions, sparsities: readonly number[]): number | undefined {
  if (save === undefined) {
    if (at !== undefined) throw new OptionError('--at says which network --save writes: give both');
    return undefined;
  }
  const wanted = at ?? (sparsities.length === 1 ? sparsities[0] : undefined);
  if (wanted === undefined || !sparsities.includes(wanted)) {
    throw new OptionError(
      `--save: say with --at which sparsity to write, one of ${sparsities.join(', ')}${at === undefined ? '' : `; got ${at}`}`,
    );
  }
  return wanted;
}
