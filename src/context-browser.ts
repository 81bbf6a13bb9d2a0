/** How a context is opened in a browser tab or worker: GPU adapters through `navigator.gpu`. */
import {
  type Context,
  type ContextOptions,
  contextOnDevice,
  type HostDeviceOptions,
  requestContextOn,
} from './runtime/context.ts';
import { browserPlatform } from './runtime/platform-browser.ts';

/**
 * Finds an adapter and opens a context that owns its device. The caller destroys it.
 * @throws UnsupportedError where there is no WebGPU, with what to do.
 */
export function requestContext(options: ContextOptions = {}): Promise<Context> {
  return requestContextOn(browserPlatform, options);
}

/**
 * A context on a host application's device, which is never destroyed and whose error handlers are left alone. The caller destroys it:
 * that frees what the context made, and nothing of the host's.
 * @throws UnsupportedError when the device's limits are below `requiredLimits()`.
 */
export function contextFromDevice(device: GPUDevice, options: HostDeviceOptions = {}): Context {
  return contextOnDevice(browserPlatform, device, options);
}
