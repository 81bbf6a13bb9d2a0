/** `rebasin demo`: train two networks, align them, and write a report of the barrier before and after. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { makeFolder, writeBytes } from '../io/node-files.ts';
import { parseModel } from '../nn/models/parse-model.ts';
import { type StateDict, writeStateDict } from '../nn/state-dict.ts';
import { type DemoNetwork, runDemo } from '../rebasin/demo.ts';
import type { DemoResult } from '../report/results.ts';
import { curveTable, headline } from '../report/summary.ts';
import { VERSION } from '../version.ts';
import { checkpointMetadata } from './checkpoint.ts';
import { describeMatch } from './match.ts';
import { type AdapterOptionValues, pointCount, withAdapterOptions, withSeedOption } from './options.ts';
import { printResult, writeReport } from './output.ts';
import { stageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface DemoCommandOptions extends AdapterOptionValues {
  readonly seed: number;
  readonly points?: number;
  readonly network: DemoNetwork;
  readonly out: string;
}

export function registerDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('Train two networks from different seeds, align them, and watch the barrier go.')
    .addOption(
      new Option('--network <kind>', 'an mlp, or a small resnet with batch norm (matched, then RESET)')
        .choices(['mlp', 'resnet'])
        .default('mlp'),
    )
    .option('--points <n>', 'equally spaced values of lambda (default: 25, for resnet 11)', pointCount)
    .option('--out <folder>', 'where to write index.html, result.json and the checkpoints', 'report');
  withSeedOption(withAdapterOptions(command)).action(async (options: DemoCommandOptions) => {
    const started = performance.now();
    const { seed, points, network, out } = options;
    await makeFolder(out);
    await withContext(options, async (context) => {
      const bars = stageBars();
      const demo = await runDemo(context, {
        network,
        seed,
        ...(points === undefined ? {} : { points }),
        signal: interruptSignal(),
        onProgress: ({ stage, done, total, note }) => bars.update(stage, done, total, note),
      }).finally(() => bars.stop());
      const result: DemoResult = {
        command: 'demo',
        version: VERSION,
        adapter: context.adapterName,
        seed,
        seconds: Math.round(performance.now() - started) / 1000,
        hash: demo.hash,
        ...demo.fields,
      };
      const metadata = checkpointMetadata(parseModel(demo.fields.model), demo.normalisation);
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
