/**
 * Memory by lifetime: values that are never alive together share a slot. Slots are separate buffers, because WebGPU forbids one
 * dispatch to bind a buffer both as read and as read_write, even at disjoint ranges.
 */

/** A value with a size, alive from the step that writes it to the last step that reads it, both included. */
export interface Lifetime {
  readonly size: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

export interface MemoryPlan {
  /** Slot of each lifetime, in the order given. */
  readonly slotOf: readonly number[];
  /** Size of each slot. */
  readonly slotSizes: readonly number[];
}

/** Assigns slots greedily in order of first use: the smallest free slot that fits, else the largest free one grown, else a new one. */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const slotOf = new Array<number>(lifetimes.length).fill(-1);
  const slotSizes: number[] = [];
  const freeAfter: number[] = []; // a slot is free for a value first written after this step
  const byStart = lifetimes
    .map((_, i) => i)
    .sort((i, j) => lifetimes[i]!.firstStep - lifetimes[j]!.firstStep || i - j);
  for (const i of byStart) {
    const { size, firstStep, lastStep } = lifetimes[i]!;
    let best = -1;
    for (let slot = 0; slot < slotSizes.length; slot++) {
      if (freeAfter[slot]! >= firstStep) continue;
      if (best < 0 || isBetter(slotSizes[slot]!, slotSizes[best]!, size)) best = slot;
    }
    if (best < 0) best = slotSizes.push(0) - 1;
    slotSizes[best] = Math.max(slotSizes[best]!, size);
    freeAfter[best] = lastStep;
    slotOf[i] = best;
  }
  return { slotOf, slotSizes };
}

/** Whether a slot of size `a` suits a value better than one of size `b`. */
function isBetter(a: number, b: number, size: number): boolean {
  if (a >= size && b >= size) return a < b;
  return a > b;
}
