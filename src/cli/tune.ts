/** `rebasin tune`: measures which kernels are fastest on this adapter, and keeps that for the commands that follow. */
import type { Command } from 'commander';
import { numericsField } from '../commands/complete-result.ts';
import { type TunedProblem, tune } from '../kernels/tuning/tune.ts';
import { VERSION } from '../version.ts';
import { type AdapterOptionValues, positiveInteger, withAdapterOptions } from './options.ts';
import { printResult } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface TuneOptionValues extends AdapterOptionValues {
  readonly budget: number;
  readonly again?: boolean;
}

export function registerTune(program: Command): void {
  const command = program
    .command('tune')
    .description(
      'Measure which kernels are fastest on this adapter, and use them from now on (same results).',
    )
    .option('--budget <ms>', 'milliseconds after which nothing new is begun', positiveInteger, 2000)
    .option('--again', 'measure again what is known');
  withAdapterOptions(command).action(async (options: TuneOptionValues) => {
    await withContext(options, async (context) => {
      let bar: ReturnType<typeof startProgress> | undefined;
      const { measured, choices, known, left } = await tune(context, {
        budgetMs: options.budget,
        again: options.again ?? false,
        signal: interruptSignal(),
        onProgress: ({ done, total, note }) => {
          bar ??= startProgress('tune', total);
          bar.update(done, note);
        },
        onWarning: (message) => process.stderr.write(`${message}\n`),
      }).finally(() => bar?.stop());
      const result = {
        command: 'tune',
        version: VERSION,
        adapter: context.adapterName,
        ...numericsField(context),
        ...{ measured, choices, known, left },
      };
      printResult(options.json, result, [
        `adapter   ${context.adapterName}${context.software ? ' (computes on the CPU)' : ''}`,
        ...measured.flatMap(tableOf),
        `measured ${measured.length} problems, ${known} were known, for ${left} there was no time (--budget)`,
      ]);
    });
  });
}

/** A problem's candidates, the fastest first. */
function tableOf({ problem, chosen, milliseconds }: TunedProblem): string[] {
  const sorted = Object.entries(milliseconds).sort(([, a], [, b]) => a - b);
  const rows = sorted.map(([name, time]) => {
    const mark = name === (chosen ?? 'default') ? '*' : ' ';
    return `  ${mark} ${name.padEnd(20)} ${time.toFixed(3).padStart(10)} ms`;
  });
  return [problem, ...rows];
}
