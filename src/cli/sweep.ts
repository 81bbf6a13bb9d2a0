/** `rebasin sweep`: loss and accuracy along the straight line from A to B, or to B permuted. */
import { type Command, Option } from 'commander';
import { valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { equallySpaced } from '../rebasin/interpolation/barrier.ts';
import { sweep } from '../rebasin/interpolation/sweep.ts';
import { uploadEndpoints } from '../rebasin/renormalise/endpoints.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { SweepResult } from '../report/results.ts';
import { curveTable, headline } from '../report/summary.ts';
import { type Checkpoint, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { alignWithProgress, describeMatch } from './match.ts';
import {
  defaultPoints,
  endsOf,
  type MergingOptionValues,
  matchingSettings,
  renormalisationSettings,
  uploadMethodImages,
  withMergingOptions,
} from './method-options.ts';
import { pointCount } from './options.ts';
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface SweepOptions extends MergingOptionValues {
  readonly points?: number;
  readonly on: 'train' | 'test' | 'both';
  readonly ensemble?: boolean;
  readonly calibrateTemperature?: boolean;
  readonly out?: string;
}

export function registerSweep(program: Command): void {
  const command = program
    .command('sweep')
    .description('Loss and accuracy of (1 - lambda) A + lambda B along lambda, with barriers.')
    .argument('<a>', 'checkpoint A (.safetensors, .pt, .pth or .npz)')
    .argument('<b>', 'checkpoint B')
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
  withMergingOptions(command, 'none').action(runSweep);
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
    const { aligned, match } = await alignWithProgress(context, {
      ...{ model, a: valuesA, b: valuesB, method: align, ...matching, ...used, seed, signal },
    });
    const networks = [valuesA, aligned];
    const endpoints = uploadEndpoints(context, {
      ...{ model, networks, renormalise, settings: renormalisation, data: used.statistics },
    });
    const data = Object.fromEntries(
      splits.map((split) => [split, new GpuDataset(context, images[split], normalisation)]),
    );
    const calibration = options.calibrateTemperature
      ? (used.statistics ?? new GpuDataset(context, images.statistics, normalisation))
      : undefined;
    const lambda = equallySpaced(points);
    const progress = startProgress(align === 'none' ? 'sweep' : 'sweep, aligned', points);
    const curves = await sweep(context, {
      model: endpoints.model,
      a: endpoints.arenas[0]!,
      b: endpoints.arenas[1]!,
      lambda,
      data,
      renormalise: endpoints.renormalise,
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
      ...(match ? { match } : {}),
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
        ? describeMatch(match)
        : [`model       ${model.name}`, ...model.assumptions.map((line) => `assumed     ${line}`)]),
      '',
      curveTable(result),
      ...written.map((path) => `written ${path}`),
    ]);
  });
}
