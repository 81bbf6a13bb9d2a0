/**
 * Waiting for a software adapter without taking a core from it. While a promise of Dawn's is pending, its event loop turns
 * without pause; on a machine with two cores that halves the speed of an adapter that computes on the CPU.
 * Measured with SwiftShader on two cores, 512^3 matrix product: 175 ms spinning, 115-120 ms this way.
 * Each turn takes some 30 us from a core, and with it from a product's balance: what has been waited for before is slept through up to
 * the last tenth. A training step of 28.5 ms took 27.4 so.
 */
import type { Pending } from '../platform.ts';

const turnsBeforeSleeping = 4;
const growthMs = 0.02;
const longestSleepMs = 1;
/** Of a sleep through what is known to take longer. The event loop stands still that long. */
const longestKnownSleepMs = 5;
/** Of the time it took before. */
const knownShare = 0.9;
const mostKnown = 64;

/**
 * Awaits promises while the thread sleeps between turns of the event loop: not at all during the first turns, so that short
 * waits stay short, then longer and longer, at most 1 ms; at most 5 ms where the same work took longer than that before. Waits that
 * overlap share one loop, or their sleeps would add up.
 */
export class SleepingWait {
  #pending = 0;
  #turns = 0;
  #scheduled = false;
  /** Until when long sleeps are taken: milliseconds of `performance.now()`. */
  #knownUntil = 0;
  /** How long it took, by what it was; the oldest first. */
  readonly #known = new Map<string, number>();
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));

  async wait<T>(promise: Promise<T>, pending?: Pending): Promise<T> {
    this.#turns = 0;
    this.#pending++;
    const known = (pending && this.#known.get(pending.what)) ?? 0;
    this.#knownUntil = pending && this.#pending === 1 ? pending.since + knownShare * known : 0;
    this.#schedule();
    try {
      return await promise;
    } finally {
      this.#pending--;
      if (pending) this.#learn(pending);
    }
  }

  #learn({ what, since }: Pending): void {
    const took = performance.now() - since;
    this.#known.delete(what);
    // No short turn since the wait began: it ended in a long sleep, and what it waited for may have ended long before. A guess that is too
    // short finds out, one that is too long never does.
    this.#known.set(what, this.#turns === 0 ? took / 2 : took);
    if (this.#known.size > mostKnown) this.#known.delete(this.#known.keys().next().value!);
  }

  /** A wait that begins as another ends finds its turn still scheduled: a second one would never go away. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#pending === 0) return;
    const leftMs = this.#knownUntil - performance.now();
    if (leftMs > longestSleepMs) this.#sleep(Math.min(leftMs, longestKnownSleepMs));
    else this.#sleep(Math.min(longestSleepMs, growthMs * (this.#turns++ - turnsBeforeSleeping)));
    this.#schedule();
  };

  #sleep(ms: number): void {
    if (ms > 0) Atomics.wait(this.#cell, 0, 0, ms);
  }
}
