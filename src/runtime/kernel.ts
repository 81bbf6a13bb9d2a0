/**
 * A kernel (WGSL text and how it is bound) and a dispatch (a kernel on particular buffers with particular sizes).
 *
 * Binding convention of every kernel, so that one recorder serves all: `@group(0) @binding(0)` is the uniform struct `Params`
 * (bound with a dynamic offset), `@binding(1)`, `@binding(2)`, ... are storage buffers (textures and samplers, too) in the order of `bindings`.
 * The functions of `src/kernels` return dispatches and record nothing: a program prepares them once, everyone else calls
 * `context.record`.
 */

/** `var<storage, read>` or `var<storage, read_write>`. */
export type BindingAccess = 'read' | 'read_write';

/** A texture or a sampler: what a bind group layout says of it, under a name of its own. */
export interface OtherBinding {
  /** Tells layouts apart. */
  readonly name: string;
  /** Without `binding` and `visibility`. */
  readonly layout: Partial<GPUBindGroupLayoutEntry>;
}

/** A compute shader and how it is bound. See the convention at the top of kernel.ts: parameters at binding 0, storage buffers and textures from 1. */
export interface Kernel {
  /** Unique: two kernels of one name must have the same text. Shown in errors and profiles. */
  readonly name: string;
  /** The `.wgsl` file it came from, for error messages. */
  readonly file: string;
  /** The whole text, with an entry point `main`. */
  readonly wgsl: string;
  /** How each storage buffer or texture is used, from binding 1 on. */
  readonly bindings: readonly (BindingAccess | OtherBinding)[];
  /** Values of the text's `override` constants. */
  readonly constants?: Readonly<Record<string, number>>;
}

/**
 * What a result's bits may depend on besides inputs, seed and adapter. `f32`: everything in f32. `f16`: matrix products and convolutions
 * round their operands to f16 as they read them; products, sums and tensors stay f32.
 */
export type Numerics = 'f32' | 'f16';

/** Element types that kernels know. */
export type DType = 'f32' | 'u32' | 'i32';

/** A part of a GPU buffer seen as an array. Whoever made the buffer owns it; a view owns nothing. */
export interface TensorView {
  /** With usage STORAGE. */
  readonly buffer: GPUBuffer;
  /** In bytes; a multiple of 256. */
  readonly offset: number;
  /** Elements along each axis, the last one contiguous. */
  readonly shape: readonly number[];
  /** Of every element, 4 bytes each. */
  readonly dtype: DType;
}

/** A texture or a sampler, as it is bound. */
export interface OtherResource {
  /** It must outlive the bind groups that are made of it. */
  readonly resource: GPUTextureView | GPUSampler;
}

/** A kernel on particular buffers with particular sizes: plain data, for `context.record`. */
export interface Dispatch {
  /** What runs. */
  readonly kernel: Kernel;
  /** One view (or texture, or sampler) per binding, in the kernel's order. */
  readonly views: readonly (TensorView | OtherResource)[];
  /** The uniform struct's bytes; see `packParams`. */
  readonly params: Uint8Array;
  /** Along x, y and z, at most 65,535 each; see `linearGrid`. */
  readonly workgroups: readonly [number, number, number];
  /** Estimated cost in multiply-adds (or elements touched): bounds how much one submit holds. */
  readonly work: number;
}

/** Tells layouts apart. */
export function bindingNames(bindings: Kernel['bindings']): string {
  return bindings.map((binding) => (binding as OtherBinding).name ?? binding).join();
}

/** Number of elements of a shape: the product of its dimensions, 1 for a scalar `[]`. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/**
 * Packs a uniform struct of 4-byte members.
 * @param format one letter per member: `u` for u32, `i` for i32, `f` for f32.
 * @returns bytes padded with zeros to a multiple of 16, as the uniform address space wants.
 */
export function packParams(format: string, ...values: readonly number[]): Uint8Array {
  if (format.length !== values.length) {
    throw new RangeError(`packParams: "${format}" names ${format.length} members, got ${values.length}`);
  }
  const bytes = new Uint8Array(Math.max(16, Math.ceil((4 * values.length) / 16) * 16));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (format[i] === 'f') view.setFloat32(4 * i, value, true);
    else if (format[i] === 'i') view.setInt32(4 * i, value, true);
    else view.setUint32(4 * i, value, true);
  }
  return bytes;
}

const MAX_WORKGROUPS = 65535;

/**
 * A grid of `count` workgroups along one logical axis, wrapped into two where WebGPU's limit of 65,535 an axis is passed.
 * Kernels recover the index as `workgroup_id.y * num_workgroups.x + workgroup_id.x` and check it against their size.
 */
export function linearGrid(count: number): [number, number, number] {
  if (count <= MAX_WORKGROUPS) return [Math.max(count, 1), 1, 1];
  const rows = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / rows), rows, 1];
}
