/** Arenas: layout, padding, windows. */
import { describe, expect, it } from 'vitest';
import { FormatError, UnsupportedError } from '../../../src/base/errors.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import type { Context } from '../../../src/runtime/context.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const ENTRIES = [
  { name: 'a', shape: [3, 5] },
  { name: 'b', shape: [] },
  { name: 'c', shape: [64] },
  { name: 'd', shape: [65] },
];

describe('ArenaLayout', () => {
  it('starts every slice at a multiple of 64 elements, without overlap', () => {
    const { slices, length } = new ArenaLayout(ENTRIES);
    expect(slices.map(({ start, length }) => [start, length])).toEqual([
      [0, 15],
      [64, 1],
      [128, 64],
      [192, 65],
    ]);
    expect(length).toBe(320);
  });
});

describe('Arena', () => {
  it('gives back what was written, with zeros in between', async () => {
    const arena = new Arena(context(), new ArenaLayout(ENTRIES));
    const values = new Map(
      arena.layout.slices.map((slice, i) => [
        slice.name,
        new Float32Array(slice.length).map((_, k) => i + k / 100),
      ]),
    );
    arena.write(values);
    expect(await arena.read()).toEqual(values);
    const all = await context().read(arena.windows[0]!);
    for (const { start, length } of arena.layout.slices) {
      const padding = all.subarray(start + length, Math.ceil((start + length) / 64) * 64);
      expect(padding.every((value) => value === 0)).toBe(true);
    }
    arena.destroy();
  });

  it('names the entry that is missing or has another length', () => {
    const arena = new Arena(context(), new ArenaLayout(ENTRIES));
    expect(() => arena.write(new Map())).toThrow(FormatError);
    const short = new Map(ENTRIES.map(({ name }) => [name, new Float32Array(2)]));
    expect(() => arena.write(short)).toThrow(/"a" of shape \[3,5\] needs 15 values, got 2/);
    expect(() => arena.view('e')).toThrow(/no entry "e"/);
    arena.destroy();
  });

  it('is seen through windows that cut no slice where a binding is smaller than the model', () => {
    const arena = new Arena(withBindingLimit(context(), 4 * 200), new ArenaLayout(ENTRIES));
    expect(arena.windows.map(({ offset, shape }) => [offset / 4, shape[0]])).toEqual([
      [0, 192],
      [192, 128],
    ]);
    arena.destroy();
    const before = context().statistics.liveBuffers;
    expect(() => new Arena(withBindingLimit(context(), 4 * 64), new ArenaLayout(ENTRIES))).toThrow(
      UnsupportedError,
    );
    expect(context().statistics.liveBuffers).toBe(before);
  });
});

/** The same context, claiming a smaller largest binding. */
function withBindingLimit(context: Context, bytes: number): Context {
  const limits = new Proxy(context.device.limits, {
    get: (target, name) =>
      name === 'maxStorageBufferBindingSize' ? bytes : Reflect.get(target, name, target),
  });
  const device = { limits } as GPUDevice;
  return new Proxy(context, {
    get(target, name) {
      if (name === 'device') return device;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
