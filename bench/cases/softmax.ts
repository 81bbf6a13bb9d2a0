/** Softmax and log-softmax of rows: ten classes, a thousand, and fifty thousand as of a language model. */
import { RandomStream } from '../../src/base/random.ts';
import { logSoftmax } from '../../src/kernels/softmax/log-softmax.ts';
import { softmax } from '../../src/kernels/softmax/softmax.ts';
import { softmax as reference } from '../../test/reference/kernels/softmax.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstWrong } from '../check.ts';
import { dispatching } from './dispatching.ts';

const SIZES: readonly (readonly [rows: number, classes: number])[] = [
  [512, 10],
  [4096, 1000],
  [32, 50_000],
];

export const softmaxFamily: Family = {
  name: 'softmax',
  about: 'softmax and its logarithm, by rows',
  cases: async () =>
    [false, true].flatMap((log) => SIZES.map(([rows, classes]) => softmaxCase(log, rows, classes))),
};

function softmaxCase(log: boolean, rows: number, classes: number): TimedCase {
  return {
    name: `softmax/${log ? 'log' : 'rows'}/${rows}x${classes}`,
    bytes: 8 * rows * classes,
    prepare() {
      const logits = new Float32Array(rows * classes);
      new RandomStream(1, `bench softmax ${rows} ${classes}`).fillNormal(logits, 0, 3);
      const expected = Float64Array.from(
        Array.from({ length: rows }, (_, row) =>
          reference(logits.subarray(row * classes, (row + 1) * classes)),
        ).flat(),
        (value) => (log ? Math.log(value) : value),
      );
      return {
        problem: { kind: 'softmax', log, rows, classes, logits },
        own: (context) => [
          dispatching(context, ({ of, make }) => {
            const call = { logits: of(logits, [rows, classes]), output: make([rows, classes]) };
            return {
              dispatches: log ? logSoftmax(context, call) : softmax(context, call),
              results: [call.output],
            };
          }),
        ],
        // exp of arguments up to 25 (WGSL allows 3 + 2 |x| ulp), and a sum of `classes` terms in any order
        check: ([values]) =>
          firstWrong(
            values!,
            expected,
            (i) => (64 + classes) * 2 ** -24 * (log ? 1 : expected[i]!) + (log ? 1e-5 : 1e-9),
          ),
      };
    },
  };
}
