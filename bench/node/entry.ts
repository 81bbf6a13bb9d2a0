/**
 * The suite as it is published, for `rebasin bench`: all families but bundle size, which is about the repository. It is a bundle of its
 * own, with its own copy of the library's errors, so it tells them itself.
 */
import type { RunBench } from '../../src/cli/bench.ts';
import { describeError, exitCodeOf } from '../../src/cli/exit.ts';
import { benchCommand } from './command.ts';
import { nodeFamilies } from './families.ts';

export const runBench: RunBench = async (families, options, signal) => {
  try {
    return await benchCommand({ families: nodeFamilies }, families, options, signal);
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return exitCodeOf(error);
  }
};
