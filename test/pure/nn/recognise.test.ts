/** Recognising MLPs from names and shapes, and model names. */
import { describe, expect, it } from 'vitest';
import { FormatError, OptionError } from '../../../src/base/errors.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { compareNaturally } from '../../../src/nn/models/named-shapes.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { recogniseModel } from '../../../src/nn/models/recognise.ts';

/** Tensors of a chain, given as name -> shape. */
function tensors(shapes: Record<string, number[]>) {
  return Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
}

describe('recogniseModel', () => {
  it('orders layers by number, not by letter: fc10 comes after fc2', () => {
    const shapes: Record<string, number[]> = {};
    for (let layer = 10; layer >= 1; layer--) {
      shapes[`fc${layer}.weight`] = [20 + layer, 19 + layer];
      shapes[`fc${layer}.bias`] = [20 + layer];
    }
    const model = recogniseModel(tensors(shapes));
    expect(model.name).toBe('mlp:20-21-22-23-24-25-26-27-28-29-30');
    expect(stateEntries(model).at(-1)).toMatchObject({ name: 'fc10.bias', shape: [30] });
  });

  it('keeps the names of the file, whatever they are, and pairs biases by name or by position', () => {
    const sequential = recogniseModel(
      tensors({ 'net.0.weight': [5, 4], 'net.0.bias': [5], 'net.2.weight': [3, 5], 'net.2.bias': [3] }),
    );
    expect(stateEntries(sequential).map(({ name }) => name)).toEqual([
      'net.0.weight',
      'net.0.bias',
      'net.2.weight',
      'net.2.bias',
    ]);
    const byPosition = recogniseModel(tensors({ w1: [5, 4], w2: [3, 5], b1: [5], b2: [3] }));
    expect(stateEntries(byPosition).map(({ name }) => name)).toEqual(['w1', 'b1', 'w2', 'b2']);
  });

  it('recognises networks without biases, or with biases on some layers', () => {
    expect(recogniseModel(tensors({ 'a.weight': [5, 4], 'b.weight': [3, 5] })).name).toBe(
      'mlp:4-5-3:no-bias',
    );
    const some = recogniseModel(tensors({ 'a.weight': [5, 4], 'b.weight': [3, 5], 'b.bias': [3] }));
    expect(stateEntries(some).map(({ name }) => name)).toEqual(['a.weight', 'b.weight', 'b.bias']);
  });

  it('says what it assumed, and nothing when it was told', () => {
    const chain = tensors({ 'a.weight': [5, 4], 'b.weight': [3, 5] });
    expect(recogniseModel(chain).assumptions).toEqual([expect.stringMatching(/activation relu.*--model/)]);
    expect(recogniseModel(chain, 'mlp:tanh')).toMatchObject({
      name: 'mlp:4-5-3:tanh:no-bias',
      assumptions: [],
    });
  });

  it.each<[string, Record<string, number[]>, RegExp]>([
    [
      'a chain that breaks',
      { 'a.weight': [5, 4], 'b.weight': [3, 6] },
      /"b\.weight" \[3,6\] takes 6 features.*"a\.weight" \[5,4\].*gives 5/,
    ],
    [
      'a bias of another size',
      { 'a.weight': [5, 4], 'a.bias': [4] },
      /"a\.bias" \[4\] does not fit "a\.weight"/,
    ],
    [
      'a vector that belongs to nothing',
      { 'a.weight': [5, 4], 'norm.weight': [5] },
      /"norm\.weight" \[5\] belongs to no weight/,
    ],
    ['a tensor with three axes', { 'a.weight': [5, 4], kernel: [3, 3, 3] }, /"kernel" has shape \[3,3,3\]/],
    ['no weights', { 'a.bias': [5] }, /got none/],
  ])('refuses %s, naming it', (_what, shapes, message) => {
    expect(() => recogniseModel(tensors(shapes))).toThrow(FormatError);
    expect(() => recogniseModel(tensors(shapes))).toThrow(message);
  });

  it('refuses widths or biases other than the checkpoint has', () => {
    const chain = tensors({ 'a.weight': [5, 4], 'a.bias': [5] });
    expect(() => recogniseModel(chain, 'mlp:4-6')).toThrow(/says 4-6, the checkpoint has 4-5/);
    expect(() => recogniseModel(chain, 'mlp:no-bias')).toThrow(/"a\.bias"/);
  });
});

describe('compareNaturally', () => {
  it('orders numbers inside names by value', () => {
    const names = ['layer10.w', 'layer9.w', 'layer1.10', 'layer1.9', 'layer1', 'alpha'];
    expect(names.sort(compareNaturally)).toEqual([
      'alpha',
      'layer1',
      'layer1.9',
      'layer1.10',
      'layer9.w',
      'layer10.w',
    ]);
  });
});

describe('parseModel', () => {
  it('reads back the name that a model gives itself', () => {
    for (const name of ['mlp:784-512-10', 'mlp:4-5-3:tanh', 'mlp:4-3:no-bias', 'mlp:4-5-3:gelu:no-bias']) {
      expect(parseModel(name).name).toBe(name);
    }
  });

  it.each([
    ['alexnet', /unknown model "alexnet"/],
    ['mlp', /needs its widths/],
    ['mlp:784-10:swish', /"swish".*is not understood/],
    ['mlp:784', /"784".*is not understood/],
    ['mlp:784-0-10', /positive integers/],
  ])('refuses %s', (name, message) => {
    expect(() => parseModel(name)).toThrow(OptionError);
    expect(() => parseModel(name)).toThrow(message);
  });
});

describe('mlp', () => {
  it('refuses names that do not match its layers', () => {
    expect(() => mlp({ widths: [4, 5, 3], names: [{ weight: 'w' }] })).toThrow(
      /2 layers need 2 names, got 1/,
    );
  });
});
