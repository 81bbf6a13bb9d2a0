/** What every command does before its own work: a context, checkpoints, data, and a clean end. */
import { UnsupportedError } from '../base/errors.ts';
import { loadTuning } from '../kernels/tuning/tune.ts';
import { type Context, requestContextOn } from '../runtime/context.ts';
import { nodePlatform } from '../runtime/platform-node.ts';
import { NoAdapterError } from './exit.ts';
import type { AdapterOptionValues } from './options.ts';

/** How long work may take to stop by itself after a signal. */
const GRACE_MS = 5000;

/**
 * Aborted by Ctrl-C or SIGTERM: long work stops at its next step, and nothing half-written is left. Where nothing looks at the signal,
 * the process ends after a moment; a second signal ends it at once.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(name, () => {
      controller.abort();
      process.exitCode = code;
      process.once(name, () => process.exit(code));
      setTimeout(() => process.exit(code), GRACE_MS).unref();
    });
  }
  return controller.signal;
}

/** Opens a context as the options say, runs `body`, and frees everything. @throws NoAdapterError when there is no adapter. */
export async function withContext<T>(
  options: AdapterOptionValues,
  body: (context: Context) => Promise<T>,
): Promise<T> {
  const { adapter, backend, variant, numerics } = options;
  let context: Context;
  try {
    context = await requestContextOn(nodePlatform, {
      ...(adapter ? { adapter } : {}),
      ...(backend ? { backend } : {}),
      ...(variant ? { variants: variant } : {}),
      ...(numerics ? { numerics } : {}),
    });
  } catch (cause) {
    if (cause instanceof UnsupportedError) throw new NoAdapterError(cause.message, { cause });
    throw cause;
  }
  try {
    await loadTuning(context, { onWarning: (message) => process.stderr.write(`${message}\n`) });
    return await body(context);
  } finally {
    context.destroy();
  }
}
