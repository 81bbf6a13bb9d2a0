import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grid, independent, testOf } from '../../../src/studies/study.ts';
import { pair, train } from './synthetic-jobs.ts';

describe('a grid', () => {
  test('has every combination, the last factor fastest', () => {
    const seen: unknown[] = [];
    const points = grid({ width: [1, 2], how: ['a', 'b'], repeat: [0] }, (at) => {
      seen.push(at);
      return pair();
    });
    expect(points.map(({ at }) => at)).toEqual([
      { width: 1, how: 'a', repeat: 0 },
      { width: 1, how: 'b', repeat: 0 },
      { width: 2, how: 'a', repeat: 0 },
      { width: 2, how: 'b', repeat: 0 },
    ]);
    expect(seen).toEqual(points.map(({ at }) => at));
  });

  test('of no factors is one place, of an empty factor none', () => {
    expect(grid({}, () => pair()).map(({ at }) => at)).toEqual([{}]);
    expect(grid({ width: [1], repeat: [] }, () => pair())).toEqual([]);
  });
});

describe('networks of a repetition', () => {
  test('are no other repetition’s', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }), (count, repeats) => {
        const all = Array.from({ length: repeats }, (_, repeat) =>
          independent(count, repeat, (seed) => train(seed)),
        ).flat();
        expect(new Set(all.map(({ seed }) => seed)).size).toBe(count * repeats);
      }),
    );
  });

  test('are told which they are', () => {
    expect(independent(2, 3, (seed, index) => train(10 * seed + index)).map(({ seed }) => seed)).toEqual([
      60, 71,
    ]);
  });
});

test('networks are evaluated on the test images of what they were trained on', () => {
  expect(testOf({ name: 'digits', train: 2000, test: 1000 })).toEqual({
    name: 'digits',
    train: 1,
    test: 1000,
  });
  expect(testOf({ name: 'mnist' })).toEqual({ name: 'mnist', train: 1 });
});
