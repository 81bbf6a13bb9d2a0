/**
 * An arena: all parameters of one model in one GPU buffer, so that interpolation, an optimizer step or a norm is one dispatch.
 *
 * Each entry is a slice that starts at a multiple of 256 bytes; the padding is zero and stays zero, since whatever is done to an
 * arena element by element maps zeros to zeros. Where a model is larger than a storage binding, the arena is seen through several
 * windows, none of which cuts a slice.
 */
import { FormatError, ShapeError, UnsupportedError } from '../base/errors.ts';
import type { Context } from './context.ts';
import { elementCount, type TensorView } from './kernel.ts';
import type { Tensor } from './tensor.ts';

/** A named tensor of an arena. */
export interface ArenaEntry {
  /** As PyTorch names it, such as `layer1.0.conv1.weight`. */
  readonly name: string;
  /** Elements along each axis; `[]` for a scalar. */
  readonly shape: readonly number[];
}

/** Where an entry lies in its arena, in elements. */
export interface ArenaSlice extends ArenaEntry {
  /** First element; a multiple of 64. */
  readonly start: number;
  /** Elements, padding not included. */
  readonly length: number;
}

/** Where each entry lies. Two arenas of equal entries have equal layouts. */
export class ArenaLayout {
  /** In the order of the entries. */
  readonly slices: readonly ArenaSlice[];
  /** Elements, padding included. */
  readonly length: number;
  readonly #byName: ReadonlyMap<string, ArenaSlice>;

  constructor(entries: readonly ArenaEntry[]) {
    let start = 0;
    this.slices = entries.map(({ name, shape }) => {
      const slice = { name, shape, start, length: elementCount(shape) };
      start += Math.ceil(slice.length / 64) * 64;
      return slice;
    });
    this.length = start;
    this.#byName = new Map(this.slices.map((slice) => [slice.name, slice]));
  }

  /** Where an entry lies. @throws ShapeError when there is none of that name. */
  slice(name: string): ArenaSlice {
    const slice = this.#byName.get(name);
    if (!slice)
      throw new ShapeError(`arena: no entry "${name}"; it has ${[...this.#byName.keys()].join(', ')}`);
    return slice;
  }

  /** Whether there is an entry of that name. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }
}

/** A state dict on the host: float32 arrays by PyTorch name. */
export type HostTensors = ReadonlyMap<string, Float32Array>;

/** All parameters of one model in one GPU buffer, each a slice that starts at a multiple of 256 bytes, padding zero. */
export class Arena {
  /** The context whose device holds it. */
  readonly context: Context;
  /** Where each entry lies. */
  readonly layout: ArenaLayout;
  readonly #tensor: Tensor;
  /** Ranges that together cover the arena, each within one binding. */
  readonly windows: readonly TensorView[];

  /** A new arena, filled with zeros. The caller destroys it. */
  constructor(context: Context, layout: ArenaLayout, label = 'arena') {
    this.context = context;
    this.layout = layout;
    const ranges = windowRanges(layout, context.device.limits.maxStorageBufferBindingSize);
    this.#tensor = context.tensor([Math.max(layout.length, 64)], 'f32', { zero: true, label });
    const { buffer, dtype } = this.#tensor;
    this.windows = ranges.map(({ start, end }) => ({
      buffer,
      offset: 4 * start,
      shape: [end - start],
      dtype,
    }));
  }

  /** The GPU buffer itself, the arena's: f32, `4 * layout.length` bytes or more. */
  get buffer(): GPUBuffer {
    return this.#tensor.buffer;
  }

  /** One entry as a view. */
  view(name: string): TensorView {
    const slice = this.layout.slice(name);
    return { buffer: this.buffer, offset: 4 * slice.start, shape: slice.shape, dtype: 'f32' };
  }

  /** Uploads every entry. @throws FormatError naming the first entry that is missing or has another length. */
  write(values: HostTensors): void {
    const all = new Float32Array(this.layout.length);
    for (const slice of this.layout.slices) {
      const value = values.get(slice.name);
      if (!value || value.length !== slice.length) {
        throw new FormatError(
          `arena.write: "${slice.name}" of shape [${slice.shape}] needs ${slice.length} values, got ${value?.length ?? 'none'}`,
        );
      }
      all.set(value, slice.start);
    }
    this.context.write(this.#tensor, all);
  }

  /** Reads every entry back. */
  async read(): Promise<Map<string, Float32Array>> {
    const all = await this.#tensor.read();
    return new Map(this.layout.slices.map((s) => [s.name, all.slice(s.start, s.start + s.length)]));
  }

  /** Returns the buffer to the context's pool. Safe to call twice. */
  destroy(): void {
    this.#tensor.destroy();
  }
}

/** Ranges of elements, each within one binding, none of which cuts a slice. */
function windowRanges(layout: ArenaLayout, limitBytes: number): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  let range: { start: number; end: number } | undefined;
  for (const slice of layout.slices) {
    const end = slice.start + Math.ceil(slice.length / 64) * 64;
    if (4 * (end - slice.start) > limitBytes) {
      throw new UnsupportedError(
        `arena: "${slice.name}" of shape [${slice.shape}] needs ${4 * slice.length} bytes, this adapter binds at most ${limitBytes}`,
      );
    }
    if (range && 4 * (end - range.start) <= limitBytes) {
      range.end = end;
    } else {
      range = { start: slice.start, end };
      ranges.push(range);
    }
  }
  return ranges;
}
