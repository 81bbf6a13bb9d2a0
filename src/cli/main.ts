#!/usr/bin/env node
/** The command `rebasin`. Results go to stdout, progress to stderr. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.ts';
import { registerAgePath } from './agepath.ts';
import { registerAnalyse } from './analyse.ts';
import { registerBench } from './bench.ts';
import { registerCompare } from './compare.ts';
import { registerData } from './data-command.ts';
import { registerDemo } from './demo.ts';
import { registerEval } from './eval.ts';
import { describeError, EXIT, exitCodeOf } from './exit.ts';
import { registerInfo } from './info.ts';
import { registerMatch } from './match.ts';
import { registerMerge } from './merge.ts';
import { registerPlane } from './plane.ts';
import { registerPrune } from './prune.ts';
import { registerStats } from './stats.ts';
import { registerStudy } from './study.ts';
import { registerSweep } from './sweep.ts';
import { registerTrain } from './train.ts';
import { registerTune } from './tune.ts';

const program = new Command('rebasin')
  .description('Align, merge and study separately trained neural networks on WebGPU.')
  .version(VERSION)
  .showHelpAfterError('(rebasin --help, or rebasin COMMAND --help)')
  .exitOverride();

registerDemo(program);
registerTrain(program);
registerEval(program);
registerMatch(program);
registerMerge(program);
registerCompare(program);
registerSweep(program);
registerPlane(program);
registerStats(program);
registerPrune(program);
registerAnalyse(program);
registerStudy(program);
registerAgePath(program);
registerBench(program);
registerData(program);
registerTune(program);
registerInfo(program);

// Whoever reads our output may stop early (`| head`): that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end with 0; everything else is usage, told by commander already.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode ??= exitCodeOf(error);
  }
}
