/** Staging buffers for reading back: mapped, copied from, kept for the next read. */
import { BufferUsage, MapMode } from './gpu-constants.ts';

/** Idle staging buffers kept. */
const MAX_IDLE = 4;

export class Staging {
  readonly #device: GPUDevice;
  readonly #idle: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A buffer to copy `sizeBytes` into. */
  acquire(sizeBytes: number): GPUBuffer {
    const index = this.#idle.findIndex(
      (buffer) => buffer.size >= sizeBytes && buffer.size <= 4 * sizeBytes + 65536,
    );
    if (index >= 0) return this.#idle.splice(index, 1)[0]!;
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    return this.#device.createBuffer({ label: 'readback', size: Math.ceil(sizeBytes / 256) * 256, usage });
  }

  /** Maps the buffer (`wait` awaits the mapping), copies its first bytes out, and takes it back. */
  async read(
    staging: GPUBuffer,
    sizeBytes: number,
    wait: (promise: Promise<undefined>) => Promise<unknown>,
  ): Promise<ArrayBuffer> {
    await wait(staging.mapAsync(MapMode.READ, 0, sizeBytes));
    const bytes = staging.getMappedRange(0, sizeBytes).slice(0);
    staging.unmap();
    if (this.#idle.length < MAX_IDLE) this.#idle.push(staging);
    else staging.destroy();
    return bytes;
  }

  destroy(): void {
    for (const buffer of this.#idle) buffer.destroy();
    this.#idle.length = 0;
  }
}
