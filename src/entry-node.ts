/** The library in Node: GPU adapters through Dawn (the package `webgpu`), files through the file system. */
import {
  type Context,
  type ContextOptions,
  contextOnDevice,
  type HostDeviceOptions,
  requestContextOn,
} from './runtime/context.ts';
import { nodePlatform } from './runtime/platform-node.ts';

export * from './index.ts';
export { loadImageFolder, readBytes, writeBytes } from './io/node-files.ts';

/** Finds the best adapter of this machine and opens a context that owns its device. @throws UnsupportedError */
export function requestContext(options: ContextOptions = {}): Promise<Context> {
  return requestContextOn(nodePlatform, options);
}

/**
 * A context on a host application's device, which is never destroyed and whose error handlers are left alone.
 * @throws UnsupportedError when the device's limits are below `requiredLimits()`.
 */
export function contextFromDevice(device: GPUDevice, options: HostDeviceOptions = {}): Context {
  return contextOnDevice(nodePlatform, device, options);
}
