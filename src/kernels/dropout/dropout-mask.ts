/** Dropout masks from the counter-based stream: a function of the stream's key, the step and the element, with the same bits everywhere. */
import { OptionError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  linearGrid,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';
import randomWgsl from '../random/random.wgsl';
import maskWgsl from './dropout-mask.wgsl';

const kernel: Kernel = {
  name: 'dropout mask',
  file: 'src/kernels/dropout/dropout-mask.wgsl',
  wgsl: /* @__PURE__ */ randomWgsl.concat(maskWgsl),
  bindings: ['read', 'read_write'],
};

export interface DropoutMaskCall {
  /** A `RandomStream`, or just its key. */
  readonly stream: { readonly key0: number; readonly key1: number };
  /** Share of zeros, 0 <= rate < 1. */
  readonly rate: number;
  /** u32 of one element: which step this is. */
  readonly step: TensorView;
  /** f32. */
  readonly output: TensorView;
}

/**
 * `output[e] = stream.derive(step).uniform(e) >= rate ? 1 / (1 - rate) : 0`.
 * @throws ShapeError when views do not fit, OptionError when the rate is out of range.
 */
export function dropoutMask(_context: Context, { stream, rate, step, output }: DropoutMaskCall): Dispatch[] {
  const caller = 'dropoutMask';
  const count = elementCount(output.shape);
  if (!(rate >= 0 && rate < 1)) throw new OptionError(`${caller}: rate must be 0 <= rate < 1, got ${rate}`);
  checkView(caller, 'step', step, 'u32', 1);
  checkView(caller, 'output', output, 'f32', count);
  checkSeparate(caller, { output }, { step });
  if (count === 0) return [];
  return [
    {
      kernel,
      views: [step, output],
      params: packParams('uuuff', count, stream.key0, stream.key1, rate, 1 / (1 - rate)),
      workgroups: linearGrid(Math.ceil(count / 256)),
      work: 40 * count,
    },
  ];
}
