/**
 * GPU memory for kernel tests: every tensor lies between two stretches of poison, outputs hold poison at first, and reading one back
 * checks that its surroundings are untouched. Poison is a NaN, so a kernel that computes with what lies past an input's end shows it.
 */
import { afterEach, expect } from 'vitest';
import type { Context } from '../../src/runtime/context.ts';
import { type DType, elementCount, type TensorView } from '../../src/runtime/kernel.ts';
import type { Tensor } from '../../src/runtime/tensor.ts';

const POISON = 0x7fc0dead;
/** Elements of poison on each side: 256 bytes, where views may start. */
const GUARD = 64;

export interface Memory {
  /** A view that holds `data`. */
  input(data: Float32Array | Uint32Array, shape?: readonly number[]): TensorView;
  /** A view that holds poison. */
  output(shape: readonly number[], dtype?: DType): TensorView;
  /** The content of a view, once its surroundings have been checked. */
  read(view: TensorView): Promise<Float32Array>;
  /** The content as bits. */
  readBits(view: TensorView): Promise<Uint32Array>;
}

/** Call once, after `useContext`. Frees everything after each test. */
export function useMemory(context: () => Context): Memory {
  const tensors = new Map<TensorView, Tensor>();
  afterEach(() => {
    for (const tensor of tensors.values()) tensor.destroy();
    tensors.clear();
  });

  function guarded(bits: Uint32Array, shape: readonly number[], dtype: DType): TensorView {
    const all = new Uint32Array(GUARD + bits.length + GUARD).fill(POISON);
    all.set(bits, GUARD);
    const tensor = context().tensorFrom(all);
    const view = { buffer: tensor.buffer, offset: 4 * GUARD, shape, dtype };
    tensors.set(view, tensor);
    return view;
  }

  async function readBits(view: TensorView): Promise<Uint32Array> {
    const all = await context().read({ ...tensors.get(view)!, dtype: 'u32' });
    const count = elementCount(view.shape);
    const around = [...all.subarray(0, GUARD), ...all.subarray(GUARD + count)];
    expect(
      around.every((word) => word === POISON),
      'memory around the view is untouched',
    ).toBe(true);
    return all.slice(GUARD, GUARD + count);
  }

  return {
    input: (data, shape = [data.length]) =>
      guarded(
        new Uint32Array(data.buffer, data.byteOffset, data.length),
        shape,
        data instanceof Float32Array ? 'f32' : 'u32',
      ),
    output: (shape, dtype = 'f32') =>
      guarded(new Uint32Array(elementCount(shape)).fill(POISON), shape, dtype),
    readBits,
    read: async (view) => new Float32Array((await readBits(view)).buffer),
  };
}
