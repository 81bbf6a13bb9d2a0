/** `rebasin analyse`: why two networks are linearly connected or not; with a third, whether matched networks are so among themselves. */
import { type Command, Option } from 'commander';
import { valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { analyseNetworks } from '../rebasin/analysis/analyse.ts';
import { equallySpaced } from '../rebasin/interpolation/barrier.ts';
import { MATCHING_METHODS } from '../rebasin/matching/match.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { AnalyseResult } from '../report/analyse-result.ts';
import type { MatchingMethod } from '../report/results.ts';
import { headline, textTables } from '../report/summary.ts';
import { type Checkpoint, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import {
  endsOf,
  type MergingOptionValues,
  matchingSettings,
  renormalisationSettings,
  uploadMethodImages,
  withMergingOptions,
} from './method-options.ts';
import { pointCount } from './options.ts';
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { stageBars } from './progress.ts';
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
  const { align, against = [], points, on, preset, renormalise, seed, singularVectors } = options;
  const methods = [align, ...against].filter((method) => method !== 'none');
  const matching = matchingSettings(options);
  const renormalisation = renormalisationSettings(options);
  const paths = [pathA, pathB, ...(pathC === undefined ? [] : [pathC])];
  const [a, ...others] = (await readAlike(paths, toldBy(options))) as [Checkpoint, ...Checkpoint[]];
  const model = modelOf(a, options.model);
  checkRenormalisation(renormalise, model, renormalisation);
  const images = await loadData(options, normalisationOfCheckpoint(a));
  for (const split of [on, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const used = uploadMethodImages(context, images, model, methods, [renormalise], options);
    const data = new GpuDataset(context, images[on], images.normalisation);
    const networks = [a, ...others].map(({ state }) => valuesOf(state));
    const bars = stageBars();
    const analysis = await analyseNetworks(context, {
      ...{
        model,
        networks,
        methods,
        data,
        lambda: equallySpaced(points),
        ...matching,
        ...used,
        seed,
        signal,
      },
      ...{ renormalise, renormalisation, ends: endsOf(preset), singularVectors },
      onProgress: ({ stage, done, total, note }) => bars.update(stage, done, total, note),
    }).finally(() => bars.stop());

    const fields = {
      model: model.name,
      assumptions: model.assumptions,
      data: { name: images[on].name, split: on, images: images[on].count },
      renormalise,
      ...analysis,
    };
    const digests = [data, ...used.datasets].map(({ digest }) => digest);
    const inputs = { networks: networks.map((each) => [...each]), matching, renormalisation, digests };
    const result: AnalyseResult = completeResult(context, 'analyse', seed, started, inputs, fields);
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
