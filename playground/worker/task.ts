/** What a task is: a function that the worker runs for the page. Options, events and results are copied on their way: plain data, typed arrays, files. */
import type { Session } from './session.ts';

/** What a task gets beside its options. */
export interface TaskTools<Event> {
  /** The context, and what earlier tasks left. */
  readonly session: Session;
  /** Aborted when the page cancels; a task hands it to everything that takes long. */
  readonly signal: AbortSignal;
  /** Tells the page how it goes. */
  report(event: Event): void;
}

/** Throws what the page shall show: a class of the library's errors with its message. Frees everything that it does not leave in the session. */
export type Task<Options, Event, Result> = (options: Options, tools: TaskTools<Event>) => Promise<Result>;
