/** What every command does before its own work: a context, checkpoints, data, and a clean end. */
import { UnsupportedError } from '../base/errors.ts';
import { type Context, requestContextOn } from '../runtime/context.ts';
import { nodePlatform } from '../runtime/platform-node.ts';
import { NoAdapterError } from './exit.ts';
import type { AdapterOptionValues } from './options.ts';

/** Aborted by Ctrl-C: long work stops at its next step, and nothing half-written is left. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}

/** Opens a context as the options say, runs `body`, and frees everything. @throws NoAdapterError when there is no adapter. */
export async function withContext<T>(
  options: AdapterOptionValues,
  body: (context: Context) => Promise<T>,
): Promise<T> {
  const { adapter, backend, variant } = options;
  let context: Context;
  try {
    context = await requestContextOn(nodePlatform, {
      ...(adapter ? { adapter } : {}),
      ...(backend ? { backend } : {}),
      ...(variant ? { variants: variant } : {}),
    });
  } catch (cause) {
    if (cause instanceof UnsupportedError) throw new NoAdapterError(cause.message, { cause });
    throw cause;
  }
  try {
    return await body(context);
  } finally {
    context.destroy();
  }
}
