/** WebGPU's flag constants, kept here so that Node needs no globals installed and a host's globals are not touched. */

export const BufferUsage = {
  MAP_READ: 0x0001,
  MAP_WRITE: 0x0002,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
  QUERY_RESOLVE: 0x0200,
} as const;

export const TextureUsage = { TEXTURE_BINDING: 0x04, STORAGE_BINDING: 0x08 } as const;

export const MapMode = { READ: 1, WRITE: 2 } as const;

export const ShaderStage = { COMPUTE: 4 } as const;

/** Usage of every buffer that holds tensors: bindable, and copied from and to. */
export const STORAGE_USAGE = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
