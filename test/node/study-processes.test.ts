/** A study outgrows one process: its jobs by their identity, several at once, twice, killed and resumed. Always the same hash. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StudyResult } from '../../src/report/study-result.ts';
import { buildTinyStudyCommand, type TinyStudyCommand } from '../support/tiny-study-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-study-processes-'));
const cacheOf = (name: string) => join(folder, name);
const WHOLE = cacheOf('whole');
let command: TinyStudyCommand;
let whole: StudyResult;

beforeAll(async () => {
  command = await buildTinyStudyCommand();
  whole = JSON.parse((await study('--cache', WHOLE, '--json')).stdout);
});

afterAll(() => {
  command?.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const start = (...args: string[]) =>
  spawn(process.execPath, [command.path, 'study', 'tiny', ...args], { cwd: folder });

/** Runs to its end, beside others. */
function run(...args: string[]): Promise<Ended> {
  const child = start(...args);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** Runs what must succeed. */
async function study(...args: string[]): Promise<Ended> {
  const ended = await run(...args);
  expect(ended.code, ended.stderr).toBe(0);
  return ended;
}

interface Listed {
  readonly id: string;
  readonly stage: 0 | 1;
  readonly done: boolean;
}

async function list(cache: string): Promise<Listed[]> {
  return JSON.parse((await study('--cache', cache, '--list')).stdout).jobs;
}

const records = (cache: string) => readdirSync(cache).filter((name) => name.endsWith('.json'));

/** When each record was written, and what it says of how long it took. */
function timesOf(cache: string, names: readonly string[]): [string, number, number][] {
  return names.map((name) => {
    const path = join(cache, name);
    return [name, statSync(path).mtimeMs, JSON.parse(readFileSync(path, 'utf8')).seconds];
  });
}

describe('the jobs of a study', () => {
  test('in processes of their own, two at once and one of them twice at once, come to the same hash', async () => {
    const cache = cacheOf('by-job');
    const jobs = await list(cache);
    expect(jobs.map(({ stage, done }) => `${stage} ${done}`)).toEqual([
      ...[...Array(4).fill('0 false'), ...Array(4).fill('1 false')],
    ]);
    const early = await run('--cache', cache, '--collect');
    expect([early.code, early.stderr]).toEqual([2, expect.stringContaining('8 of 8 jobs are not done')]);

    for (const stage of [0, 1]) {
      const [first, ...rest] = jobs.filter((job) => job.stage === stage).map(({ id }) => id);
      const twins = await Promise.all(
        [first!, first!].map((id) => study('--cache', cache, '--job', id, '--json')),
      );
      expect(JSON.parse(twins[0]!.stdout).hash).toBe(JSON.parse(twins[1]!.stdout).hash);
      const work = async () => {
        for (let id = rest.shift(); id; id = rest.shift()) await study('--cache', cache, '--job', id);
      };
      await Promise.all([work(), work()]);
    }
    expect((await list(cache)).every(({ done }) => done)).toBe(true);
    expect(readdirSync(cache).sort()).toEqual(readdirSync(WHOLE).sort());

    const before = timesOf(cache, records(cache));
    const collected: StudyResult = JSON.parse((await study('--cache', cache, '--collect', '--json')).stdout);
    expect(collected.hash).toBe(whole.hash);
    expect(collected.studies[0]!.hash).toBe(whole.studies[0]!.hash);
    expect(collected.studies[0]!.claims).toEqual(whole.studies[0]!.claims);
    expect(timesOf(cache, records(cache))).toEqual(before);
  });

  test('run by --processes come to the same hash, and what is there is not run again', async () => {
    const cache = cacheOf('by-processes');
    cpSync(WHOLE, cache, { recursive: true });
    const stageOne = (await list(cache)).filter(({ stage }) => stage === 1);
    for (const { id } of stageOne.slice(1)) rmSync(join(cache, `${id}.json`));
    const kept = timesOf(cache, records(cache));
    const result = JSON.parse((await study('--cache', cache, '--processes', '2', '--json')).stdout);
    expect(result.hash).toBe(whole.hash);
    expect(
      timesOf(
        cache,
        kept.map(([name]) => name),
      ),
    ).toEqual(kept);
    expect(records(cache)).toHaveLength(8);
  });

  test('get the adapter that was asked for, and one that fails does not keep the others from being tried', async () => {
    const asked = ['--adapter', 'no-such-adapter', '--processes', '2'];
    const { code, stderr } = await run('--cache', cacheOf('failing'), ...asked);
    expect(code).toBe(1);
    expect(stderr).toMatch(/4 of 8 jobs failed and 4 that need them; the others are kept/);
    expect(stderr.match(/ended with exit code 3: rebasin: findAdapter: no WebGPU adapter/g)).toHaveLength(4);
    expect(records(cacheOf('failing'))).toEqual([]);
  });

  test('bring what they need', async () => {
    const cache = cacheOf('alone');
    const last = (await list(cache)).at(-1)!.id;
    await study('--cache', cache, '--job', last);
    expect(records(cache)).toHaveLength(3); // its two networks, and itself
    const [record, there] = [cache, WHOLE].map((of) =>
      JSON.parse(readFileSync(join(of, `${last}.json`), 'utf8')),
    );
    expect(record.found).toEqual(there.found);
    expect(record.hash).toBe(there.hash);
  });

  test('of another study, or of none, are refused', async () => {
    const { code, stderr } = await run('--cache', WHOLE, '--job', '0'.repeat(32));
    expect([code, stderr]).toEqual([2, expect.stringContaining('is none of the jobs that --list gives')]);
  });
});

test('a study killed at any moment goes on where it was, and comes to the same hash', async () => {
  const cache = cacheOf('killed');
  for (const enough of [1, 3, 5]) {
    const child = start('--cache', cache);
    const ended = new Promise((done) => child.once('exit', done));
    while (child.exitCode === null && readable(cache).length < enough) await sleep(2);
    child.kill('SIGKILL');
    await ended;
    expect(child.signalCode).toBe('SIGKILL');
  }
  const done = records(cache);
  expect(done.length).toBeGreaterThanOrEqual(5);
  expect(done.length).toBeLessThan(8);
  // A record that something cut off is as good as none.
  const [cut, ...kept] = done;
  writeFileSync(join(cache, cut!), readFileSync(join(cache, cut!)).subarray(0, 100));
  const before = timesOf(cache, kept);
  const result: StudyResult = JSON.parse((await study('--cache', cache, '--json')).stdout);
  expect(result.hash).toBe(whole.hash);
  expect(timesOf(cache, kept)).toEqual(before);
  expect(timesOf(cache, [cut!])[0]![1]).toBeGreaterThan(Math.max(...before.map(([, at]) => at)));
});

/** Records in a folder that may not be there yet. */
function readable(cache: string): string[] {
  try {
    return records(cache);
  } catch {
    return [];
  }
}
