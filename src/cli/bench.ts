/**
 * `rebasin bench`: the benchmark suite on this machine's adapter. It is loaded only when it is asked for, from `dist/bench`, where the
 * build puts it; in the repository `npm run bench` runs the same command from its sources.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { positiveInteger, positiveNumber } from './options.ts';
import { interruptSignal } from './session.ts';

/** Values of the options below, as commander gives them. */
export interface BenchOptionValues {
  readonly only: string;
  readonly peers?: boolean;
  readonly without: readonly string[];
  readonly json?: string;
  readonly html?: string;
  readonly adapter?: string;
  readonly backend?: string;
  readonly variants: readonly string[];
  readonly repeats: number;
  readonly roofs: boolean;
  readonly targets?: boolean;
  readonly targetsOnly?: boolean;
  readonly budget?: number;
  readonly browser?: boolean;
  readonly list?: boolean;
}

/** What `dist/bench/entry.js` exports. @returns the process's exit code. */
export type RunBench = (
  families: readonly string[],
  options: BenchOptionValues,
  signal: AbortSignal,
) => Promise<number>;

/** The suite's arguments and options, described once for both commands. */
export function withBenchOptions(command: Command): Command {
  return command
    .description('Time every kind of work on this adapter, results checked first, and compare.')
    .argument('[families...]', 'families of cases, such as matmul conv training (default: all; see --list)')
    .option('--only <text>', 'only cases with this text in their names', '')
    .option('--peers', 'compare with other engines, those that are installed')
    .option('--without <engines>', 'leave these peers out, separated by commas', names, [])
    .option('--json <file>', 'write a line of JSON for each case and engine; - writes to stdout')
    .option('--html <file>', 'write a page with plots')
    .option('--adapter <name>', 'part of an adapter name, or the path of a Vulkan ICD .json file')
    .option('--backend <name>', 'Dawn backend: vulkan, metal, d3d12, ...')
    .option(
      '--variants <names>',
      'kernel variants, separated by commas: default, naive, register, quad, workgroup',
      names,
      ['default'],
    )
    .option('--repeats <n>', 'times of everyone in each case', positiveInteger, 9)
    .option('--no-roofs', 'do not measure what the adapter can do at most')
    .option('--targets', 'say at the end which targets were met')
    .option('--targets-only', 'only cases that targets are about on this adapter; and say which were met')
    .option(
      '--budget <seconds>',
      'who needs longer for a first run is timed by that one alone, and left out where it would take six times as long',
      positiveNumber,
    )
    .option('--browser', 'run in Chromium instead of Node (in the repository only)')
    .option('--list', 'list families and cases, and run nothing');
}

function names(text: string): string[] {
  const found = text.split(',').map((name) => name.trim());
  if (found.includes('')) throw new InvalidArgumentError('expected names separated by commas');
  return found;
}

export function registerBench(program: Command): void {
  withBenchOptions(program.command('bench')).action(
    async (families: readonly string[], options: BenchOptionValues) => {
      const { runBench } = (await import(new URL('../bench/entry.js', import.meta.url).href)) as {
        runBench: RunBench;
      };
      process.exitCode = await runBench(families, options, interruptSignal());
      process.exit(); // peers keep their devices, and with them the process
    },
  );
}
