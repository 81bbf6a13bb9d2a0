/** Initial parameter values. Made on the host from the counter-based stream of a seed, so that a seed means the same bits everywhere. */
import { RandomStream } from '../base/random.ts';
import { elementCount } from '../runtime/kernel.ts';
import type { StateEntry } from './models/model.ts';

/**
 * - `pytorch`: what `nn.Linear` and `nn.Conv2d` do: weights and biases uniform in +-1/sqrt(fan_in) (He et al. 2015 with a = sqrt 5).
 * - `kaiming`: weights normal with deviation sqrt(2 / fan_in) (He et al. 2015), biases 0.
 * - `lecun`: weights normal with deviation sqrt(1 / fan_in) (LeCun et al. 1998), biases 0.
 */
export type Initialiser = 'pytorch' | 'kaiming' | 'lecun';

/**
 * Initial values of every entry of a model's state.
 * @param entries in the network's order, each bias after its weight. Tensors with two or more axes are weights [out, in, ...] with
 *   fan_in the product of all axes but the first. A `weight` with one axis is a normalisation's: 1, and its bias 0. Buffers start at 0,
 *   running variances at 1.
 * @param seed every entry draws from a stream of its own, named by the entry, so values do not depend on the order.
 */
export function initialiseParameters(
  entries: readonly StateEntry[],
  seed: number,
  initialiser: Initialiser = 'pytorch',
): Map<string, Float32Array> {
  const random = new RandomStream(seed, 'initialise');
  const values = new Map<string, Float32Array>();
  /** Of the last weight; undefined after a normalisation's. */
  let fanIn: number | undefined;
  for (const { name, shape, kind } of entries) {
    const out = new Float32Array(elementCount(shape));
    values.set(name, out);
    if (kind === 'buffer') {
      if (name.endsWith('running_var')) out.fill(1);
      continue;
    }
    const isWeight = shape.length >= 2;
    if (isWeight) fanIn = Math.max(1, elementCount(shape.slice(1)));
    else if (name.endsWith('weight')) fanIn = undefined;
    if (fanIn === undefined) {
      if (name.endsWith('weight')) out.fill(1);
    } else if (initialiser === 'pytorch') {
      const bound = 1 / Math.sqrt(fanIn);
      random.derive(name).fillUniform(out, -bound, bound);
    } else if (isWeight) {
      random.derive(name).fillNormal(out, 0, Math.sqrt((initialiser === 'kaiming' ? 2 : 1) / fanIn));
    }
  }
  return values;
}
