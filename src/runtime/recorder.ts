/**
 * Collects dispatches into few submits.
 *
 * Recording is synchronous. Uniforms of a whole submit are gathered in one host array and written with one `writeBuffer` just before
 * it; since a queue runs writes and submits in order, every submit reuses the same uniform buffer from its start. A submit is closed
 * when its uniform slots or its estimated work are used up: a GPU's watchdog kills command buffers that run for seconds.
 */
import { DeviceLostError } from '../base/errors.ts';
import { BufferUsage } from './gpu-constants.ts';
import type { Guard } from './guard.ts';
import type { Dispatch } from './kernel.ts';
import type { Pipeline } from './pipeline-cache.ts';
import type { Pending } from './platform.ts';
import type { Profiler } from './profiler.ts';
import type { Captured } from './recording.ts';

/** Uniform slots in one submit: also the largest number of dispatches in it. */
const SLOTS = 512;

/** A dispatch with everything looked up: what a program keeps, so that running it makes no object. */
export interface PreparedDispatch {
  readonly pipeline: Pipeline;
  readonly bindGroup: GPUBindGroup;
  readonly params: Uint8Array;
  readonly workgroups: readonly [number, number, number];
  readonly work: number;
  /** What it was made of, for bind groups over other uniforms. */
  readonly dispatch: Dispatch;
}

export class Recorder {
  readonly #device: GPUDevice;
  readonly #workPerSubmit: number;
  readonly #slotBytes: number;
  #staging: Uint8Array<ArrayBuffer>;
  readonly uniforms: GPUBuffer;
  /** Around each submit. */
  readonly #guard: Guard;
  /** The dynamic offset of the dispatch being recorded: one array, so that a dispatch makes no garbage. */
  readonly #offset: [number] = [0];
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #slots = 0;
  #work = 0;
  /** Of submits since it was last taken, and when the first of them was. */
  #pendingWork = 0;
  #since = 0;
  /** The kernel that was dispatched last. */
  #last = '';
  #submits = 0;
  #dispatches = 0;
  #destroyed = false;
  profiler: Profiler | undefined;
  /** While set, what is recorded is collected here for a `Recording`, and nothing is encoded. */
  captured: Captured[] | undefined;

  constructor(device: GPUDevice, workPerSubmit: number, guard: Guard) {
    this.#device = device;
    this.#workPerSubmit = workPerSubmit;
    this.#guard = guard;
    this.#slotBytes = Math.max(256, device.limits.minUniformBufferOffsetAlignment);
    this.#staging = new Uint8Array(SLOTS * this.#slotBytes);
    this.uniforms = device.createBuffer({
      label: 'uniforms',
      size: this.#staging.byteLength,
      usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST,
    });
  }

  /** Bytes of one uniform slot: the size that bind groups give binding 0, and the largest `Params` struct. */
  get slotBytes(): number {
    return this.#slotBytes;
  }

  /** Submits so far. */
  get submits(): number {
    return this.#submits;
  }

  /** Dispatches so far. */
  get dispatches(): number {
    return this.#dispatches;
  }

  dispatch(prepared: PreparedDispatch): void {
    this.#checkAlive();
    if (this.captured) {
      this.captured.push({ type: 'dispatch', prepared });
      return;
    }
    if (this.#slots === SLOTS || (this.#work > 0 && this.#work + prepared.work > this.#workPerSubmit))
      this.flush();
    const offset = this.#slots * this.#slotBytes;
    this.#staging.set(prepared.params, offset);
    this.#slots++;
    this.#work += prepared.work;
    this.#dispatches++;
    this.#last = prepared.pipeline.name;
    const pass = this.#computePass(this.#last);
    pass.setPipeline(prepared.pipeline.pipeline);
    this.#offset[0] = offset;
    pass.setBindGroup(0, prepared.bindGroup, this.#offset);
    pass.dispatchWorkgroups(prepared.workgroups[0], prepared.workgroups[1], prepared.workgroups[2]);
    if (this.profiler) this.#endPass();
  }

  copy(
    source: GPUBuffer,
    sourceOffset: number,
    target: GPUBuffer,
    targetOffset: number,
    sizeBytes: number,
  ): void {
    this.#checkAlive();
    if (this.captured) {
      this.captured.push({ type: 'copy', source, sourceOffset, target, targetOffset, sizeBytes });
      return;
    }
    this.commandEncoder().copyBufferToBuffer(source, sourceOffset, target, targetOffset, sizeBytes);
  }

  clear(buffer: GPUBuffer, offset = 0, sizeBytes = buffer.size - offset): void {
    this.#checkAlive();
    if (this.captured) {
      this.captured.push({ type: 'clear', buffer, offset, sizeBytes });
      return;
    }
    this.commandEncoder().clearBuffer(buffer, offset, sizeBytes);
  }

  /** Submits what is recorded. Does nothing when there is nothing. */
  flush(): void {
    if (!this.#encoder) return;
    this.#endPass();
    const encoder = this.#encoder;
    this.#encoder = undefined;
    this.#guard(() => {
      this.profiler?.resolve(encoder);
      if (this.#slots > 0) {
        this.#device.queue.writeBuffer(this.uniforms, 0, this.#staging, 0, this.#slots * this.#slotBytes);
      }
      this.#device.queue.submit([encoder.finish()]);
    });
    if (this.#pendingWork === 0) this.#since = performance.now();
    this.#pendingWork += this.#work;
    this.#slots = 0;
    this.#work = 0;
    this.#submits++;
  }

  /**
   * What was submitted since this was last called, for whoever waits for all of it; undefined where nothing was dispatched. Named by the work
   * that dispatches say they are and the last kernel: rivals for one problem do the same work.
   */
  takePending(): Pending | undefined {
    const work = this.#pendingWork;
    this.#pendingWork = 0;
    return work ? { what: `${work} ${this.#last}`, since: this.#since } : undefined;
  }

  /** The encoder of the submit being recorded, outside any pass. */
  commandEncoder(): GPUCommandEncoder {
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  #computePass(name: string): GPUComputePassEncoder {
    if (!this.#pass) {
      this.#encoder ??= this.#device.createCommandEncoder();
      const timestampWrites = this.profiler?.timestampWrites(name);
      this.#pass = this.#encoder.beginComputePass(timestampWrites ? { timestampWrites } : undefined);
    }
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #checkAlive(): void {
    if (this.#destroyed) throw destroyedError();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#endPass();
    this.#encoder = undefined;
    this.#staging = new Uint8Array(0); // a host's device keeps its contexts in memory for as long as it lives
    this.uniforms.destroy();
  }
}

/** What every call on a destroyed context throws. */
export function destroyedError(): DeviceLostError {
  return new DeviceLostError('context: it was destroyed; create a new one');
}
