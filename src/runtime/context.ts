/**
 * The context: one GPU device with its queue, buffer pool, pipelines and recorder. Everything takes one; there are no globals.
 *
 * It either made its device (`requestContext`) and destroys it, or borrowed it (`contextFromDevice`) and never does. Recording is
 * synchronous; only reading back, `throttle` and `finish` are awaited. Errors that WebGPU reports late are thrown by the next of these.
 */
import {
  DeviceLostError,
  GpuError,
  ShaderError,
  ShapeError,
  StateError,
  UnsupportedError,
} from '../base/errors.ts';
import { BindGroups } from './bind-groups.ts';
import { BufferPool } from './buffer-pool.ts';
import { checkLimits, checkNumerics, optionalFeatures, requiredLimits } from './device-needs.ts';
import { BufferUsage } from './gpu-constants.ts';
import { errorScopeGuard, type Guard } from './guard.ts';
import { type Dispatch, type DType, elementCount, type Numerics, type TensorView } from './kernel.ts';
import { PipelineCache } from './pipeline-cache.ts';
import type { AdapterOptions, FoundAdapter, Pending, Platform } from './platform.ts';
import { type Profile, Profiler } from './profiler.ts';
import { destroyedError, type PreparedDispatch, Recorder } from './recorder.ts';
import { type Captured, Recording } from './recording.ts';
import { isSoftwareAdapter } from './software-adapter.ts';
import { Staging } from './staging.ts';
import { Tensor } from './tensor.ts';

/** What a context does, whoever made its device. */
export interface ContextSettings {
  /**
   * Forces a kernel variant by family, such as `{ matmul: 'naive' }`. Never changes result bits within a numerics class.
   * Default: chosen per adapter.
   */
  variants?: Readonly<Record<string, string>>;
  /**
   * The numerics class: `f16` rounds the operands of matrix products and convolutions to f16 (sums stay f32), which changes results and
   * is recorded in them. Default: `f32`.
   */
  numerics?: Numerics;
  /** Idle bytes the buffer pool keeps. Default: 256 MiB. */
  maxIdleBytes?: number;
}

/** How `requestContext` finds an adapter, and what its context does. */
export interface ContextOptions extends AdapterOptions, ContextSettings {}

/** What `contextFromDevice` is told. */
export interface HostDeviceOptions extends ContextSettings {
  /** Whether the device computes on the CPU, so that fitting kernels are chosen. Default: what `device.adapterInfo` says. */
  software?: boolean;
}

/** Where a context's device came from. */
export interface Origin {
  /** How this runtime waits and tells the time. @internal */
  readonly platform: Platform;
  /** What WebGPU says of the adapter. */
  readonly adapterInfo: GPUAdapterInfo;
  /** Whether it computes on the CPU. */
  readonly software: boolean;
  /** Where it was found and why it was chosen, in a line. */
  readonly source: string;
  /** Other places that were tried before, and what each said. */
  readonly tried: readonly string[];
  /** What must outlive the device. @internal */
  readonly keepAlive: unknown;
  /** Whether the context made the device, and destroys it. */
  readonly owned: boolean;
}

/** Multiply-adds a submit may hold: about half a second on a software adapter, a few milliseconds on a GPU. */
const WORK_PER_SUBMIT = { software: 2e9, hardware: 2e10 };

/** Submits between two fences of `throttle`. */
const SUBMITS_PER_FENCE = 4;

/** How long a failed read waits for the reason to arrive. */
const LATE_ERROR_MS = 100;

/** For devices of browsers that do not say yet what they run on. */
const UNKNOWN_ADAPTER = { vendor: '', architecture: '', device: '', description: '' } as GPUAdapterInfo;

/** Finds an adapter, makes a device on it, and returns a context that owns both. */
export async function requestContextOn(platform: Platform, options: ContextOptions = {}): Promise<Context> {
  const found: FoundAdapter = await platform.findAdapter(options);
  const { adapter } = found;
  checkLimits('requestContext', `the adapter (${found.source})`, adapter.limits);
  checkNumerics('requestContext', options.numerics ?? 'f32', adapter, nameOf(adapter.info));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({
      requiredLimits: requiredLimits(adapter),
      requiredFeatures: optionalFeatures(adapter),
    });
  } catch (cause) {
    throw new UnsupportedError(
      `requestContext: the adapter (${found.source}) gives no device: ${String(cause)}`,
      { cause },
    );
  }
  const origin = { platform, adapterInfo: adapter.info, owned: true, ...found };
  return new Context(device, origin, options);
}

/**
 * A context on a host application's device. The device is never destroyed and its error handlers are left alone.
 * @throws UnsupportedError when the device's limits are below `requiredLimits()`.
 */
export function contextOnDevice(
  platform: Platform,
  device: GPUDevice,
  options: HostDeviceOptions = {},
): Context {
  checkLimits('contextFromDevice', 'the device', device.limits);
  const adapterInfo = device.adapterInfo ?? UNKNOWN_ADAPTER;
  checkNumerics('contextFromDevice', options.numerics ?? 'f32', device, nameOf(adapterInfo));
  const software = options.software ?? isSoftwareAdapter(adapterInfo);
  const source = 'a device of the host application';
  return new Context(
    device,
    { platform, adapterInfo, software, source, tried: [], keepAlive: undefined, owned: false },
    options,
  );
}

/** One GPU device with its queue, buffer pool, pipelines and recorder. Everything takes one; there are no globals. */
export class Context {
  /** The device itself, for objects of a host's own. It is destroyed with the context only if `requestContext` made it. */
  readonly device: GPUDevice;
  /** Where the device came from. */
  readonly origin: Origin;
  /** The kernel variants that were forced, by family. */
  readonly variants: Readonly<Record<string, string>>;
  /** The numerics class that results belong to. */
  readonly numerics: Numerics;
  /** The fastest kernel variant by family and sizes, as far as `tune` or `loadTuning` filled it in. Never changes result bits. */
  readonly tuning = new Map<string, string>();
  /** Where tensors get their buffers. @internal */
  readonly pool: BufferPool;
  /** What was compiled. @internal */
  readonly pipelines: PipelineCache;
  /** What collects dispatches into submits. @internal */
  readonly recorder: Recorder;
  /** What else is destroyed with it, by its class. @internal */
  readonly attachments = new Map<unknown, { destroy(): void }>();
  /** Around calls whose errors a host's device would report to the host. @internal */
  readonly guard: Guard;
  readonly #bindGroups: BindGroups;
  readonly #staging: Staging;
  readonly #recordings = new Set<Recording>();
  /** Buffers that were released while a recording is made. */
  #held: GPUBuffer[] | undefined;
  /** Settles when the device is gone. */
  readonly #lost: Promise<void>;
  /** Rejects what is being waited for. */
  readonly #waiting = new Set<(error: Error) => void>();
  #failure: Error | undefined;
  #destroyed = false;
  #fence: Promise<void> | undefined;
  #fencedSubmits = 0;

  /** Use `requestContext` or `contextFromDevice`. */
  constructor(device: GPUDevice, origin: Origin, options: ContextSettings) {
    this.device = device;
    this.origin = origin;
    this.variants = options.variants ?? {};
    this.numerics = options.numerics ?? 'f32';
    const fail = (error: Error) => this.#fail(error);
    // Errors on a device of its own arrive as uncaptured ones.
    const report = (error: GPUError) => fail(gpuError(error));
    this.guard = origin.owned ? (body) => body() : errorScopeGuard(device, report);
    this.pool = new BufferPool(device, options.maxIdleBytes ?? 256 * 2 ** 20, this.guard);
    this.pipelines = new PipelineCache(device, origin.software, fail, this.guard);
    const work = origin.software ? WORK_PER_SUBMIT.software : WORK_PER_SUBMIT.hardware;
    this.recorder = this.guard(() => new Recorder(device, work, this.guard));
    this.#bindGroups = new BindGroups(device, this.recorder, this.guard);
    this.#staging = new Staging(device, this.guard);
    if (origin.owned) {
      device.addEventListener('uncapturederror', (event) => {
        event.preventDefault();
        report(event.error);
      });
    }
    this.#lost = device.lost.then((info) => {
      const error = this.#destroyed
        ? new DeviceLostError('context: it was destroyed while work was pending; create a new context')
        : new DeviceLostError(
            `context: the GPU device was lost (${info.reason}): ${info.message}; create a new context and upload again`,
          );
      this.#fail(error);
      for (const reject of this.#waiting) reject(this.#failure ?? error);
    });
  }

  /** True for adapters that compute on the CPU (SwiftShader, lavapipe). */
  get software(): boolean {
    return this.origin.software;
  }

  /** Short name of the adapter for results: vendor, architecture, device or description. */
  get adapterName(): string {
    return nameOf(this.origin.adapterInfo);
  }

  /** Counters that a steady state holds constant (or, for dispatches and submits, grows linearly). */
  get statistics() {
    return {
      liveBuffers: this.pool.liveBuffers,
      liveBytes: this.pool.liveBytes,
      buffersCreated: this.pool.created,
      bindGroupsCreated: this.#bindGroups.created,
      pipelines: this.pipelines.size,
      dispatches: this.recorder.dispatches,
      submits: this.recorder.submits,
    };
  }

  // ---- tensors -------------------------------------------------------------------------------------------------------------

  /** A new tensor whose content is undefined unless `zero`. The caller destroys it. */
  tensor(
    shape: readonly number[],
    dtype: DType = 'f32',
    options: { zero?: boolean; label?: string } = {},
  ): Tensor {
    this.check();
    if (options.zero) this.checkNotRecording('tensor');
    const sizeBytes = 4 * elementCount(shape);
    const limit = this.device.limits.maxBufferSize;
    if (sizeBytes > limit) {
      throw new UnsupportedError(
        `tensor: shape [${shape}] needs ${sizeBytes} bytes, this adapter's largest buffer has ${limit}; split it`,
      );
    }
    const { buffer, zeroed } = this.pool.acquire(sizeBytes, options.label ?? 'tensor');
    if (options.zero && !zeroed) this.recorder.clear(buffer);
    return new Tensor(this, buffer, shape, dtype, true);
  }

  /** A new tensor with the given content. The caller destroys it. */
  tensorFrom(
    data: Float32Array | Uint32Array | Int32Array,
    shape: readonly number[] = [data.length],
  ): Tensor {
    if (elementCount(shape) !== data.length) {
      throw new ShapeError(
        `tensorFrom: shape [${shape}] has ${elementCount(shape)} elements, the data ${data.length}; make them agree`,
      );
    }
    const dtype = data instanceof Float32Array ? 'f32' : data instanceof Uint32Array ? 'u32' : 'i32';
    const tensor = this.tensor(shape, dtype);
    this.write(tensor, data);
    return tensor;
  }

  /**
   * A tensor on a host's buffer, without a copy. Destroying it leaves the buffer alone.
   * @param buffer with usage STORAGE (and COPY_SRC to read it back, COPY_DST to write it), its size the elements' rounded up to 16 bytes:
   *   kernels load four at a time.
   */
  wrap(buffer: GPUBuffer, shape: readonly number[], dtype: DType = 'f32'): Tensor {
    const sizeBytes = 16 * Math.ceil(elementCount(shape) / 4);
    if ((buffer.usage & BufferUsage.STORAGE) === 0 || buffer.size < sizeBytes) {
      throw new ShapeError(
        `wrap: shape [${shape}] needs a buffer with usage STORAGE of at least ${sizeBytes} bytes, got usage ${buffer.usage} and ${buffer.size} bytes`,
      );
    }
    return new Tensor(this, buffer, shape, dtype, false);
  }

  /** Overwrites a tensor (or its first `data.length` elements), after everything recorded so far. */
  write(view: TensorView, data: Float32Array | Uint32Array | Int32Array): void {
    this.check();
    this.checkNotRecording('write');
    this.recorder.flush();
    this.guard(() =>
      this.device.queue.writeBuffer(view.buffer, view.offset, data.buffer, data.byteOffset, data.byteLength),
    );
  }

  /** Returns a buffer of `tensor` to the pool; while a recording is made, once that is destroyed. Called by `Tensor.destroy`. */
  release(buffer: GPUBuffer): void {
    if (this.#destroyed) return;
    if (this.#held) {
      this.#held.push(buffer); // a host submits what was recorded later, and again: no other tensor may get it meanwhile
      return;
    }
    const surplus = this.pool.release(buffer);
    if (surplus) {
      this.recorder.flush();
      surplus.destroy();
    }
  }

  // ---- recording -----------------------------------------------------------------------------------------------------------

  /** Records dispatches; they run in this order, after everything recorded before. */
  record(...dispatches: readonly Dispatch[]): void {
    for (const dispatch of dispatches) this.recorder.dispatch(this.#prepared(dispatch, 'cached'));
  }

  /** Looks up everything a dispatch needs, so that recording it again and again makes no object. @internal */
  prepare(dispatch: Dispatch): PreparedDispatch {
    return this.#prepared(dispatch, 'make');
  }

  #prepared(dispatch: Dispatch, bindGroup: 'make' | 'cached'): PreparedDispatch {
    this.check();
    const pipeline = this.pipelines.get(dispatch.kernel);
    const { params, workgroups, work } = dispatch;
    return {
      pipeline,
      bindGroup: this.#bindGroups[bindGroup](dispatch, pipeline),
      params,
      workgroups,
      work,
      dispatch,
    };
  }

  /**
   * Collects what `body` records (`context.record`, `program.run`) into a recording, for the command encoders of a host application.
   * Nothing of it runs before a host submits it. The caller destroys the recording, and keeps what it uses (tensors, programs, arenas)
   * for as long; what `body` itself destroys, the recording keeps.
   * @param body records only: it makes no zeroed tensors, writes and reads none, and waits for nothing.
   * @throws StateError when `body` does more than record or returns a promise, and whatever `body` throws. Nothing is recorded then.
   */
  recording(body: () => void): Recording {
    this.check();
    this.checkNotRecording('recording');
    const captured: Captured[] = [];
    const held: GPUBuffer[] = [];
    const releaseHeld = () => {
      for (const buffer of held) this.release(buffer);
    };
    this.recorder.captured = captured;
    this.#held = held;
    let recorded = false;
    try {
      refusePromise(body());
      recorded = true;
    } finally {
      this.recorder.captured = undefined;
      this.#held = undefined;
      if (!recorded) releaseHeld();
    }
    const recording = this.guard(
      () =>
        new Recording(
          this,
          captured,
          ({ dispatch, pipeline }, uniforms) => this.#bindGroups.make(dispatch, pipeline, uniforms),
          (destroyed) => {
            this.#recordings.delete(destroyed);
            releaseHeld();
          },
        ),
    );
    this.#recordings.add(recording);
    return recording;
  }

  /** @throws StateError while a recording is made, for what would be wrong in one, and `why`. @internal */
  checkNotRecording(caller: string, why = 'since a host would submit it later; do it before or after'): void {
    if (!this.recorder.captured) return;
    throw new StateError(`${caller}: not while context.recording records, ${why}`);
  }

  /** Submits what is recorded without waiting for it. */
  flush(): void {
    this.check();
    this.checkNotRecording('flush');
    this.recorder.flush();
  }

  /**
   * Back-pressure for loops that record far ahead: submits, and waits until all but the last few submits are done.
   * Call it once per iteration.
   */
  async throttle(): Promise<void> {
    this.flush();
    if (this.recorder.submits - this.#fencedSubmits < SUBMITS_PER_FENCE) return;
    const previous = this.#fence;
    this.#fencedSubmits = this.recorder.submits;
    this.#fence = this.device.queue.onSubmittedWorkDone().then(() => {});
    this.#fence.catch(() => {}); // seen by the next throttle, if there is one
    if (previous) await this.wait(previous);
    await this.#checkLate();
  }

  /** Submits what is recorded and waits until the GPU has done it. */
  async finish(): Promise<void> {
    this.flush();
    await this.wait(this.device.queue.onSubmittedWorkDone(), this.recorder.takePending());
    await this.#checkLate();
  }

  // ---- reading back --------------------------------------------------------------------------------------------------------

  /** Reads a tensor back, after everything recorded so far. @returns a new array of the view's element type. */
  async read(view: TensorView & { readonly dtype: 'u32' }): Promise<Uint32Array>;
  async read(view: TensorView): Promise<Float32Array>;
  async read(view: TensorView): Promise<Float32Array | Uint32Array | Int32Array> {
    const bytes = await this.readBytes(view);
    if (view.dtype === 'f32') return new Float32Array(bytes);
    return view.dtype === 'u32' ? new Uint32Array(bytes) : new Int32Array(bytes);
  }

  /** Reads the bytes of a view back. */
  async readBytes(view: TensorView): Promise<ArrayBuffer> {
    this.check();
    this.checkNotRecording('read');
    const size = 4 * elementCount(view.shape);
    if (size === 0) return new ArrayBuffer(0);
    const staging = this.#staging.acquire(size);
    this.recorder.copy(view.buffer, view.offset, staging, 0, size);
    this.recorder.flush();
    const pending = this.recorder.takePending();
    try {
      const bytes = await this.#staging.read(staging, size, (promise) => this.wait(promise, pending));
      await this.#checkLate();
      return bytes;
    } catch (cause) {
      // A lost device or a failed submit explains more than a failed mapping, but may be told a moment later.
      await Promise.race([this.#lost, new Promise((resolve) => setTimeout(resolve, LATE_ERROR_MS))]);
      await this.#checkLate();
      throw new GpuError(`read: mapping ${size} bytes failed: ${String(cause)}`, { cause });
    }
  }

  // ---- profiling -----------------------------------------------------------------------------------------------------------

  /**
   * Runs `body` with a timestamp around every dispatch.
   * @throws UnsupportedError where the adapter has no `timestamp-query`.
   */
  async profile(body: () => void | Promise<void>): Promise<Profile> {
    if (!this.device.features.has('timestamp-query')) {
      throw new UnsupportedError(
        `profile: ${this.adapterName} has no timestamp-query; time whole runs instead`,
      );
    }
    this.flush();
    const profiler = new Profiler(this.device, this.guard);
    this.recorder.profiler = profiler;
    try {
      await body();
      this.flush();
      return await profiler.read((promise) => this.wait(promise));
    } finally {
      this.recorder.profiler = undefined;
      profiler.destroy();
    }
  }

  // ---- failure and end -----------------------------------------------------------------------------------------------------

  /** Throws the first error that WebGPU reported late, if there was one. */
  check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#destroyed) throw destroyedError();
  }

  /** `check` after a wait; gives a shader's own error the time to replace the error of the submit it spoiled. */
  async #checkLate(): Promise<void> {
    if (this.#failure) await this.pipelines.settled();
    this.check();
  }

  /** Awaits a GPU promise as the platform does it best; rejects when the device is lost meanwhile. */
  async wait<T>(promise: Promise<T>, pending?: Pending): Promise<T> {
    if (this.#failure instanceof DeviceLostError) throw this.#failure;
    // Not a race with `device.lost` itself: that never settles while all is well, and would keep every promise ever raced with it.
    let onLost: (error: Error) => void = () => {};
    const lost = new Promise<never>((_, reject) => {
      onLost = reject;
    });
    this.#waiting.add(onLost);
    try {
      return await this.origin.platform.wait(Promise.race([promise, lost]), this.software, pending);
    } finally {
      this.#waiting.delete(onLost);
    }
  }

  #fail(error: Error): void {
    if (!this.#failure || (error instanceof ShaderError && !(this.#failure instanceof ShaderError)))
      this.#failure = error;
  }

  /**
   * Frees every buffer this context made, those of its tensors and recordings too, and the device if it is its own. A host's device and
   * wrapped buffers stay. Reads under way are rejected. Safe to call twice.
   */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const recording of [...this.#recordings]) recording.destroy();
    this.#staging.destroy();
    this.recorder.destroy();
    this.pool.destroy();
    for (const attachment of this.attachments.values()) attachment.destroy();
    this.#bindGroups.clear();
    this.pipelines.clear();
    if (this.origin.owned) this.device.destroy();
  }
}

/** A function that waits has recorded only what came before; the rest would go to the context's own submits, without a word. */
function refusePromise(returned: unknown): void {
  if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== 'function') return;
  (returned as PromiseLike<unknown>).then(undefined, () => {}); // the error below is told in place of its own
  throw new StateError(
    'recording: expected a function that returns nothing, got one that returns a promise; await what it needs before, and give a ' +
      'function that is not async',
  );
}

function nameOf({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  return (
    [vendor, architecture, description || device].filter((part) => part !== '').join(' ') || 'unknown adapter'
  );
}

function gpuError(error: GPUError): GpuError {
  return new GpuError(`WebGPU reported a ${error.constructor.name}: ${error.message}`);
}
