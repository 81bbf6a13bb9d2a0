/** A training run killed at any moment goes on from its last checkpoint and ends as one that was never killed. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';

const MAIN = resolve('dist/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'rebasin-resume-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const args = (name: string) =>
  `train --model mlp:784-48-10 --limit 1200 --epochs 8 --batch-size 32 --out ${name}.safetensors --checkpoint-every 3 --resume --metrics ${name}.jsonl --json`.split(
    ' ',
  );

function finish(name: string): { hash: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args(name)], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe('rebasin train --resume', () => {
  it('ends with the same bits after kill -9 at three different moments', async () => {
    const whole = finish('whole');
    let kills = 0;
    for (const wait of [150, 500, 900]) {
      const child = spawn(process.execPath, [MAIN, ...args('killed')], { cwd: folder, stdio: 'ignore' });
      const ended = new Promise((done) => child.once('exit', done));
      // Killed some time after it has begun to save, so that there is something to resume.
      while (!existsSync(join(folder, 'killed.safetensors.training')) && child.exitCode === null)
        await sleep(5);
      await sleep(wait);
      if (child.exitCode === null) kills++;
      child.kill('SIGKILL');
      await ended;
      if (existsSync(join(folder, 'killed.safetensors'))) break;
    }
    expect(kills).toBeGreaterThan(0);
    const resumed = finish('killed');
    const read = (name: string) => readFileSync(join(folder, name));
    expect(read('killed.safetensors')).toEqual(read('whole.safetensors'));
    expect(read('killed.jsonl').toString()).toBe(read('whole.jsonl').toString());
    expect({ ...resumed, checkpoint: '', seconds: 0, hash: '' }).toEqual({
      ...whole,
      checkpoint: '',
      seconds: 0,
      hash: '',
    });
    expect(resumed.hash).toBe(whole.hash);
    expect(existsSync(join(folder, 'killed.safetensors.training'))).toBe(false);
  });
});
