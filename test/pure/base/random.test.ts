import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OptionError } from '../../../src/base/errors.ts';
import { RandomStream, threefry2x32 } from '../../../src/base/random.ts';

function block(key0: number, key1: number, counter0: number, counter1: number): string {
  const out = new Uint32Array(2);
  threefry2x32(key0, key1, counter0, counter1, out);
  return Array.from(out, (word) => word.toString(16).padStart(8, '0')).join(' ');
}

describe('threefry2x32', () => {
  test('gives the published known answers of Random123', () => {
    expect(block(0, 0, 0, 0)).toBe('6b200159 99ba4efe');
    expect(block(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)).toBe('1cb996fc bb002be7');
    expect(block(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toBe('c4923a9c 483df7a0');
  });

  test('one flipped input bit changes about half of the output bits', () => {
    let changed = 0;
    const reference = new Uint32Array(2);
    const other = new Uint32Array(2);
    for (let bit = 0; bit < 32; bit++) {
      threefry2x32(1, 2, 3, 4, reference);
      const flips: [number, number, number, number][] = [
        [1 ^ (1 << bit), 2, 3, 4],
        [1, 2 ^ (1 << bit), 3, 4],
        [1, 2, 3 ^ (1 << bit), 4],
        [1, 2, 3, 4 ^ (1 << bit)],
      ];
      for (const inputs of flips) {
        threefry2x32(...inputs, other);
        changed += bitCount(reference[0]! ^ other[0]!) + bitCount(reference[1]! ^ other[1]!);
      }
    }
    expect(changed / (4 * 32 * 64)).toBeGreaterThan(0.48);
    expect(changed / (4 * 32 * 64)).toBeLessThan(0.52);
  });
});

describe('RandomStream', () => {
  test('word i is word i & 1 of the block with counter i >> 1, also beyond 32 bits', () => {
    const stream = new RandomStream(7, 'layout');
    const out = new Uint32Array(2);
    for (const index of [0, 1, 2, 3, 1001, 2 ** 32 + 5, 2 ** 33 + 1, 2 ** 40 + 6]) {
      const pair = Math.floor(index / 2);
      threefry2x32(stream.key0, stream.key1, pair % 2 ** 32, Math.floor(pair / 2 ** 32), out);
      expect(stream.uint32(index)).toBe(out[index % 2]);
    }
  });

  test('bulk filling, single words and uniforms agree, in any order and for odd lengths', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 0, max: 65 }), (seed, length) => {
        const stream = new RandomStream(seed, 'agree');
        const words = new Uint32Array(length);
        const uniforms = new Float32Array(length);
        stream.fillUint32(words);
        stream.fillUniform(uniforms);
        for (let i = length - 1; i >= 0; i--) {
          expect(stream.uint32(i)).toBe(words[i]);
          expect(stream.uniform(i)).toBe(uniforms[i]);
          expect(uniforms[i]).toBe((words[i]! >>> 8) / 2 ** 24);
        }
      }),
    );
  });

  test('keeps its numbers from release to release', () => {
    const stream = new RandomStream(42, 'pinned');
    expect([0, 1, 2, 3].map((i) => stream.uint32(i))).toEqual(PINNED_WORDS);
    const normals = new Float64Array(3);
    stream.fillNormal(normals);
    expect(Array.from(normals)).toEqual(PINNED_NORMALS);
    expect(Array.from(stream.permutation(10))).toEqual(PINNED_PERMUTATION);
  });

  test('a seed as a number and as a bigint is the same seed; seeds of 64 bits differ in every bit', () => {
    expect(new RandomStream(5, 'a').key0).toBe(new RandomStream(5n, 'a').key0);
    const keys = new Set<string>();
    for (let bit = 0n; bit < 64n; bit++) {
      const stream = new RandomStream(1n << bit, 'a');
      keys.add(`${stream.key0} ${stream.key1}`);
    }
    expect(keys.size).toBe(64);
  });

  test('purposes, the number 1 and the text "1", and nesting give streams that differ', () => {
    const root = new RandomStream(3, 'root');
    const streams = [
      root,
      root.derive(''),
      root.derive('ab'),
      root.derive('a').derive('b'),
      root.derive('ba'),
      root.derive('1'),
      root.derive(1),
      root.derive(1).derive(1),
      root.derive(2 ** 32 + 1),
      new RandomStream(4, 'root'),
    ];
    expect(new Set(streams.map((stream) => stream.uint32(0))).size).toBe(streams.length);
    expect(root.derive('ab').uint32(9)).toBe(root.derive('ab').uint32(9));
  });

  test('uniforms have mean 1/2, variance 1/12, no correlation with their neighbours or with a derived stream', () => {
    const n = 200_000;
    const stream = new RandomStream(1, 'statistics');
    const values = new Float64Array(n);
    const others = new Float64Array(n);
    stream.fillUniform(values, -0.5, 0.5);
    stream.derive('other').fillUniform(others, -0.5, 0.5);
    const mean = (f: (i: number) => number) => {
      let sum = 0;
      for (let i = 0; i < n - 1; i++) sum += f(i);
      return sum / (n - 1);
    };
    // Five standard errors: 1/sqrt(12 n) for the mean, 1/(12 sqrt(n)) for the products.
    expect(Math.abs(mean((i) => values[i]!))).toBeLessThan(5 * Math.sqrt(1 / (12 * n)));
    expect(Math.abs(mean((i) => values[i]! ** 2) - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / (180 * n)));
    expect(Math.abs(mean((i) => values[i]! * values[i + 1]!))).toBeLessThan(5 / (12 * Math.sqrt(n)));
    expect(Math.abs(mean((i) => values[i]! * others[i]!))).toBeLessThan(5 / (12 * Math.sqrt(n)));
  });

  test('fillUniform keeps to its range and fillNormal has the asked mean, deviation and tails', () => {
    const n = 200_000;
    const stream = new RandomStream(2, 'ranges');
    const uniforms = new Float32Array(n);
    stream.fillUniform(uniforms, -3, 5);
    expect(uniforms.every((value) => value >= -3 && value <= 5)).toBe(true);
    expect(uniforms.some((value) => value < -2.99)).toBe(true);
    expect(uniforms.some((value) => value > 4.99)).toBe(true);
    const normals = new Float64Array(n);
    stream.fillNormal(normals, 10, 2);
    const z = normals.map((value) => (value - 10) / 2);
    const moment = (power: number) => z.reduce((sum, value) => sum + value ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
    const beyondTwo = z.filter((value) => Math.abs(value) > 2).length / n;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.0025);
  });

  test('a permutation holds every number once, and all 24 orders of four are equally frequent', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(50), (n, seed) => {
        const order = new RandomStream(seed, 'order').permutation(n);
        expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
    const counts = new Map<string, number>();
    const draws = 24_000;
    const root = new RandomStream(9, 'orders');
    for (let i = 0; i < draws; i++) {
      const key = root.derive(i).permutation(4).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    let chiSquare = 0;
    for (const count of counts.values()) chiSquare += (count - draws / 24) ** 2 / (draws / 24);
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: above 49.7 once in a thousand streams.
    expect(chiSquare).toBeLessThan(49.7);
  });

  test('refuses seeds, purposes and lengths outside their range', () => {
    for (const seed of [-1, 1.5, NaN, 2 ** 53, -1n, 1n << 64n]) {
      expect(() => new RandomStream(seed, 'a')).toThrow(OptionError);
    }
    expect(() => new RandomStream(1, -1)).toThrow(OptionError);
    expect(() => new RandomStream(1, 'a').permutation(-1)).toThrow(OptionError);
    expect(() => new RandomStream(1, 'a').permutation(2.5)).toThrow(/expected a length/);
  });
});

function bitCount(word: number): number {
  let count = 0;
  for (let bit = 0; bit < 32; bit++) count += (word >>> bit) & 1;
  return count;
}

const PINNED_WORDS = [834914578, 2426176370, 2331858521, 1965315720];
const PINNED_NORMALS = [-1.6615489914334074, -0.717631208167955, -1.066224906966286];
const PINNED_PERMUTATION = [7, 0, 5, 6, 3, 9, 4, 1, 2, 8];
