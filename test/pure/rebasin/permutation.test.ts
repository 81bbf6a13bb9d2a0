import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError, ShapeError } from '../../../src/base/errors.ts';
import {
  assertPermutation,
  composePermutations,
  hammingDistance,
  identityPermutation,
  invertPermutation,
  isPermutation,
  randomPermutation,
} from '../../../src/rebasin/spec/permutation.ts';

/** Permutations of one length, each made from a list of ranks. */
function permutations(count: number) {
  return fc.integer({ min: 0, max: 20 }).chain((n) =>
    fc.tuple(
      ...Array.from({ length: count }, () =>
        fc
          .shuffledSubarray(
            Array.from({ length: n }, (_, i) => i),
            { minLength: n },
          )
          .map((p) => Int32Array.from(p)),
      ),
    ),
  );
}

function gather<T>(x: T[], p: Int32Array): T[] {
  return Array.from(p, (i) => x[i]!);
}

describe('invertPermutation', () => {
  test('composed with the permutation, on either side, gives the identity', () => {
    fc.assert(
      fc.property(permutations(1), ([p]) => {
        const identity = identityPermutation(p!.length);
        expect(composePermutations(p!, invertPermutation(p!))).toEqual(identity);
        expect(composePermutations(invertPermutation(p!), p!)).toEqual(identity);
      }),
    );
  });
});

describe('composePermutations', () => {
  test('gathers by the first, then by the second', () => {
    fc.assert(
      fc.property(permutations(2), ([p, q]) => {
        const x = Array.from(p!, (_, i) => `unit ${i}`);
        expect(gather(x, composePermutations(p!, q!))).toEqual(gather(gather(x, p!), q!));
      }),
    );
  });

  test('is r[i] = p[q[i]] on a case where the order shows', () => {
    expect(composePermutations(Int32Array.of(1, 2, 0), Int32Array.of(1, 0, 2))).toEqual(
      Int32Array.of(2, 1, 0),
    );
  });

  test('is associative', () => {
    fc.assert(
      fc.property(permutations(3), ([p, q, r]) => {
        const left = composePermutations(composePermutations(p!, q!), r!);
        expect(left).toEqual(composePermutations(p!, composePermutations(q!, r!)));
      }),
    );
  });

  test('refuses different lengths and names both', () => {
    expect(() => composePermutations(identityPermutation(2), identityPermutation(3))).toThrow(ShapeError);
    expect(() => composePermutations(identityPermutation(2), identityPermutation(3))).toThrow(/2 and 3/);
  });
});

describe('assertPermutation', () => {
  test.each([
    ['a repetition', [0, 2, 2, 1], 'got 2 at index 2'],
    ['a negative entry', [0, -1], 'got -1 at index 1'],
    ['an entry past the end', [2, 0], 'got 2 at index 0'],
    ['a fraction', [0, 0.5], 'got 0.5 at index 1'],
    ['NaN', [Number.NaN], 'got NaN at index 0'],
  ])('names the place of %s', (_, p, message) => {
    expect(isPermutation(p)).toBe(false);
    expect(() => assertPermutation(p, 'caller')).toThrow(DataError);
    expect(() => assertPermutation(p, 'caller')).toThrow(message);
    expect(() => assertPermutation(p, 'caller')).toThrow(/^caller: /);
  });

  test('accepts the empty permutation', () => {
    expect(isPermutation([])).toBe(true);
    expect(() => assertPermutation(new Int32Array(0))).not.toThrow();
  });

  test('guards the functions that index by their argument', () => {
    expect(() => invertPermutation(Int32Array.of(0, 0))).toThrow(/^invertPermutation: .*index 1/);
    expect(() => composePermutations(Int32Array.of(0), Int32Array.of(1))).toThrow(
      /^composePermutations: .*index 0/,
    );
  });
});

describe('hammingDistance', () => {
  test('counts the entries that differ', () => {
    expect(hammingDistance(Int32Array.of(0, 1, 2), Int32Array.of(0, 2, 1))).toBe(2);
    expect(hammingDistance(identityPermutation(4), identityPermutation(4))).toBe(0);
    expect(() => hammingDistance(identityPermutation(1), identityPermutation(2))).toThrow(ShapeError);
  });
});

describe('randomPermutation', () => {
  test('turns each sequence of draws into a different permutation, and hits all of them', () => {
    // 4 * 3 * 2 sequences, 4! permutations: uniform draws give uniform permutations.
    const seen = new Set<string>();
    for (let code = 0; code < 24; code++) {
      let rest = code;
      const p = randomPermutation(4, (below) => {
        const draw = rest % below;
        rest = Math.floor(rest / below);
        return draw;
      });
      assertPermutation(p);
      seen.add(p.join());
    }
    expect(seen.size).toBe(24);
  });
});
