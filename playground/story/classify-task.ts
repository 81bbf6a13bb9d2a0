/** Task `classify`: what the networks at one point of both lines make of the sample images. */
import type { Task } from '../worker/task.ts';
import { StoryNetworks } from './networks.ts';
import { NETWORKS } from './story-task.ts';

export interface Classification {
  readonly lambda: number;
  /** [samples, classes], row by row. */
  readonly naive: Float32Array;
  readonly aligned: Float32Array;
}

/** @throws RangeError where no story has been told, or its device was lost since. */
export const classify: Task<{ readonly lambda: number }, never, Classification> = async (
  { lambda },
  { session, signal },
) => {
  const networks = session.kept(NETWORKS);
  if (!(networks instanceof StoryNetworks))
    throw new RangeError('There are no networks: run the story, again where the GPU was lost.');
  const [naive, aligned] = [
    await networks.classify('naive', lambda, signal),
    await networks.classify('aligned', lambda, signal),
  ];
  return { lambda, naive, aligned };
};
