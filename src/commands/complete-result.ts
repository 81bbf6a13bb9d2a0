/** What every command's result has beside its own fields. */
import { hashResult } from '../base/hash.ts';
import type { CommonResult } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import { VERSION } from '../version.ts';

/** Adds the fields that every result has. `inputs` are what decides the result; times and paths are not hashed. */
export function completeResult<T extends object>(
  context: Pick<Context, 'adapterName'> & Partial<Pick<Context, 'numerics'>>,
  command: string,
  seed: number,
  started: number,
  inputs: object,
  fields: T,
): CommonResult & T {
  const numerics = numericsField(context);
  return {
    command,
    version: VERSION,
    adapter: context.adapterName,
    ...numerics,
    seed,
    seconds: Math.round(performance.now() - started) / 1000,
    hash: hashResult({ command, ...numerics, seed, inputs, fields }),
    ...fields,
  };
}

/** The numerics class, where it is not f32: what was recorded before there were others keeps its hash. */
export function numericsField({ numerics = 'f32' }: Partial<Pick<Context, 'numerics'>>): {
  numerics?: 'f16';
} {
  return numerics === 'f32' ? {} : { numerics };
}
