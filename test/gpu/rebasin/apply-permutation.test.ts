import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  invertPermutations,
  permuteArena,
  permuteValues,
} from '../../../src/rebasin/spec/apply-permutation.ts';
import { identityPermutations } from '../../../src/rebasin/spec/axis-index.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';
import { mlpSpec, randomValues, unusualSpecs } from '../../support/rebasin-networks.ts';

const context = useContext();

const specs = { 'an MLP': mlpSpec(5, 7, 4, 3), ...unusualSpecs() };

const bits = (values: ReadonlyMap<string, Float32Array>) =>
  new Map([...values].map(([name, { buffer }]) => [name, new Uint32Array(buffer)]));

describe.each(Object.entries(specs))('permuteValues and permuteArena on %s', (_name, spec) => {
  it('agree, bit for bit', async () => {
    const values = randomValues(spec, 1);
    const permutations = randomPermutations(spec, 2);
    const arenas = [0, 1].map(() => new Arena(context(), new ArenaLayout(spec.entries)));
    arenas[0]!.write(values);
    permuteArena(context(), spec, permutations, arenas[0]!, arenas[1]!);
    expect(await arenas[1]!.read()).toEqual(permuteValues(spec, permutations, values));
    expect(await arenas[0]!.read()).toEqual(values);
    permuteArena(context(), spec, invertPermutations(permutations), arenas[1]!, arenas[0]!);
    expect(await arenas[0]!.read()).toEqual(values);
    for (const arena of arenas) arena.destroy();
  });

  it('undo themselves with the inverse, and move something', () => {
    fc.assert(
      fc.property(fc.nat(10_000), (seed) => {
        const values = randomValues(spec, seed);
        const permutations = randomPermutations(spec, seed);
        const permuted = permuteValues(spec, permutations, values);
        expect(permuted).not.toEqual(values);
        expect(permuteValues(spec, invertPermutations(permutations), permuted)).toEqual(values);
        for (const [name, value] of values) expect(permuted.get(name)!.toSorted()).toEqual(value.toSorted());
      }),
      { numRuns: 20 },
    );
  });
});

describe('permuteValues', () => {
  const spec = mlpSpec(2, 3, 2);
  const values = new Map([
    ['fc1.weight', Float32Array.of(1, 2, 3, 4, 5, 6)],
    ['fc1.bias', Float32Array.of(10, 20, 30)],
    ['fc2.weight', Float32Array.of(100, 200, 300, 400, 500, 600)],
    ['fc2.bias', Float32Array.of(7, 8)],
  ]);

  it('puts unit p[i] into slot i', () => {
    expect(permuteValues(spec, { fc1: Int32Array.of(2, 0, 1) }, values)).toEqual(
      new Map([
        ['fc1.weight', Float32Array.of(5, 6, 1, 2, 3, 4)],
        ['fc1.bias', Float32Array.of(30, 10, 20)],
        ['fc2.weight', Float32Array.of(300, 100, 200, 600, 400, 500)],
        ['fc2.bias', Float32Array.of(7, 8)],
      ]),
    );
  });

  it('keeps every bit of a NaN', () => {
    const odd = new Map(values).set(
      'fc1.bias',
      new Float32Array(Uint32Array.of(0x7fc00001, 0xffa0beef, 0x80000000).buffer),
    );
    const permuted = permuteValues(spec, { fc1: Int32Array.of(1, 2, 0) }, odd);
    expect(bits(permuted).get('fc1.bias')).toEqual(Uint32Array.of(0xffa0beef, 0x80000000, 0x7fc00001));
  });

  it('names what does not fit', () => {
    const p = Int32Array.of(2, 0, 1);
    expect(() => permuteValues(spec, {}, values)).toThrow('groups fc1, got none of "fc1"');
    expect(() => permuteValues(spec, { fc1: p, fc2: p }, values)).toThrow('groups fc1, got one of "fc2"');
    expect(() => permuteValues(spec, { fc1: p.slice(1) }, values)).toThrow(
      '"fc1" has 3 units, got a permutation of 2',
    );
    expect(() => permuteValues(spec, { fc1: Int32Array.of(0, 0, 1) }, values)).toThrow(
      'group "fc1": expected a permutation',
    );
    expect(() => permuteValues(spec, { fc1: p }, new Map())).toThrow(
      '"fc1.weight" of shape [3,2] needs 6 values, got none',
    );
  });
});

describe('permuteArena', () => {
  it('leaves entries alone that only one of the arenas has', async () => {
    const spec = mlpSpec(2, 3, 2);
    const [weights, all] = [spec.entries.filter(({ shape }) => shape.length === 2), spec.entries];
    const source = new Arena(context(), new ArenaLayout(weights));
    const target = new Arena(context(), new ArenaLayout(all));
    const values = randomValues(spec, 3);
    source.write(values);
    permuteArena(context(), spec, identityPermutations(spec), source, target);
    const read = await target.read();
    expect(read.get('fc2.weight')).toEqual(values.get('fc2.weight'));
    expect(read.get('fc1.bias')).toEqual(new Float32Array(3));
    source.destroy();
    target.destroy();
  });
});
