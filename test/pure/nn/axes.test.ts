import { describe, expect, it } from 'vitest';
import {
  type Axis,
  atomsOf,
  axisSize,
  concatenatedAxis,
  freshAxis,
  joinAxes,
  pinAxis,
  productAxis,
  resolveAxis,
} from '../../../src/nn/axes.ts';
import { deriveAxes, occurrencesOn } from '../../../src/nn/derive-axes.ts';
import { add, crossEntropy, input, linear, parameter, relu } from '../../../src/nn/ops/index.ts';

const atoms = (...sizes: number[]): Axis[] => sizes.map(freshAxis);
const sizesOf = (axis: Axis): number[] => atomsOf(axis).map(axisSize);

describe('joinAxes', () => {
  it('makes two atoms one', () => {
    const [a, b, c] = atoms(5, 5, 5);
    joinAxes(a!, b!);
    joinAxes(b!, c!);
    expect(resolveAxis(a!)).toBe(resolveAxis(c!));
    pinAxis(c!, 'because');
    expect(atomsOf(a!)[0]!.pinned).toBe('because');
  });

  it('refines what was joined before', () => {
    const [a, b, left, right] = atoms(6, 6, 2, 4);
    joinAxes(a!, b!);
    joinAxes(b!, concatenatedAxis([left!, right!]));
    expect(sizesOf(a!)).toEqual([2, 4]);
    expect(atomsOf(a!)).toEqual(atomsOf(b!));
    joinAxes(a!, concatenatedAxis(atoms(3, 3)));
    expect(sizesOf(b!)).toEqual([2, 1, 3]);
    expect(sizesOf(right!)).toEqual([1, 3]);
  });

  it('splits factors along a common chain of strides', () => {
    const [a, b, c, d] = atoms(4, 6, 2, 12);
    joinAxes(productAxis([a!, b!]), productAxis([c!, d!]));
    expect(sizesOf(a!)).toEqual([2, 2]);
    expect(sizesOf(d!)).toEqual([2, 6]);
    expect(atomsOf(d!)[0]).toBe(atomsOf(a!)[1]);
    expect(atomsOf(d!)[1]).toBe(resolveAxis(b!));
  });

  it('pins factors without a common split, and keeps the reason', () => {
    const [a, b, c, d] = atoms(4, 9, 6, 6);
    joinAxes(productAxis([a!, b!]), productAxis([c!, d!]));
    for (const axis of [a!, b!, c!, d!]) {
      expect(atomsOf(axis)[0]!.pinned).toBe('no common split of 4, 9 and 6, 6');
    }
  });

  it('cuts a product only between units of its outermost factor', () => {
    const [channels, space, left, right] = atoms(6, 4, 8, 16);
    joinAxes(productAxis([channels!, space!]), concatenatedAxis([left!, right!]));
    expect(sizesOf(channels!)).toEqual([2, 4]);
    expect(sizesOf(left!)).toEqual([2, 4]);
    expect(atomsOf(left!)[1]).toBe(atomsOf(right!)[1]);
    expect([...atomsOf(left!), ...atomsOf(right!)].some((atom) => atom.pinned)).toBe(false);

    const [c, s, before, after, last] = atoms(6, 4, 6, 6, 12);
    joinAxes(productAxis([c!, s!]), concatenatedAxis([before!, after!, last!]));
    expect(atomsOf(before!)[0]!.pinned).toContain('no common split');
    expect(atomsOf(c!).every((atom) => atom.pinned)).toBe(true);
  });

  it('pins only up to the next common boundary', () => {
    const [c, s, before, after, tail] = atoms(3, 4, 6, 6, 5);
    const [first, rest] = [productAxis([c!, s!]), freshAxis(5)];
    joinAxes(concatenatedAxis([first, rest]), concatenatedAxis([before!, after!, tail!]));
    expect(atomsOf(before!)[0]!.pinned).toBeDefined();
    expect(atomsOf(tail!)[0]!.pinned).toBeUndefined();
    expect(resolveAxis(tail!)).toBe(resolveAxis(rest));
  });

  it('makes units of groups share their order inside when segments meet factors', () => {
    const [groups, channels] = atoms(3, 4);
    const segments = atoms(4, 4, 4);
    joinAxes(productAxis([groups!, channels!]), concatenatedAxis(segments));
    for (const segment of segments) expect(resolveAxis(segment)).toBe(resolveAxis(channels!));
    expect(sizesOf(groups!)).toEqual([1, 1, 1]);
  });

  it('ends when an axis is joined with its own rotation: nothing but the identity is left', () => {
    const [a, b] = atoms(3, 5);
    joinAxes(concatenatedAxis([a!, b!]), concatenatedAxis([b!, a!]));
    expect(new Set(atomsOf(concatenatedAxis([a!, b!]))).size).toBe(1);
    expect(sizesOf(a!)).toEqual([1, 1, 1]);
  });

  it('keeps a pin through every later refinement', () => {
    const [a, b] = atoms(6, 6);
    pinAxis(a!, 'first');
    joinAxes(a!, productAxis(atoms(2, 3)));
    joinAxes(b!, a!);
    pinAxis(b!, 'second');
    expect(atomsOf(b!).map((atom) => atom.pinned)).toEqual(['first', 'first']);
  });

  it('treats the batch dimension as one pinned thing', () => {
    const [n, m] = [freshAxis('N'), freshAxis('N')];
    joinAxes(n, m);
    expect(atomsOf(n)[0]!.pinned).toBe('the batch dimension');
    const [c, d, mixed] = atoms(4, 4, 8);
    joinAxes(productAxis([n, c!]), productAxis([m, d!]));
    expect(resolveAxis(c!)).toBe(resolveAxis(d!));
    expect(atomsOf(c!)[0]!.pinned).toBeUndefined();
    joinAxes(n, mixed!);
    joinAxes(n, productAxis([m, c!]));
    expect(atomsOf(mixed!)[0]!.pinned).toContain('no common split');
    expect(atomsOf(c!)[0]!.pinned).toContain('no common split');
  });

  it('refuses axes of different sizes', () => {
    expect(() => joinAxes(freshAxis(3), freshAxis(4))).toThrow('joins axes of 3 and 4');
  });
});

describe('occurrencesOn', () => {
  it('places atoms inside and outside of others', () => {
    const [a, b, outer, inner] = atoms(2, 3, 4, 5);
    const axis = productAxis([outer!, concatenatedAxis([a!, b!]), inner!]);
    const found = occurrencesOn(axis).map(({ atom, start, inner, outer }) => ({
      size: atom.size,
      start,
      inner,
      outer,
    }));
    expect(found).toEqual([
      { size: 4, start: 0, inner: 25, outer: [] },
      { size: 2, start: 0, inner: 5, outer: [{ count: 4, stride: 25 }] },
      { size: 3, start: 10, inner: 5, outer: [{ count: 4, stride: 25 }] },
      { size: 5, start: 0, inner: 1, outer: [{ count: 20, stride: 5 }] },
    ]);
  });
});

describe('deriveAxes', () => {
  const layer = (x: Parameters<typeof linear>[0], name: string, fanIn: number, fanOut: number) =>
    linear(x, parameter(`${name}.weight`, [fanOut, fanIn]), parameter(`${name}.bias`, [fanOut]));

  it('joins what one layer writes with what the next one reads, and pins inputs and outputs', () => {
    const hidden = relu(layer(input('images', ['N', 7]), 'fc1', 7, 5));
    const tensors = deriveAxes([layer(hidden, 'fc2', 5, 3)]);
    const axes = (name: string) => tensors.find((tensor) => tensor.leaf?.name === name)!.axes;
    expect(resolveAxis(axes('fc1.weight')[0]!)).toBe(resolveAxis(axes('fc2.weight')[1]!));
    expect(resolveAxis(axes('fc1.bias')[0]!)).toBe(resolveAxis(axes('fc2.weight')[1]!));
    expect(atomsOf(axes('fc1.bias')[0]!)[0]!.pinned).toBeUndefined();
    expect(atomsOf(axes('fc1.weight')[1]!)[0]!.pinned).toBe('the network\'s input "images"');
    expect(atomsOf(axes('fc2.bias')[0]!)[0]!.pinned).toBe("the network's output");
  });

  it('gives leaves of one name one set of axes', () => {
    const x = layer(input('x', ['N', 4]), 'in', 4, 6);
    const twice = layer(layer(x, 'shared', 6, 6), 'shared', 6, 6);
    const tensors = deriveAxes([layer(twice, 'out', 6, 2)]);
    const shared = tensors.filter((tensor) => tensor.leaf?.name === 'shared.weight');
    expect(shared).toHaveLength(1);
    expect(resolveAxis(shared[0]!.axes[0]!)).toBe(resolveAxis(shared[0]!.axes[1]!));
  });

  it('pins the classes of a scalar loss', () => {
    const logits = layer(input('x', ['N', 4]), 'fc', 4, 3);
    const tensors = deriveAxes([crossEntropy(logits, input('labels', ['N'], 'u32'))]);
    const bias = tensors.find((tensor) => tensor.leaf?.name === 'fc.bias')!;
    expect(atomsOf(bias.axes[0]!)[0]!.pinned).toBe('labels index the classes');
  });

  it('ties everything that writes into a residual stream', () => {
    let x = layer(input('x', ['N', 4]), 'stem', 4, 6);
    for (let block = 0; block < 3; block++) {
      x = add(x, layer(relu(layer(x, `${block}.a`, 6, 9)), `${block}.b`, 9, 6));
    }
    const tensors = deriveAxes([layer(x, 'head', 6, 2)]);
    const stream = new Set(
      ['stem.bias', '0.b.bias', '1.b.bias', '2.b.bias'].map((name) =>
        resolveAxis(tensors.find((tensor) => tensor.leaf?.name === name)!.axes[0]!),
      ),
    );
    expect(stream.size).toBe(1);
  });
});
