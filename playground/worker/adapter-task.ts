/** Which adapter computes; fails where there is none. */
import type { Task } from './task.ts';

export interface AdapterFacts {
  readonly name: string;
  /** Whether it computes on the CPU. */
  readonly software: boolean;
}

export const adapter: Task<undefined, never, AdapterFacts> = async (_, { session }) => {
  const context = await session.context();
  return { name: context.adapterName, software: context.software };
};
