/** What every command's result has beside its own fields. */
import { hashResult } from '../base/hash.ts';
import type { CommonResult } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import { VERSION } from '../version.ts';

/** Adds the fields that every result has. `inputs` are what decides the result; times and paths are not hashed. */
export function completeResult<T extends object>(
  context: Pick<Context, 'adapterName'>,
  command: string,
  seed: number,
  started: number,
  inputs: object,
  fields: T,
): CommonResult & T {
  return {
    command,
    version: VERSION,
    adapter: context.adapterName,
    seed,
    seconds: Math.round(performance.now() - started) / 1000,
    hash: hashResult({ command, seed, inputs, fields }),
    ...fields,
  };
}
