/** Unpacking into a cache that several processes share. */

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unpackOnce } from '../../src/runtime/node/npm-chromium.ts';

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
