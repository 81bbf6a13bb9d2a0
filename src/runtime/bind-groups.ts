/** Bind groups: made for a dispatch, and for dispatches outside programs kept by what they bind. */
import { ShapeError, UnsupportedError } from '../base/errors.ts';
import type { Guard } from './guard.ts';
import { bindingNames, type Dispatch, elementCount, type TensorView } from './kernel.ts';
import type { Pipeline } from './pipeline-cache.ts';
import type { Recorder } from './recorder.ts';

/** Bind groups kept; when there are more, all are forgotten and made anew as needed. */
const MAX_CACHED = 1024;

export class BindGroups {
  readonly #device: GPUDevice;
  readonly #recorder: Recorder;
  readonly #guard: Guard;
  readonly #cache = new Map<string, GPUBindGroup>();
  readonly #ids = new WeakMap<object, number>();
  #nextId = 0;
  #created = 0;

  constructor(device: GPUDevice, recorder: Recorder, guard: Guard) {
    this.#device = device;
    this.#recorder = recorder;
    this.#guard = guard;
  }

  /** Bind groups ever made. Constant in a steady state. */
  get created(): number {
    return this.#created;
  }

  /** The bind group of a dispatch, from the cache when the same views were bound before. */
  cached(dispatch: Dispatch, pipeline: Pipeline): GPUBindGroup {
    let key = bindingNames(dispatch.kernel.bindings);
    for (const view of dispatch.views) {
      key += ';';
      if ('resource' in view) key += this.#id(view.resource);
      else key += [this.#id(view.buffer), view.offset, elementCount(view.shape)];
    }
    let bindGroup = this.#cache.get(key);
    if (!bindGroup) {
      bindGroup = this.make(dispatch, pipeline);
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
      this.#cache.set(key, bindGroup);
    }
    return bindGroup;
  }

  /**
   * A new bind group.
   * @param uniforms where the parameters will lie. Default: the recorder's.
   * @throws ShapeError, UnsupportedError when the views do not fit the kernel or the adapter.
   */
  make(
    { kernel, views, params }: Dispatch,
    { layout }: Pipeline,
    uniforms = this.#recorder.uniforms,
  ): GPUBindGroup {
    const { slotBytes } = this.#recorder;
    if (views.length !== kernel.bindings.length) {
      throw new ShapeError(
        `${kernel.name}: has ${kernel.bindings.length} bindings, got ${views.length} views`,
      );
    }
    if (params.byteLength > slotBytes) {
      throw new ShapeError(
        `${kernel.name}: params of ${params.byteLength} bytes pass a slot of ${slotBytes}`,
      );
    }
    const entries = [
      { binding: 0, resource: { buffer: uniforms, size: slotBytes } },
      ...views.map((view, index) => ({
        binding: index + 1,
        resource: 'resource' in view ? view.resource : this.#binding(view, kernel.name),
      })),
    ];
    this.#created++;
    return this.#guard(() => this.#device.createBindGroup({ label: kernel.name, layout, entries }));
  }

  /** Forgets everything: a destroyed context may stay in memory for as long as a host's device does. */
  clear(): void {
    this.#cache.clear();
  }

  /** The range of a view, rounded up to 16 bytes where the buffer reaches that far: kernels load vec4f. */
  #binding(view: TensorView, kernel: string): GPUBufferBinding {
    const bytes = Math.ceil(Math.max(1, elementCount(view.shape)) / 4) * 16;
    const size = Math.min(bytes, view.buffer.size - view.offset);
    const limit = this.#device.limits.maxStorageBufferBindingSize;
    if (size > limit) {
      throw new UnsupportedError(
        `${kernel}: a binding of ${size} bytes (shape [${view.shape}]) passes this adapter's ${limit}; use smaller batches`,
      );
    }
    return { buffer: view.buffer, offset: view.offset, size };
  }

  #id(resource: object): number {
    let id = this.#ids.get(resource);
    if (id === undefined) {
      id = this.#nextId++;
      this.#ids.set(resource, id);
    }
    return id;
  }
}
