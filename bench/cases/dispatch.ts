/** What a dispatch, a submit and a wait cost: many dispatches that compute next to nothing. */
import { elementwise } from '../../src/kernels/elementwise/elementwise.ts';
import type { MeasuredCase } from '../case.ts';
import { quantile } from '../timing.ts';
import { Tensors } from './dispatching.ts';

const DISPATCHES = 1000;

export const dispatchCase: MeasuredCase = {
  name: 'host/dispatch',
  async measure(context, { repeats }) {
    const tensors = new Tensors(context);
    try {
      const [view, output] = [tensors.of(Float32Array.of(1, 2, 3, 4)), tensors.make([4])];
      const [dispatch] = elementwise(context, { expression: 'a + 1.0', inputs: [{ view }], output });
      const prepared = context.prepare(dispatch!);
      const times = {
        record: [] as number[],
        all: [] as number[],
        one: [] as number[],
        fence: [] as number[],
      };
      for (let i = -1; i < repeats; i++) {
        let start = performance.now();
        for (let k = 0; k < DISPATCHES; k++) context.recorder.dispatch(prepared);
        context.flush();
        const recorded = performance.now() - start;
        await context.finish();
        const all = performance.now() - start;
        start = performance.now();
        context.recorder.dispatch(prepared);
        await context.finish();
        const one = performance.now() - start;
        start = performance.now();
        await context.finish();
        const fence = performance.now() - start;
        if (i < 0) continue;
        times.record.push(recorded);
        times.all.push(all);
        times.one.push(one);
        times.fence.push(fence);
      }
      const values = await output.read();
      if (values.join() !== '2,3,4,5') throw new Error(`the result is ${values.join()}, expected 2,3,4,5`);
      const microseconds = (list: number[]) => 1000 * quantile(list, 0.5);
      return [
        {
          engine: 'rebasin',
          figures: {
            recordMicrosecondsPerDispatch: microseconds(times.record) / DISPATCHES,
            microsecondsPerDispatch: microseconds(times.all) / DISPATCHES,
            microsecondsOfOneDispatch: microseconds(times.one),
            microsecondsOfAnIdleFence: microseconds(times.fence),
          },
        },
      ];
    } finally {
      tensors.destroy();
    }
  },
};
