/** Initial parameter values. Made on the host from the counter-based stream of a seed, so that a seed means the same bits everywhere. */
import { RandomStream } from '../base/random.ts';
import type { ArenaEntry } from '../runtime/arena.ts';
import { elementCount } from '../runtime/kernel.ts';

/**
 * - `pytorch`: what `nn.Linear` and `nn.Conv2d` do: weights and biases uniform in +-1/sqrt(fan_in) (He et al. 2015 with a = sqrt 5).
 * - `kaiming`: weights normal with deviation sqrt(2 / fan_in) (He et al. 2015), biases 0.
 * - `lecun`: weights normal with deviation sqrt(1 / fan_in) (LeCun et al. 1998), biases 0.
 */
export type Initialiser = 'pytorch' | 'kaiming' | 'lecun';

/**
 * Initial values of every entry.
 * @param entries in the network's order, each bias after its weight. Tensors with two or more axes are weights [out, in, ...] with
 *   fan_in the product of all axes but the first.
 * @param seed every entry draws from a stream of its own, named by the entry, so values do not depend on the order.
 */
export function initialiseParameters(
  entries: readonly ArenaEntry[],
  seed: number,
  initialiser: Initialiser = 'pytorch',
): Map<string, Float32Array> {
  const random = new RandomStream(seed, 'initialise');
  const values = new Map<string, Float32Array>();
  let fanIn = 1;
  for (const { name, shape } of entries) {
    const out = new Float32Array(elementCount(shape));
    const stream = random.derive(name);
    if (shape.length >= 2) fanIn = Math.max(1, elementCount(shape.slice(1)));
    if (initialiser === 'pytorch') {
      const bound = 1 / Math.sqrt(fanIn);
      stream.fillUniform(out, -bound, bound);
    } else if (shape.length >= 2) {
      stream.fillNormal(out, 0, Math.sqrt((initialiser === 'kaiming' ? 2 : 1) / fanIn));
    }
    values.set(name, out);
  }
  return values;
}
