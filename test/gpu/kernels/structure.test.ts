/** Concatenation and dropout masks bit for bit, log-softmax against float64. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { dropoutMask } from '../../../src/kernels/dropout/dropout-mask.ts';
import { logSoftmax } from '../../../src/kernels/softmax/log-softmax.ts';
import { concatenate } from '../../../src/kernels/structure/concatenate.ts';
import { portableOperations } from '../../reference/operations.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

describe('concatenate', () => {
  it.each([
    [
      [
        [2, 3, 4, 4],
        [2, 1, 4, 4],
      ],
      1,
    ], // vec4u
    [
      [
        [5, 3, 7, 7],
        [5, 17, 7, 7],
        [5, 1, 7, 7],
      ],
      1,
    ],
    [
      [
        [3, 5],
        [1, 5],
      ],
      0,
    ],
    [
      [
        [2, 2, 3],
        [2, 2, 0],
        [2, 2, 5],
      ],
      2,
    ],
  ] as [number[][], number][])('%j along axis %i', async (shapes, axis) => {
    const parts = shapes.map((shape, i) => ({ shape, values: normals(product(shape), `part ${i}`) }));
    const total = shapes.reduce((sum, shape) => sum + shape[axis]!, 0);
    const target = shapes[0]!.map((size, k) => (k === axis ? total : size));
    const output = memory.output(target);
    const inputs = parts.map(({ shape, values }) => memory.input(values, shape));
    context().record(...concatenate(context(), { inputs, axis, output }));
    const arrays = parts.map(({ shape, values }) => ({ shape, data: Float64Array.from(values) }));
    const expected = portableOperations.concatenate!(arrays, target, { axis }, 1);
    expect(Float64Array.from(await memory.read(output))).toEqual(expected);
  });

  it('refuses an output of another size', () => {
    const inputs = [memory.output([2, 3]), memory.output([2, 4])];
    const call = { inputs, axis: 1, output: memory.output([2, 8]) };
    expect(() => concatenate(context(), call)).toThrow(/3 \+ 4 along axis 1 need an output of 7/);
  });
});

describe('dropoutMask', () => {
  it.each([1, 4, 5, 1023])('%i elements have the bits of the host stream', async (count) => {
    const stream = new RandomStream(5, 'dropout');
    for (const step of [0, 1, 2 ** 32 - 1]) {
      const output = memory.output([count]);
      const call = { stream, rate: 0.3, step: memory.input(Uint32Array.of(step)), output };
      context().record(...dropoutMask(context(), call));
      const ofStep = stream.derive(step);
      const expected = Float32Array.from({ length: count }, (_, i) =>
        ofStep.uniform(i) < 0.3 ? 0 : 1 / 0.7,
      );
      expect(await memory.read(output)).toEqual(expected);
    }
  });

  it('refuses a rate of 1', () => {
    const call = {
      stream: { key0: 1, key1: 2 },
      step: memory.output([1], 'u32'),
      output: memory.output([4]),
    };
    expect(() => dropoutMask(context(), { ...call, rate: 1 })).toThrow(/0 <= rate < 1, got 1/);
  });
});

describe('logSoftmax', () => {
  it.each([
    [1, 1],
    [5, 3],
    [70, 10],
    [3, 257],
  ])('[%i, %i] equals float64, for large logits as well', async (rows, classes) => {
    for (const scale of [1, 100]) {
      const values = normals(rows * classes, 'logits').map((z) => scale * z);
      const output = memory.output([rows, classes]);
      context().record(...logSoftmax(context(), { logits: memory.input(values, [rows, classes]), output }));
      const logits = { shape: [rows, classes], data: Float64Array.from(values) };
      const expected = portableOperations.logSoftmax!([logits], [rows, classes], undefined, rows);
      // The difference from the largest and the result are rounded; a sum of `classes` terms and exp's 3 + 2 |x| ulp move the
      // logarithm by a few units more.
      const tolerance = expected.map((v) => 2 ** -24 * (2 * Math.abs(v) + classes + 20));
      expectClose(await memory.read(output), expected, tolerance);
    }
  });
});
