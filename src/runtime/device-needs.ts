/**
 * What this library asks of a WebGPU device, as data: for hosts that make the device themselves, and for the checks before a context
 * is opened. Nothing here needs a GPU.
 */
import { OptionError, UnsupportedError } from '../base/errors.ts';
import type { Numerics } from './kernel.ts';

/** The limits that some kernel needs. Every device that is not in WebGPU's compatibility mode has them without being asked. */
const NEEDED = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeWorkgroupsPerDimension: 65535,
} as const;

/** Limits worth raising to what the adapter has: they decide how large a tensor, and how large a part of it, may be. */
const RAISED = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const;

/** Features used where the device has them; what for is said at `optionalFeatures`. */
const OPTIONAL: readonly GPUFeatureName[] = ['timestamp-query', 'subgroups', 'shader-f16'];

/**
 * The limits to make a device with, for `adapter.requestDevice({ requiredLimits: requiredLimits(adapter) })`. Merge them with the host's
 * own by taking the larger of each.
 * @param adapter default: none, and the result holds only what the kernels cannot do without. With one, `maxBufferSize` and
 *   `maxStorageBufferBindingSize` (bytes) are raised to what it has, so that models and batches may be as large as it allows.
 * @returns a new object of limits by WebGPU's names. A device with smaller ones is refused by `contextFromDevice`.
 */
export function requiredLimits(adapter?: Pick<GPUAdapter, 'limits'>): Record<string, number> {
  const limits: Record<string, number> = { ...NEEDED };
  if (adapter) for (const name of RAISED) limits[name] = adapter.limits[name];
  return limits;
}

/**
 * The features that kernels use where the device has them, for `adapter.requestDevice({ requiredFeatures: optionalFeatures(adapter) })`.
 * A device without them computes the same bits: `subgroups` makes some kernels faster, `timestamp-query` lets `context.profile` work,
 * and `shader-f16` is used only by contexts that are asked for the numerics class `f16`, which cannot be opened without it.
 * @param adapter default: none, and all of them are named. With one, those that it has.
 */
export function optionalFeatures(adapter?: Pick<GPUAdapter, 'features'>): GPUFeatureName[] {
  return OPTIONAL.filter((feature) => !adapter || adapter.features.has(feature));
}

/**
 * Checks that a numerics class runs on a device.
 * @throws OptionError when there is no such class, UnsupportedError that names the adapter when it cannot compute in it.
 */
export function checkNumerics(
  caller: string,
  numerics: Numerics,
  { features }: Pick<GPUAdapter, 'features'>,
  adapterName: string,
): void {
  if (numerics !== 'f32' && numerics !== 'f16')
    throw new OptionError(`${caller}: numerics is f32 or f16, got "${numerics}"`);
  if (numerics === 'f16' && !features.has('shader-f16')) {
    throw new UnsupportedError(
      `${caller}: numerics "f16" needs the WebGPU feature shader-f16, which ${adapterName} has not (or the device was made without); use "f32"`,
    );
  }
}

/**
 * Compares limits with `requiredLimits()`.
 * @param caller the function that asks, for the message.
 * @param what whose limits they are, such as `the device`.
 * @throws UnsupportedError that names each limit that is too small, what it is and what it must be.
 */
export function checkLimits(
  caller: string,
  what: string,
  limits: Pick<GPUSupportedLimits, keyof typeof NEEDED>,
): void {
  const names = Object.keys(NEEDED) as (keyof typeof NEEDED)[];
  const missing = names.filter((name) => !(limits[name] >= NEEDED[name])); // not >=, since it may be missing
  if (missing.length === 0) return;
  const list = missing.map((name) => `${name} is ${limits[name]} and must be at least ${NEEDED[name]}`);
  throw new UnsupportedError(
    `${caller}: ${what} has limits that are too small: ${list.join(', ')}; make it with ` +
      'adapter.requestDevice({ requiredLimits: requiredLimits(adapter) }), on an adapter that is not in compatibility mode',
  );
}
