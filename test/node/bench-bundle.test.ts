/** The archive of the bench suite: packed, unpacked into an empty folder, and run there without this checkout, Node's path or npm. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseResultLines } from '../../bench/result-line.ts';

const root = join(import.meta.dirname, '../..');

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('npm run bench:bundle', () => {
  let folder: string;
  let unpacked: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rebasin-bench-test-'));
    const archive = join(folder, 'bench.tar.gz');
    run(process.execPath, [join(root, 'scripts/bench-bundle.mjs'), archive], {}, root);
    expect(statSync(archive).size).toBeLessThan(60e6);
    run('tar', ['xzf', archive, '-C', folder]);
    unpacked = join(folder, readdirSync(folder).find((name) => name.endsWith('-linux-x64'))!);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(command: string, args: string[], env: NodeJS.ProcessEnv = process.env, cwd = folder): string {
    const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
    if (error) throw error;
    expect(`${command} ${args.join(' ')}: exit ${status}\n${status === 0 ? '' : stdout + stderr}`).toMatch(
      /exit 0\n$/,
    );
    return stdout;
  }

  const bare = () => ({ PATH: '/usr/bin:/bin', HOME: join(folder, 'home') });

  it('runs where it was unpacked, with one command, and says where its results are from', () => {
    run(join(unpacked, 'run'), ['matmul', '--only', 'NN/256x256x256', '--repeats', '1'], bare());
    const results = join(folder, 'results');
    const name = readdirSync(results).find((file) => /^rebasin-.*\.jsonl$/.test(file))!;
    const lines = parseResultLines(readFileSync(join(results, name), 'utf8'));
    const ours = lines.find((line) => line.case === 'matmul/NN/256x256x256' && line.engine === 'rebasin');
    expect(ours?.minMs).toBeGreaterThan(0);
    expect(ours?.error).toBeUndefined();
    expect(ours?.adapter).not.toBe('');
    expect(existsSync(join(results, name.replace(/jsonl$/, 'html')))).toBe(true);
  });

  it('names the cases for PyTorch, all of which the suite has', () => {
    const listed = run(join(unpacked, 'run'), ['--list'], bare(), unpacked).trim().split('\n');
    const named = readFileSync(join(unpacked, 'cases.txt'), 'utf8').trim().split('\n');
    expect(named).toEqual(listed);
    expect(named).toContain('training/resnet20/batch32');
  });
});
