/**
 * Benchmarks, from the repository: `npm run bench -- [families...] [options]`, or `npm run bench -- STUDY [options]` for those that
 * time algorithms on the host by themselves. `--help` lists the options, `--list` the cases.
 */
import { Command } from 'commander';
import { type BenchOptionValues, withBenchOptions } from '../src/cli/bench.ts';
import { describeError, exitCodeOf } from '../src/cli/exit.ts';
import { interruptSignal } from '../src/cli/session.ts';
import { type BenchParts, benchCommand } from './node/command.ts';
import { nodeFamilies } from './node/families.ts';
import { sizeFamily } from './node/size.ts';

/** Studies with options of their own. */
const STUDIES: Readonly<Record<string, () => Promise<unknown>>> = {
  agepath: () => import('./agepath.ts'),
  'warm-assignment': async () => (await import('./warm-assignment.ts')).benchWarmAssignment(),
};

const [name = '', ...rest] = process.argv.slice(2);
if (name in STUDIES) {
  process.argv.splice(2, process.argv.length, ...rest);
  await STUDIES[name]!();
} else {
  const families = [...nodeFamilies, sizeFamily];
  const parts: BenchParts = {
    families,
    async runInBrowser(...run) {
      const { runInBrowser } = await import('./browser/run.ts');
      await runInBrowser(process.cwd(), ...run);
    },
  };
  const about = families.map(({ name: family, about }) => `  ${family.padEnd(16)}${about}`).join('\n');
  const command = withBenchOptions(new Command('bench')).addHelpText('after', `\nFamilies:\n${about}`);
  command.action(async (families: readonly string[], options: BenchOptionValues) => {
    process.exitCode = await benchCommand(parts, families, options, interruptSignal());
  });
  try {
    await command.parseAsync();
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
  process.exit(); // peers keep their devices, and with them the process
}
