/**
 * Textures that kernels put matrices into and read them from again: one for each purpose, as large as the largest matrix so far, shared by
 * everything a context runs. That is safe because a queue runs what it is given in order: whoever fills one reads it before the next fills it.
 */
import { TextureUsage } from './gpu-constants.ts';
import type { Guard } from './guard.ts';
import type { OtherBinding, OtherResource } from './kernel.ts';

/** A `texture_2d<f32>` of rgba32float. */
export const TEXTURE: OtherBinding = {
  name: 'texture',
  layout: { texture: { sampleType: 'unfilterable-float' } },
};

/** Its `sampler`. */
export const SAMPLER: OtherBinding = { name: 'sampler', layout: { sampler: { type: 'non-filtering' } } };

/** A `texture_storage_2d<rgba32float, write>`. */
export const WRITTEN_TEXTURE: OtherBinding = {
  name: 'written texture',
  layout: { storageTexture: { access: 'write-only', format: 'rgba32float' } },
};

/** A texture, and its views for kernels. It belongs to whoever gave it. */
interface PackingTexture extends OtherResource {
  readonly texture: GPUTexture;
}

export class PackingTextures {
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  #sampler: OtherResource | undefined;
  readonly #largest = new Map<string, PackingTexture>();
  /** All of them: programs keep smaller ones bound. */
  readonly #made: GPUTexture[] = [];

  constructor(device: GPUDevice, guard: Guard) {
    this.#device = device;
    this.#guard = guard;
  }

  /** Whether an adapter's textures reach that far. */
  holds(width: number, height: number): boolean {
    return Math.max(width, height) <= this.#device.limits.maxTextureDimension2D;
  }

  /** A texture of at least that many texels across and down, its content undefined. Sizes are powers of two. */
  get(purpose: string, width: number, height: number): OtherResource {
    const known = this.#largest.get(purpose);
    if (known && known.texture.width >= width && known.texture.height >= height) return known;
    const size = [
      powerOfTwo(Math.max(width, known?.texture.width ?? 1)),
      powerOfTwo(Math.max(height, known?.texture.height ?? 1)),
    ];
    const texture = this.#guard(() =>
      this.#device.createTexture({
        label: purpose,
        size,
        format: 'rgba32float',
        usage: TextureUsage.TEXTURE_BINDING | TextureUsage.STORAGE_BINDING,
      }),
    );
    const made = { texture, resource: texture.createView() };
    this.#made.push(texture);
    this.#largest.set(purpose, made);
    return made;
  }

  /** Takes the nearest texel; past the edges, that at the edge. */
  get sampler(): OtherResource {
    this.#sampler ??= { resource: this.#device.createSampler({ label: 'nearest' }) };
    return this.#sampler;
  }

  destroy(): void {
    for (const texture of this.#made.splice(0)) texture.destroy();
    this.#largest.clear();
  }
}

function powerOfTwo(size: number): number {
  let power = 1;
  while (power < size) power *= 2;
  return power;
}
