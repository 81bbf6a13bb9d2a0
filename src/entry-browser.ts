/** The library in a browser: GPU adapters through `navigator.gpu`. */
import {
  type Context,
  type ContextOptions,
  contextOnDevice,
  type HostDeviceOptions,
  requestContextOn,
} from './runtime/context.ts';
import { browserPlatform } from './runtime/platform-browser.ts';

export * from './index.ts';

/** Finds an adapter and opens a context that owns its device. @throws UnsupportedError where there is no WebGPU. */
export function requestContext(options: ContextOptions = {}): Promise<Context> {
  return requestContextOn(browserPlatform, options);
}

/**
 * A context on a host application's device, which is never destroyed and whose error handlers are left alone.
 * @throws UnsupportedError when the device's limits are below `requiredLimits()`.
 */
export function contextFromDevice(device: GPUDevice, options: HostDeviceOptions = {}): Context {
  return contextOnDevice(browserPlatform, device, options);
}
