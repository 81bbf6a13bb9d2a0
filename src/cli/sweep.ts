/** `rebasin sweep`: loss and accuracy along the straight line from A to B, or to B permuted. */
import { type Command, Option } from 'commander';
import { stateEntries } from '../nn/models/model.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { equallySpaced } from '../rebasin/interpolation/barrier.ts';
import { sweep } from '../rebasin/interpolation/sweep.ts';
import {
  checkRenormalisation,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from '../rebasin/renormalise/renormalisations.ts';
import type { MatchingMethod, SweepResult } from '../report/results.ts';
import { curveTable, headline } from '../report/summary.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import { type Checkpoint, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { describeMatch, matchWithProgress } from './match.ts';
import {
  defaultPoints,
  endsOf,
  type MatchingOptionValues,
  matchingSettings,
  methodOption,
  type RenormaliseOptionValues,
  renormalisationSettings,
  uploadMethodImages,
  withMatchingOptions,
  withRenormaliseOptions,
} from './method-options.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  pointCount,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface SweepOptions
  extends AdapterOptionValues,
    DataOptionValues,
    MatchingOptionValues,
    RenormaliseOptionValues {
  readonly model?: string;
  readonly align: MatchingMethod;
  readonly points?: number;
  readonly on: 'train' | 'test' | 'both';
  readonly ensemble?: boolean;
  readonly calibrateTemperature?: boolean;
  readonly seed: number;
  readonly out?: string;
}

export function registerSweep(program: Command): void {
  const command = program
    .command('sweep')
    .description('Loss and accuracy of (1 - lambda) A + lambda B along lambda, with barriers.')
    .argument('<a>', 'checkpoint A (.safetensors, .pt, .pth or .npz)')
    .argument('<b>', 'checkpoint B')
    .option('--model <name>', 'what the checkpoints do not say, such as mlp:tanh')
    .addOption(methodOption('--align', 'none'))
    .option('--points <n>', 'equally spaced values of lambda, ends included (default: 25)', pointCount)
    .addOption(
      new Option('--on <split>', 'which images to evaluate on')
        .choices(['train', 'test', 'both'])
        .default('both'),
    )
    .option('--ensemble', "also the mean of both networks' logits at every point")
    .option(
      '--calibrate-temperature',
      'also the loss at the best softmax temperature of every point, fitted on the statistics images',
    )
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withRenormaliseOptions(withMatchingOptions(command));
  withSeedOption(withAdapterOptions(withDataOptions(command))).action(runSweep);
}

async function runSweep(pathA: string, pathB: string, options: SweepOptions): Promise<void> {
  const started = performance.now();
  const { align, preset, renormalise, seed } = options;
  const matching = matchingSettings(options);
  const renormalisation = renormalisationSettings(options);
  const points = options.points ?? defaultPoints(preset);
  const [a, b] = (await readAlike([pathA, pathB], toldBy(options))) as [Checkpoint, Checkpoint];
  const model = modelOf(a, options.model);
  checkRenormalisation(renormalise, model, renormalisation);
  const images = await loadData(options, normalisationOfCheckpoint(a));
  const { normalisation } = images;
  const splits = (['train', 'test'] as const).filter(
    (split) => options.on === 'both' || options.on === split,
  );
  for (const split of [...splits, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
    const used = uploadMethodImages(context, images, model, [align], [renormalise], options);
    const match =
      align === 'none'
        ? undefined
        : await matchWithProgress(context, {
            model,
            a: valuesA,
            b: valuesB,
            method: align,
            ...matching,
            ...used,
            seed,
            signal,
          });
    const corrected = renormalisedModel(renormalise, model);
    const layout = new ArenaLayout(stateEntries(corrected));
    const [arenaA, arenaB] = [new Arena(context, layout), new Arena(context, layout)];
    arenaA.write(withZeroBiases(corrected, valuesA));
    arenaB.write(withZeroBiases(corrected, match?.aligned ?? valuesB));
    const data = Object.fromEntries(
      splits.map((split) => [split, new GpuDataset(context, images[split], normalisation)]),
    );
    const calibration = options.calibrateTemperature
      ? (used.statistics ?? new GpuDataset(context, images.statistics, normalisation))
      : undefined;
    const lambda = equallySpaced(points);
    const progress = startProgress(align === 'none' ? 'sweep' : 'sweep, aligned', points);
    const curves = await sweep(context, {
      model: corrected,
      a: arenaA,
      b: arenaB,
      lambda,
      data,
      renormalise: renormaliserFactory(context, renormalise, {
        ...renormalisation,
        model: corrected,
        endpoints: [arenaA, arenaB],
        data: used.statistics,
      }),
      ends: endsOf(preset),
      ensemble: options.ensemble,
      calibrate: calibration,
      signal,
      onProgress: ({ done }) => progress.update(done),
    }).finally(() => progress.stop());

    const fields = {
      model: model.name,
      align,
      renormalise,
      lambda,
      ...curves,
      ...(match ? { match: match.fields } : {}),
    };
    const described = Object.fromEntries(
      splits.map((split) => [split, describeData(images[split], normalisation)]),
    );
    const digests = [...Object.values(data), ...used.datasets, ...(calibration ? [calibration] : [])].map(
      ({ digest }) => digest,
    );
    const inputs = { a: [...valuesA], b: [...valuesB], matching, renormalisation, digests };
    const result: SweepResult = {
      ...completeResult(context, 'sweep', seed, started, inputs, fields),
      ...fields,
    };
    const written = options.out ? await writeReport(options.out, result) : [];
    printResult(options.json, result, [
      headline(result),
      '',
      ...Object.entries(described).map(([split, text]) => `${split.padEnd(11)} ${text}`),
      ...(match
        ? describeMatch(match.fields)
        : [`model       ${model.name}`, ...model.assumptions.map((line) => `assumed     ${line}`)]),
      '',
      curveTable(result),
      ...written.map((path) => `written ${path}`),
    ]);
  });
}
