/** Task `storyCheckpoint`: the network at one point of a line as a safetensors file. */
import type { Task } from '../worker/task.ts';
import type { LineName } from './line-name.ts';
import { StoryNetworks } from './networks.ts';
import { NETWORKS } from './story-task.ts';

/** @throws RangeError where no story has been told, or its device was lost since. */
export const storyCheckpoint: Task<
  { readonly line: LineName; readonly lambda: number },
  never,
  Uint8Array
> = async ({ line, lambda }, { session, signal }) => {
  const networks = session.kept(NETWORKS);
  if (!(networks instanceof StoryNetworks))
    throw new RangeError('There are no networks: run the story, again where the GPU was lost.');
  return await networks.checkpoint(line, lambda, signal);
};
