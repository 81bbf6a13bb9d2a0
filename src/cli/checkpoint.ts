/** Checkpoints on the command line: read from files, recognised, checked. */

import { type Checkpoint, expectAlike, type Told } from '../commands/checkpoint.ts';
import { readBytes } from '../io/node-files.ts';
import { readStateDict } from '../nn/state-dict.ts';

/** Reads a checkpoint; what was done while reading is told on stderr. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const state = await readStateDict(await readBytes(path), path);
  for (const note of state.notes) process.stderr.write(`${path}: ${note}\n`);
  return { path, state };
}

/** What the user said about how to run checkpoints, in place of what these say. */
export function toldBy(options: { readonly model?: string; readonly mean?: readonly number[] }): Told {
  return { model: options.model !== undefined, normalisation: options.mean !== undefined };
}

/** Reads checkpoints of one architecture that say the same about themselves. @throws FormatError naming what differs. */
export async function readAlike(paths: readonly string[], told: Told): Promise<Checkpoint[]> {
  const checkpoints: Checkpoint[] = [];
  for (const path of paths) checkpoints.push(await readCheckpoint(path));
  expectAlike(checkpoints, told);
  return checkpoints;
}
