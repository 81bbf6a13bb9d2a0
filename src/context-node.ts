/** How a context is opened in Node: GPU adapters through Dawn (the package `webgpu`). */
import {
  type Context,
  type ContextOptions,
  contextOnDevice,
  type HostDeviceOptions,
  requestContextOn,
} from './runtime/context.ts';
import { nodePlatform } from './runtime/platform-node.ts';

/**
 * Finds the best adapter of this machine and opens a context that owns its device. The caller destroys it.
 * @throws UnsupportedError that says what was tried and what to install.
 */
export function requestContext(options: ContextOptions = {}): Promise<Context> {
  return requestContextOn(nodePlatform, options);
}

/**
 * A context on a host application's device, which is never destroyed and whose error handlers are left alone. The caller destroys it:
 * that frees what the context made, and nothing of the host's.
 * @throws UnsupportedError when the device's limits are below `requiredLimits()`.
 */
export function contextFromDevice(device: GPUDevice, options: HostDeviceOptions = {}): Context {
  return contextOnDevice(nodePlatform, device, options);
}
