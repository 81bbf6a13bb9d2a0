/** `rebasin plane`: loss and accuracy on the plane through three models: A, B and B permuted, or A and two others permuted. */
import { type Command, Option } from 'commander';
import { type Checkpoint, modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { renormalisationSettings } from '../commands/method-settings.ts';
import { checkPlane, planeResult } from '../commands/plane.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import { headline, textTables } from '../report/summary.ts';
import { readAlike, toldBy } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import { describeMatch } from './match.ts';
import { type MergingOptionValues, withMergingOptions } from './method-options.ts';
import { nonNegative, pointCount } from './options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { withStageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface PlaneOptions extends MergingOptionValues {
  readonly grid: number;
  readonly margin: number;
  readonly on: 'train' | 'test';
  readonly out?: string;
}

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
  const { on } = options;
  const paths = [pathA, pathB, ...(pathC === undefined ? [] : [pathC])];
  const checkpoints = await readAlike(paths, toldBy(options));
  const [first] = checkpoints as [Checkpoint, ...Checkpoint[]];
  const model = modelOfCheckpoint(first, options.model);
  checkPlane({ ...options, model, checkpoints: checkpoints.length }, renormalisationSettings(options));
  const images = await loadData(options, normalisationOfCheckpoint(first));
  for (const split of [on, 'statistics'] as const) checkDatasetFits(model, images[split]);
  if (options.out) await prepareReport(options.out);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const result = await withStageBars((onProgress) =>
      planeResult(context, { ...options, checkpoints, model, images, started, signal, onProgress }),
    );
    const written = options.out ? await writeReport(options.out, result) : [];
    printResult(options.json, result, [
      headline(result),
      '',
      `${on.padEnd(11)} ${describeData(images[on], images.normalisation)}`,
      ...Object.entries(result.matches).flatMap(([name, match]) => [
        `matching ${name}`,
        ...describeMatch(match),
      ]),
      '',
      textTables(result),
      ...written.map((path) => `written ${path}`),
    ]);
  });
}
