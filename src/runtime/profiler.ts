/**
 * GPU time per kernel from timestamp queries. While one is attached to the recorder every dispatch has a pass of its own, which costs
 * time: attach it to look, not always.
 */
import { BufferUsage, MapMode } from './gpu-constants.ts';
import type { Guard } from './guard.ts';

/** Query slots: two per dispatch. Dispatches past the first 2,048 of a profile are not timed, and the profile says how many. */
const QUERIES = 4096;

/** What the dispatches of one kernel took together. */
export interface KernelTime {
  /** Its name. */
  readonly kernel: string;
  /** Dispatches that were timed. */
  readonly calls: number;
  /** Sum of their times on the GPU, in nanoseconds. */
  readonly gpuTimeNs: number;
}

/** What `context.profile` measured. */
export interface Profile {
  /** Longest first. */
  readonly kernels: readonly KernelTime[];
  /** Dispatches that found no free query slot. */
  readonly untimed: number;
}

export class Profiler {
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #names: string[] = [];
  #untimed = 0;

  /** @param device with the feature `timestamp-query`. */
  constructor(device: GPUDevice, guard: Guard) {
    this.#device = device;
    this.#guard = guard;
    this.#queries = guard(() => device.createQuerySet({ type: 'timestamp', count: QUERIES }));
    this.#resolved = guard(() =>
      device.createBuffer({
        label: 'timestamps',
        size: 8 * QUERIES,
        usage: BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC,
      }),
    );
  }

  /** Reserves the queries of the next pass. */
  timestampWrites(kernel: string): GPUComputePassTimestampWrites | undefined {
    const index = 2 * this.#names.length;
    if (index >= QUERIES) {
      this.#untimed++;
      return undefined;
    }
    this.#names.push(kernel);
    return { querySet: this.#queries, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 };
  }

  /** Resolves what was written so far; called at the end of each submit. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.#names.length > 0)
      encoder.resolveQuerySet(this.#queries, 0, 2 * this.#names.length, this.#resolved, 0);
  }

  async read(wait: <T>(promise: Promise<T>) => Promise<T>): Promise<Profile> {
    const size = 16 * this.#names.length;
    const totals = new Map<string, { calls: number; gpuTimeNs: number }>();
    if (size > 0) {
      const ticks = new BigUint64Array(await this.#readTicks(size, wait));
      this.#names.forEach((name, i) => {
        const total = totals.get(name) ?? { calls: 0, gpuTimeNs: 0 };
        total.calls++;
        total.gpuTimeNs += Number(ticks[2 * i + 1]! - ticks[2 * i]!);
        totals.set(name, total);
      });
    }
    const kernels = [...totals].map(([kernel, total]) => ({ kernel, ...total }));
    kernels.sort((a, b) => b.gpuTimeNs - a.gpuTimeNs);
    return { kernels, untimed: this.#untimed };
  }

  async #readTicks(size: number, wait: <T>(promise: Promise<T>) => Promise<T>): Promise<ArrayBuffer> {
    const device = this.#device;
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    const staging = this.#guard(() => device.createBuffer({ label: 'timestamps read back', size, usage }));
    try {
      const mapped = this.#guard(() => {
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
        device.queue.submit([encoder.finish()]);
        return staging.mapAsync(MapMode.READ);
      });
      await wait(mapped);
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }

  destroy(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
  }
}
