/**
 * Storage buffers by exact size: released ones are handed out again, up to a bound on idle bytes.
 *
 * Reuse needs no fence: a queue runs what it is given in order, so whatever still reads an old content was submitted (or recorded)
 * before whatever will overwrite it. The pool counts what is live, so that a leak is a number a test can look at.
 */
import { STORAGE_USAGE } from './gpu-constants.ts';
import type { Guard } from './guard.ts';

/** Sizes are rounded up to this, so that nearly equal tensors share buffers and every vec4 load is inside its buffer. */
const GRANULARITY_BYTES = 256;

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #maxIdleBytes: number;
  readonly #guard: Guard;
  readonly #idle = new Map<number, GPUBuffer[]>();
  readonly #live = new Set<GPUBuffer>();
  #idleBytes = 0;
  #liveBytes = 0;
  #created = 0;

  constructor(device: GPUDevice, maxIdleBytes: number, guard: Guard) {
    this.#device = device;
    this.#maxIdleBytes = maxIdleBytes;
    this.#guard = guard;
  }

  /** Buffers handed out and not yet released. */
  get liveBuffers(): number {
    return this.#live.size;
  }

  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Buffers ever created on the device. Constant in a steady state. */
  get created(): number {
    return this.#created;
  }

  /** @returns a buffer of at least `sizeBytes`, and whether its content is known to be zero (fresh from the device). */
  acquire(sizeBytes: number, label: string): { buffer: GPUBuffer; zeroed: boolean } {
    const size = Math.max(GRANULARITY_BYTES, Math.ceil(sizeBytes / GRANULARITY_BYTES) * GRANULARITY_BYTES);
    this.#liveBytes += size;
    const recycled = this.#idle.get(size)?.pop();
    if (recycled) {
      this.#idleBytes -= size;
      this.#live.add(recycled);
      return { buffer: recycled, zeroed: false };
    }
    this.#created++;
    const buffer = this.#guard(() => this.#device.createBuffer({ label, size, usage: STORAGE_USAGE }));
    this.#live.add(buffer);
    return { buffer, zeroed: true };
  }

  /** @returns the buffer if the pool is full and the caller must destroy it once nothing recorded uses it. */
  release(buffer: GPUBuffer): GPUBuffer | undefined {
    this.#live.delete(buffer);
    this.#liveBytes -= buffer.size;
    if (this.#idleBytes + buffer.size > this.#maxIdleBytes) return buffer;
    const list = this.#idle.get(buffer.size);
    if (list) list.push(buffer);
    else this.#idle.set(buffer.size, [buffer]);
    this.#idleBytes += buffer.size;
    return undefined;
  }

  /** Destroys every buffer, idle or handed out. Nothing recorded may still use one. */
  destroy(): void {
    for (const list of [...this.#idle.values(), this.#live]) for (const buffer of list) buffer.destroy();
    this.#live.clear();
    this.#idle.clear();
    this.#idleBytes = 0;
  }
}
