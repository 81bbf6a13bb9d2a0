/**
 * `rebasin/runtime`: contexts, tensors, arenas, kernels of one's own, recordings for a host's encoders. Knows no network. What opens a
 * context is added by `entry-runtime-node.ts` and `entry-runtime-browser.ts`.
 */
export * from './base/errors.ts';
export {
  Arena,
  type ArenaEntry,
  ArenaLayout,
  type ArenaSlice,
  type HostTensors,
} from './runtime/arena.ts';
export type {
  Context,
  ContextOptions,
  ContextSettings,
  HostDeviceOptions,
  Origin,
} from './runtime/context.ts';
export { optionalFeatures, requiredLimits } from './runtime/device-needs.ts';
export {
  type BindingAccess,
  type Dispatch,
  type DType,
  elementCount,
  type Kernel,
  linearGrid,
  type Numerics,
  type OtherBinding,
  type OtherResource,
  packParams,
  type TensorView,
} from './runtime/kernel.ts';
export type { AdapterOptions, Pending, TextCache } from './runtime/platform.ts';
export type { KernelTime, Profile } from './runtime/profiler.ts';
export type { Recording } from './runtime/recording.ts';
export { type Destroyable, Scope } from './runtime/scope.ts';
export type { Tensor } from './runtime/tensor.ts';
