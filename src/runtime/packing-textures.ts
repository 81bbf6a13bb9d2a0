/**
 * Textures that kernels put matrices into and read them from again: a few for each purpose, shared by everything a context runs. That is
 * safe because a queue runs what it is given in order: whoever fills one reads it before the next fills it.
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

/** 256 MiB. */
const MOST_TEXELS = 2 ** 24;

/** A texture and its view. */
export interface PackingTexture extends OtherResource {
  readonly purpose: string;
  readonly texture: GPUTexture;
}

export class PackingTextures {
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  #sampler: OtherResource | undefined;
  readonly #made: PackingTexture[] = [];

  constructor(device: GPUDevice, guard: Guard) {
    this.#device = device;
    this.#guard = guard;
  }

  /** Whether this adapter has such textures, and memory is not filled with one. */
  holds(width: number, height: number): boolean {
    const [across, down] = [powerOfTwo(width), powerOfTwo(height)];
    return (
      Math.max(across, down) <= this.#device.limits.maxTextureDimension2D && across * down <= MOST_TEXELS
    );
  }

  /**
   * A texture of at least that many texels across and down, its content undefined. Sizes are powers of two. Ones that became too small stay:
   * programs have them bound.
   */
  get(purpose: string, width: number, height: number): PackingTexture {
    const known = this.#made.find(
      (one) => one.purpose === purpose && one.texture.width >= width && one.texture.height >= height,
    );
    if (known) return known;
    const size = [powerOfTwo(width), powerOfTwo(height)];
    const texture = this.#guard(() =>
      this.#device.createTexture({
        label: purpose,
        size,
        format: 'rgba32float',
        usage: TextureUsage.TEXTURE_BINDING | TextureUsage.STORAGE_BINDING,
      }),
    );
    const made = { purpose, texture, resource: texture.createView() };
    this.#made.push(made);
    return made;
  }

  /** Takes the nearest texel; past the edges, that at the edge. */
  get sampler(): OtherResource {
    this.#sampler ??= { resource: this.#device.createSampler({ label: 'nearest' }) };
    return this.#sampler;
  }

  destroy(): void {
    for (const { texture } of this.#made.splice(0)) texture.destroy();
  }
}

function powerOfTwo(size: number): number {
  let power = 1;
  while (power < size) power *= 2;
  return power;
}
