/** `rebasin stats`: what activations are like in each layer of a network, and what becomes of them half-way between two. */
import { type Command, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { type Model, stateEntries } from '../nn/models/model.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import {
  checkRenormalisation,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from '../rebasin/renormalise/renormalisations.ts';
import { ActivationStatistics } from '../rebasin/statistics/activation-statistics.ts';
import { summariseLayers } from '../rebasin/statistics/layer-summary.ts';
import { midpointStatistics } from '../rebasin/statistics/midpoint-statistics.ts';
import type { MatchingMethod, StatsResult } from '../report/results.ts';
import { headline, textTables } from '../report/summary.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { type Checkpoint, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { describeData, type LoadedData, loadData } from './data.ts';
import { describeMatch, matchWithProgress } from './match.ts';
import {
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
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface StatsOptions
  extends AdapterOptionValues,
    DataOptionValues,
    MatchingOptionValues,
    RenormaliseOptionValues {
  readonly model?: string;
  readonly align: MatchingMethod;
  readonly on: 'train' | 'test';
  readonly channels?: boolean;
  readonly seed: number;
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
    .option('--model <name>', 'what the checkpoints do not say, such as mlp:tanh')
    .addOption(methodOption('--align', 'none'))
    .addOption(
      new Option('--on <split>', 'which images to look at').choices(['train', 'test']).default('test'),
    )
    .option('--channels', "each channel's numbers in the JSON as well")
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withRenormaliseOptions(withMatchingOptions(command));
  withSeedOption(withAdapterOptions(withDataOptions(command))).action(runStats);
}

interface Task {
  readonly options: StatsOptions;
  readonly model: Model;
  readonly images: LoadedData;
  readonly signal: AbortSignal;
}

/** What one network or two give, and what that depends on. */
interface Found {
  readonly fields: Pick<StatsResult, 'networks' | 'align' | 'renormalise' | 'match' | 'collapse'>;
  readonly inputs: object;
}

async function runStats(pathA: string, pathB: string | undefined, options: StatsOptions): Promise<void> {
  const started = performance.now();
  const { on, seed } = options;
  if (pathB === undefined && (options.align !== 'none' || options.renormalise !== 'none')) {
    throw new OptionError('--align and --renormalise make a network of two: give a second checkpoint');
  }
  const paths = [pathA, ...(pathB === undefined ? [] : [pathB])];
  const [a, b] = (await readAlike(paths, toldBy(options))) as [Checkpoint, Checkpoint?];
  const model = modelOf(a, options.model);
  checkRenormalisation(options.renormalise, model, renormalisationSettings(options));
  const images = await loadData(options, normalisationOfCheckpoint(a));
  for (const split of [on, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const task = { options, model, images, signal: interruptSignal() };
  await withContext(options, async (context) => {
    const found = await (b ? lookAtTwo(context, task, a, b) : lookAtOne(context, task, a));
    const fields = {
      model: model.name,
      assumptions: model.assumptions,
      data: { name: images[on].name, split: on, images: images[on].count },
      ...found.fields,
    };
    const result: StatsResult = completeResult(context, 'stats', seed, started, found.inputs, fields);
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

async function lookAtOne(
  context: Context,
  { options, model, images, signal }: Task,
  { state }: Checkpoint,
): Promise<Found> {
  const values = valuesOf(state);
  const arena = new Arena(context, new ArenaLayout(stateEntries(model)));
  arena.write(values);
  const data = new GpuDataset(context, images[options.on], images.normalisation);
  const statistics = new ActivationStatistics(context, { model, arenas: [arena] });
  const progress = startProgress('statistics', data.count);
  const taps = await statistics
    .measure(data, { signal, onProgress: (done) => progress.update(done) })
    .finally(() => progress.stop());
  const score = await new Evaluator(context, model, [arena], data).evaluate({ signal });
  const layers = summariseLayers(taps, { perChannel: options.channels });
  return {
    fields: { networks: [{ name: 'A', ...score, layers }] },
    inputs: { a: [...values], digests: [data.digest] },
  };
}

async function lookAtTwo(
  context: Context,
  { options, model, images, signal }: Task,
  a: Checkpoint,
  b: Checkpoint,
): Promise<Found> {
  const { align, renormalise, seed } = options;
  const matching = matchingSettings(options);
  const renormalisation = renormalisationSettings(options);
  const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
  const used = uploadMethodImages(context, images, model, [align], [renormalise], options);
  const match =
    align === 'none'
      ? undefined
      : await matchWithProgress(context, {
          ...{ model, a: valuesA, b: valuesB, method: align, ...matching, ...used, seed, signal },
        });
  const corrected = renormalisedModel(renormalise, model);
  const layout = new ArenaLayout(stateEntries(corrected));
  const ends = [new Arena(context, layout), new Arena(context, layout)] as const;
  ends[0].write(withZeroBiases(corrected, valuesA));
  ends[1].write(withZeroBiases(corrected, match?.aligned ?? valuesB));
  const data = new GpuDataset(context, images[options.on], images.normalisation);
  const progress = startProgress('statistics', 6 * data.count);
  const { networks, collapse } = await midpointStatistics(context, {
    ...{ model: corrected, a: ends[0], b: ends[1], data, align, renormalise, signal },
    renormaliser: renormaliserFactory(context, renormalise, {
      ...renormalisation,
      model: corrected,
      endpoints: ends,
      data: used.statistics,
    }),
    perChannel: options.channels,
    onProgress: ({ done }) => progress.update(done),
  }).finally(() => progress.stop());
  const names = ['A', match ? 'pi(B)' : 'B', 'merged'];
  const digests = [data, ...used.datasets].map(({ digest }) => digest);
  return {
    fields: {
      networks: networks.map((network, i) => ({ name: names[i]!, ...network })),
      ...{ align, renormalise, collapse },
      ...(match ? { match: match.fields } : {}),
    },
    inputs: { a: [...valuesA], b: [...valuesB], matching, renormalisation, digests },
  };
}
