/** `rebasin prune`: what is left of a network without most of its weights, before and after its statistics are put right. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { expectWritable, writeBytes } from '../io/node-files.ts';

import { valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { PRESETS } from '../rebasin/presets.ts';
import { PRUNING_SCOPES, type PruningScope } from '../rebasin/pruning/prunable-weights.ts';
import { type PrunedNetwork, pruningCurve } from '../rebasin/pruning/prune.ts';
import {
  looksAtImages,
  PRUNING_METHODS,
  type PruningMethod,
  patternOf,
} from '../rebasin/pruning/pruning-method.ts';
import { checkPruning, type PruningProgress } from '../rebasin/pruning/pruning-options.ts';
import {
  PRUNING_RENORMALISATIONS,
  type PruningRenormalisation,
} from '../rebasin/pruning/pruning-renormalisation.ts';
import { measuresStatistics } from '../rebasin/renormalise/renormalisations.ts';
import type { PruneResult } from '../report/prune-result.ts';
import { pruneSentence, pruneTable } from '../report/prune-summary.ts';
import { headline } from '../report/summary.ts';
import { checkpointOf, modelOf, normalisationOfCheckpoint, readCheckpoint } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import {
  modelOption,
  presetOption,
  type RenormalisationOptionValues,
  renormalisationSettings,
  withRenormalisationSettings,
} from './method-options.ts';
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
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { stageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

/** Where the user names none: those of the published figures that tell most. */
const SPARSITIES = [0.5, 0.7, 0.8, 0.9, 0.95];

const STAGES: Readonly<Record<PruningProgress['stage'], string>> = { judge: 'judge weights', prune: 'prune' };

interface PruneOptions extends AdapterOptionValues, DataOptionValues, RenormalisationOptionValues {
  readonly model?: string;
  readonly method: PruningMethod;
  readonly sparsity?: readonly number[];
  readonly scope?: PruningScope;
  readonly renormalise: PruningRenormalisation;
  readonly samples?: number;
  readonly blockSize?: number;
  readonly damping?: number;
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
      `shares of the weights to remove, from 0 to 1, separated by commas (default: ${SPARSITIES.join(',')})`,
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
  const { method, seed, samples, blockSize, damping } = options;
  const checkpoint = await readCheckpoint(path);
  const model = modelOf(checkpoint, options.model);
  const settings = {
    ...{ model, method, samples, blockSize, damping, renormalise: options.renormalise },
    scope: options.scope ?? (options.preset ? PRESETS[options.preset].prune : 'without-shortcuts'),
    renormalisation: renormalisationSettings(options),
  } as const;
  const given = options.sparsity ?? (patternOf(method) ? undefined : SPARSITIES);
  const { sparsities, renormalise } = checkPruning({ ...settings, statistics: 'what --data gives' }, given);
  const saved = savedSparsity(options, sparsities);
  const images = await loadData(options, normalisationOfCheckpoint(checkpoint));
  for (const split of ['test', 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.save) await expectWritable(options.save);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const { normalisation } = images;
    const test = new GpuDataset(context, images.test, normalisation);
    const seen = looksAtImages(method) || measuresStatistics(renormalise);
    const statistics = seen ? new GpuDataset(context, images.statistics, normalisation) : undefined;
    const values = valuesOf(checkpoint.state);
    let kept: PrunedNetwork | undefined;
    const bars = stageBars();
    const { dense, curve, weights, scope } = await pruningCurve(context, {
      ...{ ...settings, values, sparsities: given, statistics, images: test, seed, signal },
      onNetwork: (network) => {
        if (network.sparsity === saved) kept = network;
      },
      onProgress: ({ stage, done, total }) => bars.update(STAGES[stage], done, total),
    }).finally(() => bars.stop());

    const fields = {
      model: model.name,
      assumptions: model.assumptions,
      ...{ method, scope, renormalise },
      ...(looksAtImages(method) ? { samples: samples ?? Math.min(256, images.statistics.count) } : {}),
      data: { name: images.test.name, split: 'test', images: test.count },
      ...{ weights, dense, curve },
    } as const;
    const inputs = {
      values: [...values],
      ...{ renormalisation: settings.renormalisation, blockSize, damping },
      digests: [test, ...(statistics ? [statistics] : [])].map(({ digest }) => digest),
    };
    const result: PruneResult = {
      ...completeResult(context, 'prune', seed, started, inputs, fields),
      ...(options.save && kept ? { saved: { file: options.save, sparsity: kept.sparsity } } : {}),
    };
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
