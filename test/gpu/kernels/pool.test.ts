/** Pooling kernels against plain loops at awkward sizes, and their adjoints by the adjoint identity. */
import { describe, expect, it } from 'vitest';
import * as kernels from '../../../src/kernels/pool/pool.ts';
import { structureOperations } from '../../reference/structure-operations.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const UNIT = 2 ** -24;

const window = (kernel: number, stride: number, padding: number) => ({
  kernel: [kernel, kernel] as const,
  stride: [stride, stride] as const,
  padding: [padding, padding] as const,
});

const CASES = [
  { shape: [1, 1, 1, 1], ...window(1, 1, 0) },
  { shape: [5, 3, 7, 7], ...window(2, 2, 0) },
  { shape: [1, 17, 8, 8], ...window(3, 2, 1) },
  // windows of 2 x 2 side by side: vec4f where the width is a multiple of 8
  { shape: [2, 5, 32, 32], ...window(2, 2, 0) },
  { shape: [5, 17, 7, 8], ...window(2, 2, 0) },
  { shape: [1, 3, 2, 24], ...window(2, 2, 0) },
  { shape: [3, 2, 7, 8], ...window(3, 1, 1) },
  { shape: [2, 3, 7, 5], ...window(2, 3, 1) }, // stride above the kernel: places in no window
  { shape: [2, 3, 8, 7], kernel: [3, 2], stride: [1, 2], padding: [1, 0] } as const,
] as const;

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const array = (data: ArrayLike<number>, shape: readonly number[]) => ({
  data: Float64Array.from(data),
  shape,
});

describe('pooling', () => {
  it.each(CASES)('$shape, kernel $kernel, stride $stride, padding $padding', async (options) => {
    const { shape } = options;
    const [rows, columns] = kernels.pooledSize('test', [shape[2], shape[3]], options);
    const pooled = [shape[0], shape[1], rows, columns];
    // Rounded to quarters, so that windows hold equal values.
    const values = normals(count(shape), 'values').map((v) => Math.round(4 * v) / 4);
    const gradient = normals(count(pooled), 'gradient');
    const x = memory.input(values, shape);
    const dy = memory.input(gradient, pooled);
    const outputs = {
      maxPool: memory.output(pooled),
      maxPoolIndices: memory.output(pooled, 'u32'),
      averagePool: memory.output(pooled),
      maxUnpool: memory.output(shape),
      averageUnpool: memory.output(shape),
      gatherIndices: memory.output(pooled),
    };
    const indices = outputs.maxPoolIndices;
    const call = (input: typeof x, output: typeof x) => ({ ...options, input, output });
    context().record(
      ...kernels.maxPool(context(), call(x, outputs.maxPool)),
      ...kernels.maxPoolIndices(context(), call(x, indices)),
      ...kernels.averagePool(context(), call(x, outputs.averagePool)),
      ...kernels.maxUnpool(context(), { ...call(dy, outputs.maxUnpool), indices }),
      ...kernels.averageUnpool(context(), call(dy, outputs.averageUnpool)),
      ...kernels.gatherIndices(context(), { input: x, indices, output: outputs.gatherIndices }),
    );
    const reference = (name: string, inputs: ReturnType<typeof array>[], target: readonly number[]) =>
      structureOperations[name]!(inputs, target, options, shape[0]);
    const [xArray, dyArray] = [array(values, shape), array(gradient, pooled)];
    const expectedIndices = reference('maxPoolIndices', [xArray], pooled);
    const largest = reference('maxPool', [xArray], pooled);
    expect(Float64Array.from(await memory.readBits(indices))).toEqual(expectedIndices);
    expect(Float64Array.from(await memory.read(outputs.maxPool))).toEqual(largest);
    expect(Float64Array.from(await memory.read(outputs.gatherIndices))).toEqual(largest);
    // At most 9 terms of one sign and size, added and divided.
    const tolerance = 12 * UNIT * 9 * 4;
    const averages = reference('averagePool', [xArray], pooled);
    expectClose(await memory.read(outputs.averagePool), averages, tolerance);
    const unpooled = reference('maxUnpool', [dyArray, array(expectedIndices, pooled)], shape);
    expectClose(await memory.read(outputs.maxUnpool), unpooled, tolerance);
    const spread = reference('averageUnpool', [dyArray], shape);
    expectClose(await memory.read(outputs.averageUnpool), spread, tolerance);
  });

  it('takes the largest of negative numbers beside padding, and the first of equals', async () => {
    const x = memory.input(new Float32Array(9).fill(-5), [1, 1, 3, 3]);
    const [y, indices] = [memory.output([1, 1, 2, 2]), memory.output([1, 1, 2, 2], 'u32')];
    const call = { ...window(3, 2, 1), input: x };
    context().record(
      ...kernels.maxPool(context(), { ...call, output: y }),
      ...kernels.maxPoolIndices(context(), { ...call, output: indices }),
    );
    expect([...(await memory.read(y))]).toEqual([-5, -5, -5, -5]);
    expect([...(await memory.readBits(indices))]).toEqual([0, 1, 3, 4]);
  });

  it('refuses windows that do not fit and views of another shape', () => {
    const x = memory.output([1, 1, 3, 3]);
    const call = { ...window(5, 1, 0), input: x, output: memory.output([1, 1, 1, 1]) };
    expect(() => kernels.maxPool(context(), call)).toThrow(/kernel \[5,5\].*does not fit.*3 x 3/);
    expect(() => kernels.maxPool(context(), { ...call, ...window(3, 1, 2) })).toThrow(/at most half/);
    expect(() => kernels.averagePool(context(), { ...call, ...window(2, 1, 0) })).toThrow(
      /output must have 4 elements/,
    );
    expect(() =>
      kernels.maxPool(context(), { ...call, ...window(2, 1, 0), input: memory.output([3, 3]) }),
    ).toThrow(/must be \[N, C, H, W\]/);
  });
});
