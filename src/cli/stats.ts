/** `rebasin stats`: what activations are like in each layer of a network, and what becomes of them half-way between two. */
import { type Command, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { type Checkpoint, modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { renormalisationSettings } from '../commands/method-settings.ts';
import { statsResult } from '../commands/stats.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import { headline, textTables } from '../report/summary.ts';
import { readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { describeMatch } from './match.ts';
import { type MergingOptionValues, withMergingOptions } from './method-options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { withStageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface StatsOptions extends MergingOptionValues {
  readonly on: 'train' | 'test';
  readonly channels?: boolean;
  readonly out?: string;
}

export function registerStats(program: Command): void {
  const command = program
    .command('stats')
    .description(
      'Statistics of the activations in each layer; with two checkpoints, what becomes of them half-way, what that is, and what to try.',
    )
    .argument('<a>', 'a checkpoint (.safetensors, .pt, .pth or .npz)')
    .argument('[b]', 'another, to look at the network half-way')
    .addOption(
      new Option('--on <split>', 'which images to look at').choices(['train', 'test']).default('test'),
    )
    .option('--channels', "each channel's numbers in the JSON as well")
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withMergingOptions(command, 'none').action(runStats);
}

async function runStats(pathA: string, pathB: string | undefined, options: StatsOptions): Promise<void> {
  const started = performance.now();
  const { on } = options;
  if (pathB === undefined && (options.align !== 'none' || options.renormalise !== 'none')) {
    throw new OptionError('--align and --renormalise make a network of two: give a second checkpoint');
  }
  const paths = [pathA, ...(pathB === undefined ? [] : [pathB])];
  const [a, b] = (await readAlike(paths, toldBy(options))) as [Checkpoint, Checkpoint?];
  const model = modelOfCheckpoint(a, options.model);
  checkRenormalisation(options.renormalise, model, renormalisationSettings(options));
  const images = await loadData(options, normalisationOfCheckpoint(a));
  for (const split of [on, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const result = await withStageBars((onProgress) =>
      statsResult(context, { ...options, a, b, model, images, started, signal, onProgress }),
    );
    const written = options.out ? await writeReport(options.out, result) : [];
    const { match, collapse } = result;
    printResult(options.json, result, [
      headline(result),
      ...(collapse?.verdict.fix ? [`To try: ${collapse.verdict.fix}.`] : []),
      '',
      `${on.padEnd(11)} ${describeData(images[on], images.normalisation)}`,
      ...(match
        ? describeMatch(match)
        : [`model       ${model.name}`, ...model.assumptions.map((line) => `assumed     ${line}`)]),
      '',
      textTables(result),
      ...written.map((path) => `written ${path}`),
    ]);
  });
}
