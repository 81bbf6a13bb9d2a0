/**
 * Dropout (Srivastava et al. 2014): zeros a share of the elements and scales the others up, so that the expectation stays. Only training
 * graphs have it. Masks come from the counter-based stream: seed, step and element fix every bit, whatever the batch or the platform.
 */
import { OptionError } from '../../base/errors.ts';
import { dropoutMask } from '../../kernels/dropout/dropout-mask.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { formatShape, type Shape } from '../shape.ts';
import { multiply } from './arithmetic.ts';

interface MaskAttributes {
  readonly stream: { readonly key0: number; readonly key1: number };
  readonly rate: number;
  readonly shape: Shape;
}

const dropoutMaskOperation: Operation<MaskAttributes> = {
  name: 'dropoutMask',
  shape([step], { shape }) {
    if (step!.length > 0)
      throw new OptionError(
        `dropout: the step is one number, input(name, [], 'u32'), got ${formatShape(step!)}`,
      );
    return shape;
  },
  kernels: ({ context, inputs: [step], output, attributes: { stream, rate } }) =>
    dropoutMask(context, { stream, rate, step: step!, output }),
  axes({ output, pin }) {
    for (const axis of output) pin(axis, 'a dropout mask; derive specs from the evaluation graph');
  },
};

/**
 * `x` with a share `rate` of its elements set to 0 and the others divided by 1 - rate.
 * @param stream which mask: a `RandomStream` for each use, such as `new RandomStream(seed, 'dropout').derive('classifier.1')`
 * @param step which step of the training, u32 []: an input that is set before each run
 */
export function dropout(
  x: Node,
  rate: number,
  stream: { readonly key0: number; readonly key1: number },
  step: Node,
): Node {
  if (!(rate >= 0 && rate < 1)) throw new OptionError(`dropout: rate must be 0 <= rate < 1, got ${rate}`);
  if (step.dtype !== 'u32') throw new OptionError(`dropout: the step must be u32, got ${step.dtype}`);
  if (rate === 0) return x;
  const { key0, key1 } = stream;
  return multiply(x, apply(dropoutMaskOperation, [step], { stream: { key0, key1 }, rate, shape: x.shape }));
}
