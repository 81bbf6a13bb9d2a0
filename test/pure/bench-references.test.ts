/** The bench suite's references for large convolutions: at the places that they look at, what whole references give. */
import { describe, expect, it } from 'vitest';
import { sampledConvReference } from '../../bench/cases/sampled-conv.ts';
import {
  type ConvSizes,
  conv2dReference,
  convShapes,
  inputGradientReference,
  weightGradientReference,
} from '../reference/kernels/conv.ts';

const sizes: ConvSizes = {
  ...{ n: 2, c: 3, h: 7, w: 6, o: 4, groups: 1 },
  ...{ kernel: [3, 2], stride: [2, 1], padding: [1, 1] },
};
const shapes = convShapes(sizes);
const filled = (shape: readonly number[], seed: number) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * seed) % 23) - 11);
const operands = {
  input: filled(shapes.input, 7),
  weight: filled(shapes.weight, 5),
  gradient: filled(shapes.output, 3),
};
const whole = {
  forward: conv2dReference(sizes, operands.input, operands.weight),
  'input-gradient': inputGradientReference(sizes, operands.gradient, operands.weight),
  'weight-gradient': weightGradientReference(sizes, operands.input, operands.gradient),
};

describe('sampled references of convolutions', () => {
  it.each(['forward', 'input-gradient', 'weight-gradient'] as const)('%s', (task) => {
    const { places, values, magnitudes, terms } = sampledConvReference(task, sizes, shapes, operands);
    const expected = whole[task];
    expect(places).toEqual(Array.from(expected.values.keys())); // small: all of them
    expect(values).toEqual([...expected.values]); // whole numbers: exact in any order
    expect(magnitudes).toEqual([...expected.magnitudes]);
    expect(terms).toBeGreaterThanOrEqual(expected.terms);
  });
});
