/** Unpacking into a cache that several processes share, and waiting without taking a core. */

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unpackOnce } from '../../src/runtime/node/npm-chromium.ts';
import { SleepingWait } from '../../src/runtime/node/sleeping-wait.ts';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('unpackOnce', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rebasin-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('several at once: one complete folder and no remains', async () => {
    const cache = join(folder, 'several');
    const fill = async (target: string) => {
      await writeFile(join(target, 'first'), '1');
      await pause(20);
      await writeFile(join(target, 'second'), '2');
    };
    const results = await Promise.all([0, 1, 2, 3].map(() => unpackOnce(cache, 'name', fill)));
    expect(new Set(results)).toEqual(new Set([join(cache, 'name')]));
    expect((await readdir(join(cache, 'name'))).sort()).toEqual(['first', 'second']);
    expect(await readdir(cache)).toEqual(['name']);
  });

  test('what is there is not filled again', async () => {
    const cache = join(folder, 'again');
    await unpackOnce(cache, 'name', (target) => writeFile(join(target, 'file'), 'old'));
    await unpackOnce(cache, 'name', (target) => writeFile(join(target, 'file'), 'new'));
    expect(await readFile(join(cache, 'name', 'file'), 'utf8')).toBe('old');
  });

  test('a failure is reported and leaves nothing that looks complete', async () => {
    const cache = join(folder, 'failing');
    const fill = async (target: string) => {
      await writeFile(join(target, 'half'), '');
      throw new Error('disk full');
    };
    await expect(unpackOnce(cache, 'name', fill)).rejects.toThrow('disk full');
    expect(await readdir(cache)).toEqual([]);
  });

  test('a cache that cannot be written is replaced by a folder of this user', async () => {
    const name = `test-${process.pid}`;
    const path = await unpackOnce('/dev/null/cache', name, (target) => writeFile(join(target, 'file'), ''));
    expect(path.startsWith(join(tmpdir(), 'rebasin-'))).toBe(true);
    expect(existsSync(join(path, 'file'))).toBe(true);
    await rm(path, { recursive: true });
  });
});

describe('SleepingWait', () => {
  const sleeping = new SleepingWait();

  test('passes on values and rejections', async () => {
    expect(await sleeping.wait(Promise.resolve(7))).toBe(7);
    await expect(sleeping.wait(Promise.reject(new Error('lost')))).rejects.toThrow('lost');
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
    expect(await cost((promise) => sleeping.wait(promise))).toBeLessThan(spinning / 2);
  });
});
