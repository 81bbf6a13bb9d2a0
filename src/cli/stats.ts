/** `rebasin stats`: what activations are like in each layer of a network, and what becomes of them half-way between two. */
import { type Command, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { type Model, stateEntries } from '../nn/models/model.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { uploadEndpoints } from '../rebasin/renormalise/endpoints.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import { ActivationStatistics } from '../rebasin/statistics/activation-statistics.ts';
import { summariseLayers } from '../rebasin/statistics/layer-summary.ts';
import { midpointStatistics } from '../rebasin/statistics/midpoint-statistics.ts';
import type { StatsResult } from '../report/results.ts';
import { headline, textTables } from '../report/summary.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { type Checkpoint, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { describeData, type LoadedData, loadData } from './data.ts';
import { alignWithProgress, describeMatch } from './match.ts';
import {
  type MergingOptionValues,
  matchingSettings,
  renormalisationSettings,
  uploadMethodImages,
  withMergingOptions,
} from './method-options.ts';
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { startProgress } from './progress.ts';
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
  const { aligned, match } = await alignWithProgress(context, {
    ...{ model, a: valuesA, b: valuesB, method: align, ...matching, ...used, seed, signal },
  });
  const networks = [valuesA, aligned];
  const endpoints = uploadEndpoints(context, {
    ...{ model, networks, renormalise, settings: renormalisation, data: used.statistics },
  });
  const [arenaA, arenaB] = endpoints.arenas as readonly [Arena, Arena];
  const data = new GpuDataset(context, images[options.on], images.normalisation);
  const progress = startProgress('statistics', 6 * data.count);
  const measured = await midpointStatistics(context, {
    ...{ model: endpoints.model, a: arenaA, b: arenaB, data, align, renormalise, signal },
    renormaliser: endpoints.renormalise,
    perChannel: options.channels,
    onProgress: ({ done }) => progress.update(done),
  }).finally(() => progress.stop());
  const names = ['A', match ? 'pi(B)' : 'B', 'merged'];
  const digests = [data, ...used.datasets].map(({ digest }) => digest);
  return {
    fields: {
      networks: measured.networks.map((network, i) => ({ name: names[i]!, ...network })),
      ...{ align, renormalise, collapse: measured.collapse },
      ...(match ? { match } : {}),
    },
    inputs: { a: [...valuesA], b: [...valuesB], matching, renormalisation, digests },
  };
}
