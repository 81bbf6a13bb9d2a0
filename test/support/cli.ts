/** The command `rebasin` as it is built, run in a folder of its own as a user would run it. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect } from 'vitest';

const MAIN = resolve('dist/cli/main.js');

export interface CommandLine {
  /** Where commands run; deleted after the file's tests. */
  readonly folder: string;
  /** The path of a file in that folder. */
  path(name: string): string;
  rebasin(...args: string[]): SpawnSyncReturns<string>;
  /** As `rebasin`, with variables added to the environment. */
  rebasinWith(env: Readonly<Record<string, string>>, ...args: string[]): SpawnSyncReturns<string>;
  /** Runs a command that must succeed. */
  succeed(...args: string[]): SpawnSyncReturns<string>;
  /** Runs a command that must succeed, and parses the JSON that it prints. */
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  json(...args: string[]): any;
}

/** Call once, at the top of a test file. @param name tells this file's temporary folder from others. */
export function useCommandLine(name: string): CommandLine {
  const folder = mkdtempSync(join(tmpdir(), `rebasin-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const rebasinWith: CommandLine['rebasinWith'] = (env, ...args) =>
    spawnSync(process.execPath, [MAIN, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
  const rebasin: CommandLine['rebasin'] = (...args) => rebasinWith({}, ...args);
  const succeed: CommandLine['succeed'] = (...args) => {
    const run = rebasin(...args);
    expect(run.status, run.stderr).toBe(0);
    return run;
  };
  return {
    folder,
    path: (file) => join(folder, file),
    rebasin,
    rebasinWith,
    succeed,
    json: (...args) => JSON.parse(succeed(...args, '--json').stdout),
  };
}
