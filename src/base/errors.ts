/**
 * The named errors of this library. Each message says: which function, what was expected, what came, what to do.
 * A caller branches on the class (or on `name`, which survives a copy of the library in another bundle).
 */

/** Base class of every error this library throws on purpose. */
export class RebasinError extends Error {
  /** `RebasinError`, which survives a copy of the library in another bundle. */
  override name = 'RebasinError';
}

/** No adapter, or the adapter lacks a feature or limit that was needed. */
export class UnsupportedError extends RebasinError {
  /** `UnsupportedError`, which survives a copy of the library in another bundle. */
  override name = 'UnsupportedError';
}

/** Shapes, element types or sizes that do not fit each other. */
export class ShapeError extends RebasinError {
  /** `ShapeError`, which survives a copy of the library in another bundle. */
  override name = 'ShapeError';
}

/** A file, or a part of one, that is not what its format promises. */
export class FormatError extends RebasinError {
  /** `FormatError`, which survives a copy of the library in another bundle. */
  override name = 'FormatError';
}

/** An option with an unknown name or a value outside its range. */
export class OptionError extends RebasinError {
  /** `OptionError`, which survives a copy of the library in another bundle. */
  override name = 'OptionError';
}

/** A call at a time when it cannot be made: on something destroyed, or inside something that excludes it. */
export class StateError extends RebasinError {
  /** `StateError`, which survives a copy of the library in another bundle. */
  override name = 'StateError';
}

/** WGSL that did not compile, or a pipeline that could not be made. */
export class ShaderError extends RebasinError {
  /** `ShaderError`, which survives a copy of the library in another bundle. */
  override name = 'ShaderError';
}

/** The GPU device was lost or destroyed while work was pending. */
export class DeviceLostError extends RebasinError {
  /** `DeviceLostError`, which survives a copy of the library in another bundle. */
  override name = 'DeviceLostError';
}

/** WebGPU reported a validation, internal or out-of-memory error. */
export class GpuError extends RebasinError {
  /** `GpuError`, which survives a copy of the library in another bundle. */
  override name = 'GpuError';
}

/** Numbers that make a computation meaningless (NaN or infinite weights, labels out of range). */
export class DataError extends RebasinError {
  /** `DataError`, which survives a copy of the library in another bundle. */
  override name = 'DataError';
}
