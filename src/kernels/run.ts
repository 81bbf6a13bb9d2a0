/** How much one invocation of a kernel computes that goes through vectors one after another. */
import type { Context } from '../runtime/context.ts';

/**
 * The vec4f of an invocation. Many on software adapters, where what comes before the loop costs as much as a vec4f; on GPUs `hardware`,
 * few, so that there are invocations enough.
 */
export function runOf({ software }: Context, hardware: number): number {
  return software ? 16 : hardware;
}
