/** Windows: bit for bit against plain loops. */
import { describe, expect, it } from 'vitest';
import { type AxisWindow, WHOLE_AXIS, window } from '../../../src/kernels/structure/window.ts';
import { structureOperations } from '../../reference/structure-operations.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);

const start = (start: number): AxisWindow => ({ ...WHOLE_AXIS, start });
const every = (multiply: number, start = 0): AxisWindow => ({ start, multiply, divide: 1 });
const spread = (divide: number, start = 0): AxisWindow => ({ start, multiply: 1, divide });
const all = WHOLE_AXIS;

const CASES: readonly [string, readonly number[], readonly number[], readonly AxisWindow[]][] = [
  ['a copy', [2, 3, 5], [2, 3, 5], [all, all, all]],
  ['channels padded, vec4', [2, 3, 4, 4], [2, 8, 4, 4], [all, start(-2), all, all]],
  ['channels padded, single', [2, 3, 3, 3], [2, 8, 3, 3], [all, start(-2), all, all]],
  ['channels cropped', [2, 17, 2, 2], [2, 5, 2, 2], [all, start(4), all, all]],
  ['space padded', [2, 3, 7, 8], [2, 3, 9, 12], [all, all, start(-1), start(-2)]],
  ['cropped before, padded after', [1, 5], [1, 6], [all, start(2)]],
  ['every second', [2, 3, 7, 8], [2, 3, 4, 4], [all, all, every(2), every(2)]],
  ['every third from 1', [16], [5], [every(3, 1)]],
  ['spread by 2', [2, 3, 4, 4], [2, 3, 7, 8], [all, all, spread(2), spread(2)]],
  ['spread by 3 from 1', [5], [16], [spread(3, -1)]],
  ['one row', [2, 17], [1, 17], [start(1), all]],
];

describe('window', () => {
  it.each(CASES)('%s', async (_name, shape, target, axes) => {
    const values = normals(
      shape.reduce((a, b) => a * b, 1),
      'window',
    );
    const output = memory.output(target);
    context().record(...window(context(), { input: memory.input(values, shape), output, axes }));
    const inputs = [{ data: Float64Array.from(values), shape }];
    const expected = structureOperations.window!(inputs, target, { axes }, 1);
    expect(Float64Array.from(await memory.read(output))).toEqual(expected);
  });

  it('refuses another number of axes, and more cut axes than it can hold', () => {
    const [input, output] = [memory.output([2, 3]), memory.output([6])];
    expect(() => window(context(), { input, output, axes: [all] })).toThrow(/1 axes need an input/);
    const many = memory.output([3, 3, 3, 3, 3]);
    const axes = Array(5).fill(every(2));
    expect(() => window(context(), { input: many, output: memory.output([2, 2, 2, 2, 2]), axes })).toThrow(
      /at most four axes/,
    );
  });
});
