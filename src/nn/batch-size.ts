/** How many samples at once a graph can take on an adapter: every value has to fit one storage binding (128 MiB on some). */
import type { Context } from '../runtime/context.ts';
import { elementCount } from '../runtime/kernel.ts';
import { type Node, topologicalOrder } from './graph.ts';

/** At most `most`, at least 1: the largest batch whose largest value fits a binding of the context's device. */
export function fittingBatchSize(context: Context, outputs: readonly Node[], most: number): number {
  let largest = 1;
  for (const { shape } of topologicalOrder(outputs)) {
    if (shape[0] === 'N') largest = Math.max(largest, elementCount(shape.slice(1) as number[]));
  }
  const { maxStorageBufferBindingSize } = context.device.limits;
  return Math.max(1, Math.min(most, Math.floor(maxStorageBufferBindingSize / (4 * largest))));
}
