/** Tuning: it never changes bits, keeps what it found, and a broken cache is a warning. */
import { describe, expect, test, vi } from 'vitest';
import { problems } from '../../../src/kernels/tuning/problems.ts';
import { loadTuning, sizesOf, tune } from '../../../src/kernels/tuning/tune.ts';
import { candidates, shapeClass } from '../../../src/kernels/variant.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { Dispatch } from '../../../src/runtime/kernel.ts';
import type { TextCache } from '../../../src/runtime/platform.ts';
import type { Tensor } from '../../../src/runtime/tensor.ts';
import { useContext } from '../../support/context.ts';
import { bitsOf } from '../../support/numbers.ts';

const context = useContext();

/** A cache that tests can look into. */
function memoryCache(): TextCache & { texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    read: async (name) => texts.get(name),
    write: async (name, text) => {
      texts.set(name, text);
    },
  };
}

/** The device as somebody else meets it who was not tuned yet. */
async function untuned<T>(body: () => Promise<T>): Promise<T> {
  const before = new Map(context().tuning);
  context().tuning.clear();
  try {
    return await body();
  } finally {
    context().tuning.clear();
    for (const [sizes, choice] of before) context().tuning.set(sizes, choice);
  }
}

describe('tuning', () => {
  test('whatever it chooses, the bits stay the same', async () => {
    const [small] = [problems().find(({ name }) => name === 'matmul TN 10 x 512 x 512')!];
    const convolutions = problems().filter(({ family }) => family === 'conv');
    for (const problem of [small, ...convolutions.slice(0, 2)]) {
      const made: Tensor[] = [];
      const scratch = (shape: readonly number[]) => {
        made.push(context().tensor(shape, 'f32'));
        return made.at(-1)!;
      };
      const tensors = problem.shapes.map((shape, i) => {
        const count = shape.reduce((x, y) => x * y, 1);
        return context().tensorFrom(
          Float32Array.from({ length: count }, (_, k) => (((k * 37 + i * 11) % 101) - 50) / 7),
          shape,
        );
      });
      const run = async (choice: string | undefined) => {
        const tuning = { size: 1, get: () => choice };
        const chooser = Object.create(context(), { tuning: { value: tuning } }) as Context;
        const dispatches = problem.dispatches(chooser, tensors, scratch);
        context().record(...dispatches);
        return { kernel: dispatches[0]!.kernel.name, bits: bitsOf(await tensors.at(-1)!.read()) };
      };
      const expected = await run(undefined);
      const kernels = new Set<string>();
      for (const candidate of candidates(context(), problem.tiles)) {
        const found = await run(candidate);
        kernels.add(found.kernel);
        // not toEqual, which takes seconds for so many
        expect(
          found.bits.findIndex((word, i) => word !== expected.bits[i]),
          candidate,
        ).toBe(-1);
      }
      const choice = candidates(context(), problem.tiles).length; // of convolutions there may be one
      expect(kernels.size, 'candidates are different kernels').toBe(choice);
      if (problem === small) expect(choice).toBeGreaterThan(1);
      for (const tensor of [...tensors, ...made]) tensor.destroy();
    }
  });

  test('measures within its budget, keeps what it found, and finds it again', () =>
    untuned(async () => {
      const cache = memoryCache();
      const notes: string[] = [];
      const onProgress = ({ note }: { note: string }) => notes.push(note);
      const first = await tune(context(), { budgetMs: 1, cache, onProgress });
      expect(first.measured.length).toBeLessThanOrEqual(1); // no time for more
      expect(notes).toHaveLength(problems().length + 1);

      const some = await tune(context(), { budgetMs: 1500, cache });
      for (const { chosen, milliseconds, sizes } of some.measured) {
        const fastest = Math.min(...Object.values(milliseconds));
        expect(fastest).toBeGreaterThan(0);
        if (chosen) expect(milliseconds[chosen]).toBe(fastest);
        expect(context().tuning.get(sizes)).toBe(chosen);
      }
      expect(some.measured.length + some.left + some.known).toBe(problems().length);
      expect(cache.texts.size).toBe(some.measured.length > 0 ? 1 : 0);

      const choices = new Map(context().tuning);
      context().tuning.clear();
      await loadTuning(context(), { cache });
      expect(context().tuning).toEqual(choices);
      const again = await tune(context(), { budgetMs: 0, cache });
      expect(again.measured).toEqual([]);
      expect(again.known).toBe(some.known + some.measured.length);
    }));

  test('each problem is of a class of sizes of its own', () => {
    const all = problems().map((problem) => sizesOf(context(), problem));
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((sizes) => sizes !== '')).toBe(true);
  });

  test('measures what programs run: long sums in chunks side by side, then added up', () =>
    untuned(async () => {
      // The cache knows every problem but one, which is then measured alone.
      const wanted = problems().find(({ name }) => name.endsWith('weight gradient'))!;
      const others = problems().filter(({ name }) => name !== wanted.name);
      const choices = Object.fromEntries(others.map((problem) => [sizesOf(context(), problem), '']));
      const cache = { ...memoryCache(), read: async () => JSON.stringify({ choices }) };
      const recorded = vi.spyOn(context(), 'record');
      try {
        const { measured } = await tune(context(), { budgetMs: 60_000, cache });
        expect(measured.map(({ problem }) => problem)).toEqual([wanted.name]);
        for (const [sums, ...more] of recorded.mock.calls as Dispatch[][]) {
          expect(sums!.kernel.name).toMatch(/^weight gradient /);
          expect(more.map(({ kernel }) => kernel.name)).toEqual(['add chunks']);
        }
      } finally {
        recorded.mockRestore();
      }
    }));

  test('a cache that cannot be understood, or read, is left aside with a warning', () =>
    untuned(async () => {
      const cache = memoryCache();
      const read = async (text: string) => {
        const warnings: string[] = [];
        const broken = { ...cache, read: async () => text };
        await loadTuning(context(), { cache: broken, onWarning: (warning) => warnings.push(warning) });
        return warnings;
      };
      for (const text of ['', '{"choices": ', 'null', '[]', '{"choices": {"matmul NN 1 1 1": "fast"}}']) {
        expect(await read(text), text).toEqual([expect.stringMatching(/^tuning: the cache tuning-/)]);
        expect(context().tuning.size).toBe(0);
      }
      const sizes = `matmul ${shapeClass('NN', 512, 512, 512)}`;
      expect(await read(`{"choices": {"${sizes}": "register 9x9"}}`)).toHaveLength(1);
      expect(await read(`{"choices": {"${sizes}": "register 8x4"}}`)).toEqual([]);
      expect([...context().tuning]).toEqual([[sizes, 'register 8x4']]);

      const warnings: string[] = [];
      const closed: TextCache = {
        read: () => Promise.reject(new Error('no access')),
        write: () => Promise.reject(new Error('no access')),
      };
      await loadTuning(context(), { cache: closed, onWarning: (warning) => warnings.push(warning) });
      expect(warnings).toEqual([expect.stringContaining('no access')]);
    }));

  test('stops when it is told to', () =>
    untuned(async () => {
      const stop = new AbortController();
      const onProgress = () => stop.abort(new Error('enough'));
      await expect(tune(context(), { cache: null, signal: stop.signal, onProgress })).rejects.toThrow(
        'enough',
      );
    }));

  test('sizes that differ by less than the root of 2 are one class', () => {
    expect(shapeClass('NN', 1, 500, 784)).toBe('NN 1 512 1024');
    expect(shapeClass('NN', 0, 3, 724)).toBe('NN 1 4 512');
  });
});
