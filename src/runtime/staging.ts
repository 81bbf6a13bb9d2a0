/** Staging buffers for reading back: mapped, copied from, kept for the next read. */
import { BufferUsage, MapMode } from './gpu-constants.ts';
import type { Guard } from './guard.ts';

/** Idle staging buffers kept. */
const MAX_IDLE = 4;

export class Staging {
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  readonly #idle: GPUBuffer[] = [];
  /** Buffers being read, which go too when the context is destroyed. */
  readonly #reading = new Set<GPUBuffer>();

  constructor(device: GPUDevice, guard: Guard) {
    this.#device = device;
    this.#guard = guard;
  }

  /** A buffer to copy `sizeBytes` into. */
  acquire(sizeBytes: number): GPUBuffer {
    const index = this.#idle.findIndex(
      (buffer) => buffer.size >= sizeBytes && buffer.size <= 4 * sizeBytes + 65536,
    );
    const buffer = index >= 0 ? this.#idle.splice(index, 1)[0]! : this.#make(sizeBytes);
    this.#reading.add(buffer);
    return buffer;
  }

  #make(sizeBytes: number): GPUBuffer {
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    const size = Math.ceil(sizeBytes / 256) * 256;
    return this.#guard(() => this.#device.createBuffer({ label: 'readback', size, usage }));
  }

  /** Maps the buffer (`wait` awaits the mapping), copies its first bytes out, and takes it back. */
  async read(
    staging: GPUBuffer,
    sizeBytes: number,
    wait: (promise: Promise<undefined>) => Promise<unknown>,
  ): Promise<ArrayBuffer> {
    try {
      await wait(this.#guard(() => staging.mapAsync(MapMode.READ, 0, sizeBytes)));
      const bytes = staging.getMappedRange(0, sizeBytes).slice(0);
      staging.unmap();
      if (this.#reading.delete(staging) && this.#idle.length < MAX_IDLE) this.#idle.push(staging);
      else staging.destroy();
      return bytes;
    } catch (error) {
      this.#reading.delete(staging);
      staging.destroy();
      throw error;
    }
  }

  /** Frees every buffer; reads under way are rejected. */
  destroy(): void {
    for (const buffer of [...this.#idle, ...this.#reading]) buffer.destroy();
    this.#idle.length = 0;
    this.#reading.clear();
  }
}
