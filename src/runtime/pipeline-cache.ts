/**
 * Compute pipelines, one per kernel name and constants, with explicit layouts (binding 0 a uniform with a dynamic offset).
 * A shader that does not compile is reported as a ShaderError with file, line and Tint's words, at the next awaited read.
 */
import { ShaderError } from '../base/errors.ts';
import { ShaderStage } from './gpu-constants.ts';
import type { Guard } from './guard.ts';
import { bindingNames, type Kernel, type OtherBinding } from './kernel.ts';
import { withKnownLengths } from './known-lengths.ts';

export interface Pipeline {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #onError: (error: Error) => void;
  /** For what the scope around a shader does not take: internal errors, no memory, layouts. */
  readonly #guard: Guard;
  readonly #pipelines = new Map<string, { wgsl: string; compiled: Pipeline }>();
  readonly #layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  readonly #checks = new Set<Promise<void>>();
  readonly #software: boolean;

  constructor(device: GPUDevice, software: boolean, onError: (error: Error) => void, guard: Guard) {
    this.#device = device;
    this.#software = software;
    this.#onError = onError;
    this.#guard = guard;
  }

  /** Pipelines compiled so far. */
  get size(): number {
    return this.#pipelines.size;
  }

  /** Resolves when every compilation so far has been found good or reported. */
  async settled(): Promise<void> {
    await Promise.all(this.#checks);
  }

  /** Compiles a kernel, or returns what was compiled before. */
  get(kernel: Kernel): Pipeline {
    const key = pipelineKey(kernel);
    const known = this.#pipelines.get(key);
    if (known) {
      if (known.wgsl !== kernel.wgsl) {
        throw new ShaderError(
          `pipeline cache: two kernels named "${key}" have different WGSL; give each text its own name`,
        );
      }
      return known.compiled;
    }
    const compiled = this.#guard(() => this.#compile(kernel));
    this.#pipelines.set(key, { wgsl: kernel.wgsl, compiled });
    return compiled;
  }

  /** Forgets everything: a destroyed context may stay in memory for as long as a host's device does. */
  clear(): void {
    this.#pipelines.clear();
    this.#layouts.clear();
  }

  #compile(kernel: Kernel): Pipeline {
    const device = this.#device;
    const layout = this.#layout(kernel.bindings);
    device.pushErrorScope('validation');
    const code = this.#software ? withKnownLengths(kernel) : kernel.wgsl;
    const module = device.createShaderModule({ label: kernel.name, code });
    const pipeline = device.createComputePipeline({
      label: kernel.name,
      layout: layout.pipeline,
      compute: {
        module,
        entryPoint: 'main',
        ...(kernel.constants ? { constants: { ...kernel.constants } } : {}),
      },
    });
    const check = device.popErrorScope().then(
      async (error) => {
        if (error) this.#onError(await shaderError(kernel, module, error));
      },
      () => {}, // the device is gone: its loss is reported by the context
    );
    this.#checks.add(check);
    check.catch(() => {}).finally(() => this.#checks.delete(check));
    return { name: kernel.name, pipeline, layout: layout.group };
  }

  #layout(bindings: Kernel['bindings']): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const key = bindingNames(bindings);
    let layout = this.#layouts.get(key);
    if (!layout) {
      const group = this.#device.createBindGroupLayout({
        label: key,
        entries: [
          {
            binding: 0,
            visibility: ShaderStage.COMPUTE,
            buffer: { type: 'uniform', hasDynamicOffset: true },
          },
          ...bindings.map((binding, index) => ({
            binding: index + 1,
            visibility: ShaderStage.COMPUTE,
            ...bindingLayout(binding),
          })),
        ],
      });
      layout = { group, pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

/** What a bind group layout says of a kernel's binding. */
export function bindingLayout(binding: Kernel['bindings'][number]): Partial<GPUBindGroupLayoutEntry> {
  return (
    (binding as OtherBinding).layout ?? {
      buffer: { type: binding === 'read' ? 'read-only-storage' : 'storage' },
    }
  );
}

function pipelineKey(kernel: Kernel): string {
  if (!kernel.constants) return kernel.name;
  const constants = Object.entries(kernel.constants).map(([name, value]) => `${name}=${value}`);
  return `${kernel.name}(${constants.join(',')})`;
}

async function shaderError(kernel: Kernel, module: GPUShaderModule, error: GPUError): Promise<ShaderError> {
  const lines = kernel.wgsl.split('\n');
  const { messages } = await module.getCompilationInfo();
  const details = messages
    .filter((message) => message.type === 'error')
    .map(
      (m) =>
        `${kernel.file}:${m.lineNum}:${m.linePos}: ${m.message}\n    ${(lines[m.lineNum - 1] ?? '').trim()}`,
    );
  const text = details.length > 0 ? details.join('\n') : error.message;
  return new ShaderError(`kernel ${kernel.name} does not compile:\n${text}`);
}
