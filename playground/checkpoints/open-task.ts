/** Task `openCheckpoints`: what the chosen files are, one by one and together. */
import type { Task } from '../worker/task.ts';
import type { ChosenFile } from './chosen-file.ts';
import {
  type CheckpointFacts,
  forgetOtherFiles,
  type NetworkFiles,
  openFile,
  openPair,
  type PairFacts,
  pairFacts,
} from './networks.ts';

export interface OpenedCheckpoints {
  readonly a?: CheckpointFacts | { readonly error: string } | undefined;
  readonly b?: CheckpointFacts | { readonly error: string } | undefined;
  /** Where both could be read. */
  readonly pair?: PairFacts | { readonly error: string } | undefined;
}

export const openCheckpoints: Task<NetworkFiles, never, OpenedCheckpoints> = async (
  files,
  { session, signal },
) => {
  const { a, b } = files;
  forgetOtherFiles(
    session,
    [a, b].filter((file) => file !== undefined),
  );
  const facts = (file: ChosenFile | undefined) =>
    file && orError(async () => (await openFile(session, file, signal)).facts);
  const opened: OpenedCheckpoints = { a: await facts(a), b: await facts(b) };
  signal.throwIfAborted();
  const readable = [opened.a, opened.b].every((each) => each && !('error' in each));
  if (!readable) return opened;
  return { ...opened, pair: await orError(async () => pairFacts(await openPair(session, files, signal))) };
};

async function orError<T>(work: () => Promise<T>): Promise<T | { readonly error: string }> {
  try {
    return await work();
  } catch (error) {
    return { error: (error as Error).message };
  }
}
