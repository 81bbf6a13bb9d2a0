/** The worker: runs tasks on one context, away from the page's thread. Tasks may overlap; results do not depend on it. */
import type { Reply, Request } from './protocol.ts';
import { Session } from './session.ts';
import type { Task } from './task.ts';
import { tasks } from './tasks.ts';

interface WorkerScope {
  postMessage(reply: Reply): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
}

const scope = self as unknown as WorkerScope;
const session = new Session();
const running = new Map<number, AbortController>();

scope.addEventListener('message', ({ data }) => {
  if (data.kind === 'run') void run(data.id, data.task, data.options);
  else if (data.kind === 'cancel') running.get(data.id)?.abort();
  else void close();
});

async function run(id: number, name: string, options: unknown): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const task = (tasks as unknown as Record<string, Task<unknown, unknown, unknown>>)[name];
    if (task === undefined) throw new RangeError(`worker: there is no task "${name}"`);
    const { signal } = controller;
    const report = (event: unknown) => {
      if (!signal.aborted) scope.postMessage({ kind: 'event', id, event });
    };
    const result = await task(options, { session, signal, report });
    signal.throwIfAborted();
    scope.postMessage({ kind: 'result', id, result });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ kind: 'error', id, name: controller.signal.aborted ? 'AbortError' : name, message });
  } finally {
    running.delete(id);
  }
}

async function close(): Promise<void> {
  for (const controller of running.values()) controller.abort();
  await session.close();
  scope.postMessage({ kind: 'closed' });
}
