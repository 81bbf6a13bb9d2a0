/** The suite as it is published, for `rebasin bench`: all families but bundle size, which is about the repository. */
import type { RunBench } from '../../src/cli/bench.ts';
import { benchCommand } from './command.ts';
import { nodeFamilies } from './families.ts';

export const runBench: RunBench = (families, options, signal) =>
  benchCommand({ families: nodeFamilies }, families, options, signal);
