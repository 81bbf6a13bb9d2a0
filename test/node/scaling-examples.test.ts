/** The files of examples/scaling, run as far as that goes without a cluster: by a queue and by pods that are processes of this machine. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildTinyStudyCommand, type TinyStudyCommand } from '../support/tiny-study-command.ts';

const SLURM = resolve('examples/scaling/slurm.sh');
const MANIFEST = readFileSync('examples/scaling/kubernetes.yaml', 'utf8');

const folder = mkdtempSync(join(tmpdir(), 'rebasin-scaling-'));
const bin = join(folder, 'bin');
let command: TinyStudyCommand;
let hash: string;

/** A command that the files find on their path. */
function install(name: string, text: string): void {
  writeFileSync(join(bin, name), text);
  chmodSync(join(bin, name), 0o755);
}

beforeAll(async () => {
  command = await buildTinyStudyCommand();
  mkdirSync(bin);
  install('rebasin', `#!/bin/sh\nexec ${process.execPath} ${command.path} "$@"\n`);
  const args = [command.path, 'study', 'tiny', '--cache', join(folder, 'whole'), '--json'];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
  hash = JSON.parse(stdout).hash;
});

afterAll(() => {
  command?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function environment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${bin}:${process.env.PATH}`, ...variables };
}

const hashAt = (path: string): string => JSON.parse(readFileSync(path, 'utf8')).hash;

describe('slurm.sh', () => {
  /** Takes what Slurm's does, runs every task at once and in its order, and counts arrays from 1. */
  const sbatch = `#!/usr/bin/env bash
set -eu
queue=${join(folder, 'queue')}
number=$(($(cat "$queue" 2> /dev/null | wc -l) + 1))
echo "$@" >> "$queue"
array=
while [ "\${1#--}" != "$1" ]; do
  case "$1" in --array=*) array=\${1#--array=} ;; esac
  shift
done
if [ -z "$array" ]; then
  bash "$@" >&2
else
  last=\${array#0-}
  for i in $(seq 0 "\${last%\\%*}"); do SLURM_ARRAY_TASK_ID=$i bash "$@" >&2; done
fi
echo "$number"
`;

  test('submits networks, then what is measured, then the verdicts; what is done is not submitted again', () => {
    install('sbatch', sbatch);
    const variables = { STUDY: 'tiny', SIZE: 'small', CACHE: join(folder, 'slurm'), AT_ONCE: '3' };
    const report = join(folder, 'slurm.json');
    const submit = () =>
      spawnSync('bash', [SLURM], { encoding: 'utf8', env: environment({ ...variables, REPORT: report }) });
    const first = submit();
    expect(first.status, first.stderr).toBe(0);
    expect(hashAt(report)).toBe(hash);
    const queue = () => readFileSync(join(folder, 'queue'), 'utf8').trim().split('\n');
    expect(queue().map((line) => line.replace(SLURM, 'SCRIPT').replace(/\S+stage-/, 'stage-'))).toEqual([
      expect.stringMatching(/^--parsable --array=0-3%3 SCRIPT job stage-0\.\w+$/),
      expect.stringMatching(/^--parsable --dependency=afterok:1 --array=0-3%3 SCRIPT job stage-1\.\w+$/),
      '--parsable --gres=none --dependency=afterok:2 SCRIPT collect',
    ]);
    rmSync(report);
    const second = submit();
    expect(second.status, second.stderr).toBe(0);
    expect(queue().slice(3)).toEqual([`--parsable --gres=none ${SLURM} collect`]);
    expect(hashAt(report)).toBe(hash);
  });

  test('submits nothing where the list cannot be had', () => {
    install('sbatch', '#!/bin/sh\necho submitted >&2\n');
    const { status, stderr } = spawnSync('bash', [SLURM], {
      encoding: 'utf8',
      env: environment({ STUDY: 'no-such-study', CACHE: join(folder, 'slurm') }),
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('there is no "no-such-study"');
    expect(stderr).not.toContain('submitted');
    expect(spawnSync('bash', [SLURM], { encoding: 'utf8', env: environment({}) }).stderr).toContain(
      'which study?',
    );
  });
});

describe('kubernetes.yaml', () => {
  /** The script that its ConfigMap holds: the lines below `run.sh: |`, as far as they are indented. */
  const script = /^ {2}run\.sh: \|\n((?: {4}.*\n)+)/m.exec(MANIFEST)![1]!.replaceAll(/^ {4}/gm, '');

  function pod(index: number, pods: number, argument: string): Promise<number | null> {
    const env = environment({
      ...{ STUDY: 'tiny', SIZE: 'small', CACHE: join(folder, 'pods'), DATA: folder, PODS: String(pods) },
      ...{ REPORT: join(folder, 'pods.json'), JOB_COMPLETION_INDEX: String(index) },
    });
    const path = join(folder, 'run.sh');
    writeFileSync(path, script);
    return new Promise((done) => spawn('sh', [path, argument], { env, stdio: 'ignore' }).on('close', done));
  }

  test('has pods that share the jobs of a stage by their index, whatever their number', async () => {
    expect(await Promise.all([0, 1, 2].map((index) => pod(index, 3, '0')))).toEqual([0, 0, 0]);
    expect(await pod(0, 1, '1')).toBe(0);
    expect(await pod(0, 1, 'collect')).toBe(0);
    expect(hashAt(join(folder, 'pods.json'))).toBe(hash);
  });

  test('has Indexed Jobs that tell each pod how many there are', () => {
    const indexed = MANIFEST.split('\n---\n').filter((part) => part.includes('completionMode: Indexed'));
    expect(indexed).toHaveLength(2);
    for (const [stage, part] of indexed.entries()) {
      expect(part).toContain(`command: [sh, /study/run.sh, "${stage}"]`);
      expect(/name: PODS, value: "(\d+)"/.exec(part)![1]).toBe(/completions: (\d+)/.exec(part)![1]);
    }
  });
});
