/** `rebasin plane`: loss and accuracy on the plane through three models: A, B and B permuted, or A and two others permuted. */
import { type Command, Option } from 'commander';
import { OptionError } from '../base/errors.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { planeSweep } from '../rebasin/interpolation/plane.ts';
import { uploadEndpoints } from '../rebasin/renormalise/endpoints.ts';
import { checkRenormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { MatchFields, PlaneResult } from '../report/results.ts';
import { headline, textTables } from '../report/summary.ts';
import type { Arena, HostTensors } from '../runtime/arena.ts';
import { type Checkpoint, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { describeMatch, matchWithProgress } from './match.ts';
import {
  type MergingOptionValues,
  matchingSettings,
  renormalisationSettings,
  uploadMethodImages,
  withMergingOptions,
} from './method-options.ts';
import { nonNegative, pointCount } from './options.ts';
import { completeResult, prepareReport, printResult, writeReport } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface PlaneOptions extends MergingOptionValues {
  readonly grid: number;
  readonly margin: number;
  readonly on: 'train' | 'test';
  readonly out?: string;
}

type Three<T> = readonly [T, T, T];

export function registerPlane(program: Command): void {
  const command = program
    .command('plane')
    .description(
      'Loss and accuracy on the plane through A, B and B permuted; with three checkpoints, through A, B and C, the latter two permuted.',
    )
    .argument('<a>', 'checkpoint A (.safetensors, .pt, .pth or .npz), the origin')
    .argument('<b>', 'checkpoint B')
    .argument('[c]', 'checkpoint C')
    .option('--grid <n>', 'points along each axis', pointCount, 21)
    .option('--margin <x>', 'around the triangle, as a part of its larger extent', nonNegative, 0.25)
    .addOption(
      new Option('--on <split>', 'which images to evaluate on').choices(['train', 'test']).default('test'),
    )
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withMergingOptions(command, 'weight').action(runPlane);
}

async function runPlane(
  pathA: string,
  pathB: string,
  pathC: string | undefined,
  options: PlaneOptions,
): Promise<void> {
  const started = performance.now();
  const { align, grid, margin, on, renormalise, seed } = options;
  if (pathC === undefined && align === 'none') {
    throw new OptionError(
      '--align none: two checkpoints make no plane; give a third, or an alignment that makes one of B',
    );
  }
  const matching = matchingSettings(options);
  const renormalisation = renormalisationSettings(options);
  const paths = [pathA, pathB, ...(pathC === undefined ? [] : [pathC])];
  const [a, ...others] = (await readAlike(paths, toldBy(options))) as [Checkpoint, ...Checkpoint[]];
  const model = modelOf(a, options.model);
  checkRenormalisation(renormalise, model, renormalisation);
  if (renormalise === 'bias') {
    throw new OptionError(
      '--renormalise bias goes between networks; a plane goes beyond them: choose another',
    );
  }
  const images = await loadData(options, normalisationOfCheckpoint(a));
  for (const split of [on, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const used = uploadMethodImages(context, images, model, [align], [renormalise], options);
    const values = [a, ...others].map(({ state }) => valuesOf(state));
    const matches: Record<string, MatchFields> = {};
    const aligned: HostTensors[] = [];
    for (const [i, name] of ['B', 'C'].slice(0, others.length).entries()) {
      if (align === 'none') break;
      const found = await matchWithProgress(context, {
        ...{ model, a: values[0]!, b: values[i + 1]!, method: align, ...matching, ...used, seed, signal },
      });
      matches[name] = found.fields;
      aligned.push(found.aligned);
    }
    const { ends, names } = chooseModels(values, aligned);

    const endpoints = uploadEndpoints(context, {
      ...{ model, networks: ends, renormalise, settings: renormalisation, data: used.statistics },
    });
    const data = new GpuDataset(context, images[on], images.normalisation);
    const progress = startProgress('plane', grid * grid + 6);
    const plane = await planeSweep(context, {
      model: endpoints.model,
      models: endpoints.arenas as unknown as Three<Arena>,
      names,
      data: { [on]: data },
      gridSize: grid,
      margin,
      renormalise: endpoints.renormalise,
      signal,
      onProgress: ({ done }) => progress.update(done),
    }).finally(() => progress.stop());

    const fields = {
      model: model.name,
      align,
      renormalise,
      models: plane.models.map((position, i) => ({ name: names[i]!, ...position })),
      grid: { x: plane.x, y: plane.y },
      ...plane.values,
      matches,
    };
    const digests = [data, ...used.datasets].map(({ digest }) => digest);
    const inputs = { values: values.map((each) => [...each]), matching, renormalisation, digests };
    const result: PlaneResult = {
      ...completeResult(context, 'plane', seed, started, inputs, fields),
      ...fields,
    };
    const written = options.out ? await writeReport(options.out, result) : [];
    printResult(options.json, result, [
      headline(result),
      '',
      `${on.padEnd(11)} ${describeData(images[on], images.normalisation)}`,
      ...Object.entries(matches).flatMap(([name, match]) => [`matching ${name}`, ...describeMatch(match)]),
      '',
      textTables(result),
      ...written.map((path) => `written ${path}`),
    ]);
  });
}

/** The corners of the triangle: of two checkpoints A, B and B permuted, of three A and the others, permuted if they are aligned. */
function chooseModels(
  values: readonly HostTensors[],
  aligned: readonly HostTensors[],
): { readonly ends: readonly HostTensors[]; readonly names: Three<string> } {
  if (values.length === 2) return { ends: [...values, aligned[0]!], names: ['A', 'B', 'pi(B)'] };
  if (aligned.length === 0) return { ends: values, names: ['A', 'B', 'C'] };
  return { ends: [values[0]!, ...aligned], names: ['A', 'pi(B)', 'pi(C)'] };
}
