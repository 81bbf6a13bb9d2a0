/** `rebasin demo`: train two networks, align them, and write a report of the barrier before and after. */

import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { numericsField } from '../commands/complete-result.ts';
import { BUILT_IN_DATA } from '../io/known-data.ts';
import { makeFolder, writeBytes } from '../io/node-files.ts';
import { checkpointMetadata } from '../nn/checkpoint-metadata.ts';
import { parseModel } from '../nn/models/parse-model.ts';
import { type StateDict, writeStateDict } from '../nn/state-dict.ts';
import { type DemoOptions, type DemoProgress, runDemo } from '../rebasin/demo.ts';
import type { DemoNetwork } from '../rebasin/demo-options.ts';
import { RENORMALISATIONS, type Renormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { DemoResult, MatchingMethod } from '../report/results.ts';
import { curveTable, headline } from '../report/summary.ts';
import { VERSION } from '../version.ts';
import { loadData } from './data.ts';
import { describeMatch } from './match.ts';
import { methodOption } from './method-options.ts';
import {
  type AdapterOptionValues,
  nonNegative,
  pointCount,
  positiveInteger,
  positiveNumber,
  wholeNumber,
  withAdapterOptions,
  withSeedOption,
} from './options.ts';
import { printResult, writeReport } from './output.ts';
import { stageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface DemoCommandOptions extends AdapterOptionValues {
  readonly seed: number;
  readonly secondSeed?: number;
  readonly points?: number;
  readonly network?: DemoNetwork;
  readonly model?: string;
  readonly data?: string;
  readonly trainImages?: number;
  readonly testImages?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly align: MatchingMethod;
  readonly steps?: number;
  readonly stepRate?: number;
  readonly renormalise?: Renormalisation;
  readonly out: string;
}

export function registerDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('Train two networks from different seeds, align them, and watch the barrier go.')
    .addOption(
      new Option(
        '--network <kind>',
        'an mlp (default), a small resnet with batch norm (matched, then RESET), or a small vgg on images in colour',
      ).choices(['mlp', 'resnet', 'vgg']),
    )
    .option('--model <name>', 'another network, such as mlp:784-64-64-10:norm=layer')
    .option('--second-seed <n>', 'seed of the second network (default: the first plus 1)', wholeNumber)
    .option('--data <folder>', 'a folder with idx or CIFAR binary files, or "digits" or "colours" (built in)')
    .option('--train-images <n>', 'images to train on, at most', positiveInteger)
    .option('--test-images <n>', 'images to test on, at most', positiveInteger)
    .option('--epochs <n>', 'passes over the training images', positiveInteger)
    .option('--batch-size <n>', 'images a step', positiveInteger)
    .option('--learning-rate <x>', 'base learning rate, falls to 0', positiveNumber)
    .addOption(methodOption('--align', 'weight'))
    .option('--steps <n>', 'straight-through: training steps (default: 100)', positiveInteger)
    .option('--step-rate <x>', 'straight-through: learning rate (default: 0.005)', nonNegative)
    .addOption(
      new Option(
        '--renormalise <method>',
        'correct every point of both lines (default: reset with batch norm)',
      ).choices([...RENORMALISATIONS]),
    )
    .option(
      '--points <n>',
      'equally spaced values of lambda (default: 25, of convolutional networks 11)',
      pointCount,
    )
    .option('--out <folder>', 'where to write index.html, result.json and the checkpoints', 'report');
  withSeedOption(withAdapterOptions(command)).action(async (options: DemoCommandOptions) => {
    const started = performance.now();
    const { seed, out } = options;
    const choices = await choicesOf(options);
    await makeFolder(out);
    await withContext(options, async (context) => {
      const bars = stageBars();
      const training = { 'train A': { done: 0, note: '' }, 'train B': { done: 0, note: '' } };
      const onProgress = ({ stage, done, total, note }: DemoProgress) => {
        if (stage !== 'train A' && stage !== 'train B') return bars.update(stage, done, total, note);
        training[stage] = { done, note };
        const { 'train A': a, 'train B': b } = training;
        bars.update('train A and B', a.done + b.done, 2 * total, `A ${a.note}  B ${b.note}`);
      };
      const demo = await runDemo(context, { ...choices, signal: interruptSignal(), onProgress }).finally(() =>
        bars.stop(),
      );
      const result: DemoResult = {
        command: 'demo',
        version: VERSION,
        adapter: context.adapterName,
        ...numericsField(context),
        seed,
        seconds: Math.round(performance.now() - started) / 1000,
        hash: demo.hash,
        ...demo.fields,
      };
      const metadata = checkpointMetadata(
        parseModel(demo.fields.model),
        demo.normalisation,
        context.numerics,
      );
      const checkpoints = Object.entries(demo.checkpoints).map(([name, state]: [string, StateDict]) => {
        const file = join(out, `model-${name}.safetensors`);
        return { file, bytes: writeStateDict({ ...state, metadata }) };
      });
      for (const { file, bytes } of checkpoints) await writeBytes(file, bytes);
      const pages = await writeReport(out, result);
      printResult(options.json, result, [
        headline(result),
        '',
        ...describeMatch(result.match),
        '',
        curveTable(result),
        '',
        `seconds     ${result.seconds}`,
        `hash        ${result.hash}`,
        `look at     ${pages[1]}`,
        `written     ${[pages[0], ...checkpoints.map(({ file }) => file)].join(', ')}`,
      ]);
    });
  });
}

/** What the options choose; images from files are loaded. */
async function choicesOf(options: DemoCommandOptions): Promise<DemoOptions> {
  const { seed, secondSeed, points, network, model, epochs, batchSize, learningRate } = options;
  const { data, trainImages, testImages, align, steps, stepRate, renormalise } = options;
  const built = data === undefined || data in BUILT_IN_DATA;
  return {
    ...{
      seed,
      secondSeed,
      points,
      network,
      model,
      epochs,
      batchSize,
      learningRate,
      steps,
      stepRate,
      renormalise,
    },
    ...{ method: align, trainCount: trainImages, testCount: testImages },
    data: built ? (data as 'digits' | 'colours' | undefined) : await loadData({ data }),
  };
}
