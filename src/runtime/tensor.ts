/** A tensor: a GPU buffer with a shape and an element type, dense and row-major. */
import type { Context } from './context.ts';
import type { DType, TensorView } from './kernel.ts';

/** A GPU buffer with a shape and an element type, dense and row-major; its own, or a host's that was wrapped. */
export class Tensor implements TensorView {
  /** The context that made or wrapped it. */
  readonly context: Context;
  /** The GPU buffer itself, for hosts that go on with it; it may be larger than the tensor. */
  readonly buffer: GPUBuffer;
  /** In bytes, always 0: for parts of buffers use a plain `TensorView`. */
  readonly offset = 0;
  /** Elements along each axis, the last one contiguous. */
  readonly shape: readonly number[];
  /** Of every element, 4 bytes each. */
  readonly dtype: DType;
  readonly #owned: boolean;
  #destroyed = false;

  /** Use `context.tensor`, `context.tensorFrom` or `context.wrap`. */
  constructor(context: Context, buffer: GPUBuffer, shape: readonly number[], dtype: DType, owned: boolean) {
    this.context = context;
    this.buffer = buffer;
    this.shape = shape;
    this.dtype = dtype;
    this.#owned = owned;
  }

  /** Reads the content back, after everything recorded so far. */
  read(): Promise<Float32Array> {
    return this.context.read(this);
  }

  /** Returns the buffer to the pool, unless it was wrapped. Safe to call twice. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    if (this.#owned) this.context.release(this.buffer);
  }
}
