/** `rebasin analyse`: why two networks are linearly connected or not; with a third, whether matched networks are so among themselves. */
import { type Command, Option } from 'commander';
import { analyseResult } from '../commands/analyse.ts';
import { type Checkpoint, modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { renormalisationSettings } from '../commands/method-settings.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import { MATCHING_METHODS } from '../rebasin/matching/match.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { MatchingMethod } from '../report/results.ts';
import { headline, textTables } from '../report/summary.ts';
import { readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { type MergingOptionValues, withMergingOptions } from './method-options.ts';
import { pointCount } from './options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { withStageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface AnalyseOptions extends MergingOptionValues {
  readonly against?: readonly MatchingMethod[];
  readonly points: number;
  readonly singularVectors: boolean;
  readonly on: 'train' | 'test';
  readonly out?: string;
}

export function registerAnalyse(program: Command): void {
  const command = program
    .command('analyse')
    .description(
      'Why A and B can be merged, or not: distances, barriers beside their Taylor estimates, singular vectors, before and after matching; ' +
        'with C, the barriers among three matched networks.',
    )
    .argument('<a>', 'checkpoint A (.safetensors, .pt, .pth or .npz), the reference')
    .argument('<b>', 'checkpoint B')
    .argument('[c]', 'checkpoint C')
    .addOption(
      new Option('--against <methods...>', 'further matching methods, to compare with').choices([
        ...MATCHING_METHODS,
      ]),
    )
    .option('--points <n>', 'equally spaced values of lambda, ends included', pointCount, 11)
    .addOption(
      new Option('--on <split>', 'which images to evaluate on').choices(['train', 'test']).default('test'),
    )
    .option('--no-singular-vectors', 'leave singular values and vectors out: they take long for wide layers')
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withMergingOptions(command, 'weight').action(runAnalyse);
}

async function runAnalyse(
  pathA: string,
  pathB: string,
  pathC: string | undefined,
  options: AnalyseOptions,
): Promise<void> {
  const started = performance.now();
  const { on } = options;
  const paths = [pathA, pathB, ...(pathC === undefined ? [] : [pathC])];
  const checkpoints = await readAlike(paths, toldBy(options));
  const [first] = checkpoints as [Checkpoint, ...Checkpoint[]];
  const model = modelOfCheckpoint(first, options.model);
  checkRenormalisation(options.renormalise, model, renormalisationSettings(options));
  const images = await loadData(options, normalisationOfCheckpoint(first));
  for (const split of [on, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const result = await withStageBars((onProgress) =>
      analyseResult(context, { ...options, checkpoints, model, images, started, signal, onProgress }),
    );
    const written = options.out ? await writeReport(options.out, result) : [];
    printResult(options.json, result, [
      headline(result),
      '',
      `${on.padEnd(11)} ${describeData(images[on], images.normalisation)}`,
      `model       ${model.name}`,
      ...model.assumptions.map((line) => `assumed     ${line}`),
      '',
      textTables(result),
      ...written.map((path) => `written ${path}`),
    ]);
  });
}
