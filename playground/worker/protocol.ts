/** What page and worker say to each other. Tasks and their types are in `tasks.ts`. */

/** To the worker. */
export type Request =
  | { readonly kind: 'run'; readonly id: number; readonly task: string; readonly options: unknown }
  /** The task stops at its next step and answers with an error of the name AbortError. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** Everything stops, and every buffer is freed. */
  | { readonly kind: 'close' };

/** From the worker. Each run gets any number of events, then one result or one error. */
export type Reply =
  | { readonly kind: 'event'; readonly id: number; readonly event: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly name: string; readonly message: string }
  | { readonly kind: 'closed' };
