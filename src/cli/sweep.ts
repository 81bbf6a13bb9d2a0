/** `rebasin sweep`: loss and accuracy along the straight line from A to B, or to B permuted. */
import { type Command, Option } from 'commander';
import { stateEntries } from '../nn/models/model.ts';
import { expectSameArchitecture, valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { equallySpaced } from '../rebasin/barrier.ts';
import { BatchNormReset } from '../rebasin/reset.ts';
import { sweep } from '../rebasin/sweep.ts';
import type { SweepResult } from '../report/results.ts';
import { curveTable, headline } from '../report/summary.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import { expectSameMetadata, modelOf, normalisationOfCheckpoint, readCheckpoint } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { describeMatch, matchWithProgress, orderOption } from './match.ts';
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

interface SweepOptions extends AdapterOptionValues, DataOptionValues {
  readonly model?: string;
  readonly align: 'none' | 'weight';
  readonly order: 'graph' | 'random';
  readonly renormalise: 'none' | 'reset';
  readonly points: number;
  readonly on: 'train' | 'test' | 'both';
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
    .addOption(new Option('--align <method>', 'permute B first').choices(['none', 'weight']).default('none'))
    .addOption(
      new Option('--renormalise <method>', 'at every point; reset: running statistics of batch norm, anew')
        .choices(['none', 'reset'])
        .default('none'),
    )
    .addOption(orderOption())
    .option('--points <n>', 'equally spaced values of lambda, ends included', pointCount, 25)
    .addOption(
      new Option('--on <split>', 'which images to evaluate on')
        .choices(['train', 'test', 'both'])
        .default('both'),
    )
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withSeedOption(withAdapterOptions(withDataOptions(command))).action(runSweep);
}

async function runSweep(pathA: string, pathB: string, options: SweepOptions): Promise<void> {
  const started = performance.now();
  const { align, order, points, renormalise, seed } = options;
  const [a, b] = [await readCheckpoint(pathA), await readCheckpoint(pathB)];
  expectSameArchitecture(a.state, b.state, pathA, pathB);
  expectSameMetadata(a, b, { model: options.model !== undefined, normalisation: options.mean !== undefined });
  const model = modelOf(a, options.model);
  const { normalisation, ...images } = await loadData(options, normalisationOfCheckpoint(a));
  const splits = (['train', 'test'] as const).filter(
    (split) => options.on === 'both' || options.on === split,
  );
  for (const split of [...splits, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
    const match =
      align === 'none'
        ? undefined
        : await matchWithProgress(context, { model, a: valuesA, b: valuesB, order, seed, signal });
    const layout = new ArenaLayout(stateEntries(model));
    const [arenaA, arenaB] = [new Arena(context, layout), new Arena(context, layout)];
    arenaA.write(valuesA);
    arenaB.write(match?.aligned ?? valuesB);
    const data = Object.fromEntries(
      splits.map((split) => [split, new GpuDataset(context, images[split], normalisation)]),
    );
    const reset =
      renormalise === 'reset' ? new GpuDataset(context, images.statistics, normalisation) : undefined;
    const lambda = equallySpaced(points);
    const progress = startProgress(align === 'none' ? 'sweep' : 'sweep, aligned', points);
    const curves = await sweep(context, {
      model,
      a: arenaA,
      b: arenaB,
      lambda,
      data,
      renormalise: reset && ((merged) => new BatchNormReset(context, model, merged, reset)),
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
    const digests = [...Object.values(data), ...(reset ? [reset] : [])].map(({ digest }) => digest);
    const inputs = { a: [...valuesA], b: [...valuesB], order, digests };
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
