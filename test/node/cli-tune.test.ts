/** `rebasin tune` and where it keeps what it found. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../src/runtime/node/cache-folder.ts';
import { useCommandLine } from '../support/cli.ts';

const { folder, rebasinWith } = useCommandLine('cli-tune');
const env = { XDG_CACHE_HOME: join(folder, 'cache') };
const kept = () => readdirSync(join(env.XDG_CACHE_HOME, 'rebasin'));

describe('rebasin tune', () => {
  it('prints what it measured, keeps it, and knows it the next time; a corrupt file is a warning', () => {
    const tune = (...more: string[]) => rebasinWith(env, 'tune', '--json', ...more);
    const first = tune('--budget', '1500');
    expect(first.status, first.stderr).toBe(0);
    const { measured, known, left, adapter } = JSON.parse(first.stdout);
    expect(adapter).not.toBe('');
    expect(known).toBe(0);
    expect(measured.length + left).toBeGreaterThan(5);
    if (measured.length === 0) return; // a machine too busy for one problem
    expect(kept()).toEqual([expect.stringMatching(/^tuning-[0-9a-f]{16}\.json$/)]);
    expect(JSON.parse(tune('--budget', '1').stdout).known).toBe(measured.length);

    writeFileSync(join(env.XDG_CACHE_HOME, 'rebasin', kept()[0]!), '{"choices":');
    const info = rebasinWith(env, 'info');
    expect(info.status, info.stderr).toBe(0);
    expect(info.stderr).toContain('is left aside');
  });

  it('numerics that the adapter has not end with its name, before any work', () => {
    const { features, adapter } = JSON.parse(rebasinWith(env, 'info', '--json').stdout);
    const run = rebasinWith(env, 'info', '--numerics', 'f16', '--json');
    if (features.includes('shader-f16')) expect(JSON.parse(run.stdout).adapter).toBe(adapter);
    else expect(run.stderr).toContain(`shader-f16, which ${adapter} has not`);
    expect(run.status === 0).toBe(features.includes('shader-f16'));
  });
});

describe('the cache folder', () => {
  const before = process.env.XDG_CACHE_HOME;
  let own: string;
  beforeEach(() => {
    own = mkdtempSync(join(tmpdir(), 'rebasin-cache-'));
    process.env.XDG_CACHE_HOME = own;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    rmSync(own, { recursive: true });
  });

  it('gives what was written, whole, and leaves no temporary files', async () => {
    expect(await cacheFolder.read('x.json')).toBeUndefined();
    await cacheFolder.write('x.json', 'one');
    await Promise.all(['two', 'three'].map((text) => cacheFolder.write('x.json', text)));
    expect(['two', 'three']).toContain(await cacheFolder.read('x.json'));
    expect(readdirSync(join(own, 'rebasin'))).toEqual(['x.json']);
    expect(readFileSync(join(own, 'rebasin', 'x.json'), 'utf8')).toBe(await cacheFolder.read('x.json'));
  });

  it('rejects where it cannot be', async () => {
    writeFileSync(join(own, 'rebasin'), 'a file');
    await expect(cacheFolder.write('x.json', 'one')).rejects.toThrow();
    await expect(cacheFolder.read('x.json')).rejects.toThrow();
  });
});
