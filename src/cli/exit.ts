/** Exit codes and how errors are told: 0 ok, 1 failure, 2 usage, 3 no adapter. */
import { OptionError, RebasinError, UnsupportedError } from '../base/errors.ts';

export const EXIT = { ok: 0, failure: 1, usage: 2, noAdapter: 3 } as const;

/** Marks the one UnsupportedError that means "this machine has no GPU adapter". */
export class NoAdapterError extends UnsupportedError {
  override name = 'NoAdapterError';
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof OptionError) return EXIT.usage;
  if (error instanceof NoAdapterError) return EXIT.noAdapter;
  return EXIT.failure;
}

/** One line for a named error; the stack for a bug of ours. */
export function describeError(error: unknown): string {
  if (error instanceof RebasinError) return `rebasin: ${error.message}`;
  if (error instanceof Error && error.name === 'AbortError') return 'rebasin: stopped; no result was written';
  return `rebasin: unexpected error, please report it:\n${error instanceof Error ? error.stack : String(error)}`;
}
