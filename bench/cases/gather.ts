/** Gathers: rows of a table (a batch of an epoch's order), and a permutation along the second axis (permuting a weight's inputs). */
import { RandomStream } from '../../src/base/random.ts';
import { gatherAxis } from '../../src/kernels/gather/gather-axis.ts';
import { gatherAxis as reference } from '../../test/reference/kernels/gather.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstWrong } from '../check.ts';
import { dispatching } from './dispatching.ts';

interface Sizes {
  readonly rows: number;
  readonly length: number;
  readonly taken: number;
}

export const gatherFamily: Family = {
  name: 'gather',
  about: 'rows of a table, and a permutation along an axis',
  cases: async () => [
    rowsCase({ rows: 60_000 / 10, length: 784, taken: 512 }),
    rowsCase({ rows: 4096, length: 1024, taken: 4096 }),
    axisCase(512, 784),
    axisCase(4096, 4096, true),
  ],
};

function rowsCase({ rows, length, taken }: Sizes): TimedCase {
  return {
    name: `gather/rows/${taken}x${length}`,
    bytes: 8 * taken * length,
    prepare() {
      const stream = new RandomStream(1, `bench gather ${rows} ${length} ${taken}`);
      const table = new Float32Array(rows * length);
      stream.derive('table').fillUniform(table);
      const index = stream.permutation(rows).slice(0, taken);
      return {
        problem: { kind: 'gather', rows, length, table, index },
        ...permuting(table, { outer: 1, size: rows, inner: length }, index),
      };
    },
  };
}

/** Along the second axis of [rows, columns]. */
function axisCase(rows: number, columns: number, hardwareOnly = false): TimedCase {
  return {
    name: `gather/axis/${rows}x${columns}`,
    bytes: 8 * rows * columns,
    hardwareOnly,
    prepare() {
      const stream = new RandomStream(1, `bench gather axis ${rows} ${columns}`);
      const table = new Float32Array(rows * columns);
      stream.derive('table').fillUniform(table);
      return permuting(table, { outer: rows, size: columns, inner: 1 }, stream.permutation(columns));
    },
  };
}

function permuting(
  table: Float32Array<ArrayBuffer>,
  sizes: { readonly outer: number; readonly size: number; readonly inner: number },
  index: Uint32Array<ArrayBuffer>,
): Pick<Awaited<ReturnType<TimedCase['prepare']>>, 'own' | 'check'> {
  const { outer, size, inner } = sizes;
  const bits = reference(new Uint32Array(table.buffer), outer, size, inner, index);
  const expected = new Float32Array(bits.buffer);
  return {
    own: (context) => [
      dispatching(context, ({ of, make }) => {
        const output = make([outer, index.length, inner]);
        const call = { ...sizes, input: of(table), index: of(index), output };
        return { dispatches: gatherAxis(context, call), results: [output] };
      }),
    ],
    check: ([values]) => firstWrong(values!, expected, () => 0),
  };
}
