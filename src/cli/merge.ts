/** `rebasin merge`: two or many checkpoints into one, with a verdict. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { limitDataset } from '../io/dataset.ts';
import { expectWritable, writeBytes } from '../io/node-files.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import {
  checkMerge,
  defaultStrategy,
  type MergeOptions,
  mergeNetworks,
  scoreMerge,
} from '../rebasin/merging/merge.ts';
import { diagnoseMerge } from '../rebasin/merging/merge-collapse.ts';
import { MERGING_METHODS, type MergingMethod } from '../rebasin/merging/merge-models.ts';
import { mergeVerdict } from '../rebasin/merging/merge-verdict.ts';
import { mergeSentence } from '../report/merge-summary.ts';
import type { MergeResult } from '../report/results.ts';
import { textTables } from '../report/summary.ts';
import { checkpointOf, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import {
  type MergingOptionValues,
  matchingSettings,
  renormalisationSettings,
  uploadMethodImages,
  withMergingOptions,
} from './method-options.ts';
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { stageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

/** Test images that activations are looked at on, for the verdict. */
const DIAGNOSED = 1000;

interface MergeCommandOptions extends MergingOptionValues {
  readonly strategy?: MergingMethod;
  readonly lambda?: number;
  readonly measureCycles?: boolean;
  readonly out?: string;
  readonly report?: string;
}

export function registerMerge(program: Command): void {
  const command = program
    .command('merge')
    .description(
      'Merge two or more checkpoints into one network: align their units, average the weights, correct the mean; score it, and say how it did.',
    )
    .argument('<checkpoints...>', 'at least two checkpoints (.safetensors, .pt, .pth or .npz)')
    .addOption(
      new Option(
        '--strategy <name>',
        'which models are matched to which (default: cycle-consistent for more than two by weight, else reference)',
      ).choices([...MERGING_METHODS]),
    )
    .option('--lambda <x>', 'share of the second of two checkpoints (default: 0.5)', shareOf)
    .option(
      '--measure-cycles',
      'also match all other pairs, to see how far their matchings contradict each other',
    )
    .option('--out <file>', 'where to write the merged network (.safetensors)')
    .option('--report <path>', 'a folder for result.json and index.html, or a .json file');
  withMergingOptions(command, 'weight').action(runMerge);
}

function shareOf(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('expected a number from 0 to 1');
  }
  return value;
}

async function runMerge(paths: readonly string[], options: MergeCommandOptions): Promise<void> {
  const started = performance.now();
  const { align, renormalise, lambda, seed } = options;
  if (paths.length < 2)
    throw new OptionError(`merge: expected at least two checkpoints, got ${paths.length}`);
  const matching = matchingSettings(options);
  const renormalisation = renormalisationSettings(options);
  const checkpoints = await readAlike(paths, toldBy(options));
  const first = checkpoints[0]!;
  const model = modelOf(first, options.model);
  const strategy = options.strategy ?? defaultStrategy(paths.length, align);
  checkMerge({
    ...{ model, models: checkpoints, strategy, method: align, renormalise, renormalisation },
    ...(lambda === undefined ? {} : { lambda }),
    statistics: 'what --data gives',
    straightThrough: 'what --data gives',
  });
  const images = await loadData(options, normalisationOfCheckpoint(first));
  for (const split of ['train', 'test', 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await expectWritable(options.out);
  if (options.report) await prepareReport(options.report);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const { normalisation } = images;
    const matches = strategy === 'none' ? 'none' : align;
    const used = uploadMethodImages(context, images, model, [matches], [renormalise], options);
    const test = new GpuDataset(context, images.test, normalisation);
    const diagnosed = new GpuDataset(context, limitDataset(images.test, DIAGNOSED), normalisation);
    const models = checkpoints.map(({ state }) => valuesOf(state));
    const bars = stageBars();
    const onProgress: MergeOptions['onProgress'] = ({ stage, done, total, note }) =>
      bars.update(stage, done, total, note);
    const work = async () => {
      const common = { model, models, signal, onProgress };
      const merged = await mergeNetworks(context, {
        ...{ ...common, ...matching, ...used, method: align, strategy, renormalise, renormalisation, seed },
        ...{ lambda, measureCycles: options.measureCycles },
      });
      const scores = await scoreMerge(context, { ...common, merged, images: test });
      const collapse = Number.isFinite(scores.merged.loss)
        ? await diagnoseMerge(context, {
            ...{ model, models, merged, scores, images: diagnosed, align: matches, renormalise, signal },
            onProgress: ({ done, total }) => bars.update('look at activations', done, total),
          })
        : undefined;
      return { merged, scores, collapse };
    };
    const { merged, scores, collapse } = await work().finally(() => bars.stop());

    const { coefficients, merging, equivalence } = merged;
    const { rounds, converged, distances, objective, cycleError } = merging;
    const verdict = mergeVerdict({
      ...{ model, scores, coefficients, images: test.count, strategy, align, renormalise, collapse },
    });
    const fields = {
      model: merged.model.name,
      assumptions: merged.model.assumptions,
      strategy,
      align: matches,
      renormalise,
      images: test.count,
      test: scores.merged,
      ensemble: scores.ensemble,
      merging: {
        rounds,
        converged,
        distances,
        objective,
        ...(cycleError === undefined ? {} : { cycleError }),
      },
      equivalence,
      permutations: merging.permutations.map((groups) =>
        Object.fromEntries(Object.entries(groups).map(([name, p]) => [name, [...p]])),
      ),
      ...(collapse ? { collapse } : {}),
      verdict,
    };
    const digests = [test, ...used.datasets].map(({ digest }) => digest);
    const inputs = {
      models: models.map((each) => [...each]),
      matching,
      renormalisation,
      coefficients,
      digests,
    };
    // Hashed beside what the result shows: the merged weights themselves.
    const outcome = { scores: scores.models, values: [...merged.values] };
    const result: MergeResult = {
      ...completeResult(context, 'merge', seed, started, { ...inputs, outcome }, fields),
      models: paths.map((name, k) => ({ name, coefficient: coefficients[k]!, test: scores.models[k]! })),
      ...(options.out ? { checkpoint: options.out } : {}),
    };
    if (options.out) await writeBytes(options.out, checkpointOf(merged, first, normalisation));
    const written = options.report ? await writeReport(options.report, result) : [];
    printResult(options.json, result, [
      `model       ${result.model}`,
      ...result.assumptions.map((line) => `assumed     ${line}`),
      `order       ${mergeSentence(result)}`,
      `equivalence passed, largest difference ${equivalence.maxDifference.toExponential(1)} of the largest output`,
      `test        ${describeData(images.test, normalisation)}`,
      '',
      textTables(result),
      '',
      ...verdict,
      ...[...(options.out ? [options.out] : []), ...written].map((path) => `written ${path}`),
    ]);
  });
}
