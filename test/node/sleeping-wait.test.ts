/** Waiting for a software adapter without taking a core from it. */

import { describe, expect, test, vi } from 'vitest';
import { SleepingWait } from '../../src/runtime/node/sleeping-wait.ts';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('SleepingWait', () => {
  test('passes on values and rejections', async () => {
    const sleeping = new SleepingWait();
    expect(await sleeping.wait(Promise.resolve(7))).toBe(7);
    await expect(sleeping.wait(Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  });

  test('waits that follow or overlap one another share one loop', async () => {
    const sleeping = new SleepingWait();
    const immediates = vi.spyOn(globalThis, 'setImmediate');
    for (let i = 0; i < 50; i++) await sleeping.wait(Promise.resolve());
    await Promise.all(Array.from({ length: 50 }, () => sleeping.wait(Promise.resolve())));
    const asked = immediates.mock.calls.length;
    immediates.mockRestore();
    expect(asked).toBe(1);
  });

  test('what was waited for before is slept through in a few turns, by how it is named, in sleeps of 5 ms', async () => {
    const sleeping = new SleepingWait();
    const immediates = vi.spyOn(globalThis, 'setImmediate');
    const turns = async (what: string, ms: number) => {
      const before = immediates.mock.calls.length;
      await sleeping.wait(pause(ms), { what, since: performance.now() });
      return immediates.mock.calls.length - before;
    };
    const first = await turns('product', 100);
    const again = await turns('product', 100);
    const other = await turns('other', 100);
    const short = await turns('product', 20);
    immediates.mockRestore();
    expect(again).toBeLessThan(0.75 * first);
    expect(again).toBeLessThan(0.75 * other);
    expect(short, 'sleeps of 5 ms in 20, not one of 90').toBeGreaterThan(3);
  });

  test('takes less than half the processor time of a loop that spins', async () => {
    const spin = async (promise: Promise<void>) => {
      let pending = true;
      promise.then(() => {
        pending = false;
      });
      while (pending) await new Promise((resolve) => setImmediate(resolve));
    };
    const cost = async (wait: (promise: Promise<void>) => Promise<void>) => {
      const before = process.cpuUsage();
      await wait(pause(300));
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const spinning = await cost(spin);
    const sleeping = new SleepingWait();
    expect(await cost((promise) => sleeping.wait(promise))).toBeLessThan(spinning / 2);
  });
});
