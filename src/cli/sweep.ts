/** `rebasin sweep`: loss and accuracy along the straight line from A to B, or to B permuted. */
import { type Command, Option } from 'commander';
import { type Checkpoint, modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { renormalisationSettings } from '../commands/method-settings.ts';
import { sweepResult } from '../commands/sweep.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import { curveTable, headline } from '../report/summary.ts';
import { readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { describeMatch } from './match.ts';
import { type MergingOptionValues, withMergingOptions } from './method-options.ts';
import { pointCount } from './options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { withStageBars } from './progress.ts';
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
  const [a, b] = (await readAlike([pathA, pathB], toldBy(options))) as [Checkpoint, Checkpoint];
  const model = modelOfCheckpoint(a, options.model);
  checkRenormalisation(options.renormalise, model, renormalisationSettings(options));
  const images = await loadData(options, normalisationOfCheckpoint(a));
  const { normalisation } = images;
  const splits = (['train', 'test'] as const).filter(
    (split) => options.on === 'both' || options.on === split,
  );
  for (const split of [...splits, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const result = await withStageBars((onProgress) =>
      sweepResult(context, { ...options, a, b, model, images, started, signal, onProgress }),
    );
    const { match } = result;
    const described = Object.fromEntries(
      splits.map((split) => [split, describeData(images[split], normalisation)]),
    );
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
