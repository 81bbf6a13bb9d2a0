/**
 * Error scopes around what a context does on a host's device, so that its errors are told to whoever uses the context, and never reach
 * the host's own handlers.
 */

/** Runs what makes GPU objects or submits work, and returns what it returns. */
export type Guard = <T>(body: () => T) => T;

const FILTERS = ['validation', 'out-of-memory', 'internal'] as const;

/** A guard that tells errors to `onError`, a moment later. Scopes nest, so those that the host has open stay as they are. */
export function errorScopeGuard(device: GPUDevice, onError: (error: GPUError) => void): Guard {
  return (body) => {
    for (const filter of FILTERS) device.pushErrorScope(filter);
    try {
      return body();
    } finally {
      for (const _ of FILTERS) {
        device.popErrorScope().then(
          (error) => error && onError(error),
          () => {}, // the device is gone: its loss is reported
        );
      }
    }
  };
}
