/** The page's end of the worker: `run` a task by its name, hear its events, get its result. The page itself never computes. */
import type { Reply, Request } from './protocol.ts';
import type { Task } from './task.ts';
import type { Tasks } from './tasks.ts';

type OptionsOf<T> = T extends Task<infer Options, infer _Event, infer _Result> ? Options : never;
type EventOf<T> = T extends Task<infer _Options, infer Event, infer _Result> ? Event : never;
type ResultOf<T> = T extends Task<infer _Options, infer _Event, infer Result> ? Result : never;

export interface RunOptions<Event> {
  readonly onEvent?: (event: Event) => void;
  /** Cancels the task; its promise rejects once the worker has stopped and freed what it used. */
  readonly signal?: AbortSignal;
}

/** An error of a task: the name of the library's class, and its message. `AbortError` where it was cancelled. */
class TaskError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

interface Run {
  onEvent(event: unknown): void;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Engine {
  #worker: Worker | undefined;
  #last = 0;
  readonly #runs = new Map<number, Run>();

  /** Runs a task of `tasks.ts`. @throws TaskError */
  run<Name extends keyof Tasks>(
    task: Name,
    options: OptionsOf<Tasks[Name]>,
    { onEvent, signal }: RunOptions<EventOf<Tasks[Name]>> = {},
  ): Promise<ResultOf<Tasks[Name]>> {
    const id = ++this.#last;
    const cancel = () => this.#send({ kind: 'cancel', id });
    const finished = new Promise<ResultOf<Tasks[Name]>>((resolve, reject) => {
      this.#runs.set(id, {
        onEvent: (event) => onEvent?.(event as EventOf<Tasks[Name]>),
        resolve: (result) => resolve(result as ResultOf<Tasks[Name]>),
        reject,
      });
      this.#send({ kind: 'run', id, task, options });
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel);
    });
    return finished.finally(() => {
      this.#runs.delete(id);
      signal?.removeEventListener('abort', cancel);
    });
  }

  /** Stops everything and frees the GPU. The next run starts anew. */
  close(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.kind === 'closed') worker.terminate();
    };
    worker.postMessage({ kind: 'close' } satisfies Request);
    this.#failAll('AbortError', 'The page was left.');
  }

  #send(request: Request): void {
    if (request.kind === 'cancel') this.#worker?.postMessage(request);
    else {
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    }
  }

  #start(): Worker {
    const worker = new Worker(scriptAddress(), { type: 'module', name: 'rebasin' });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#hear(data);
    worker.onerror = (event) => {
      this.#worker = undefined;
      worker.terminate();
      this.#failAll(
        'Error',
        `The worker stopped: ${event.message || 'its script could not be loaded'}. Reload the page.`,
      );
    };
    return worker;
  }

  #hear(reply: Reply): void {
    if (reply.kind === 'closed') return;
    const run = this.#runs.get(reply.id);
    if (reply.kind === 'event') run?.onEvent(reply.event);
    else if (reply.kind === 'result') run?.resolve(reply.result);
    else run?.reject(new TaskError(reply.name, reply.message));
  }

  #failAll(name: string, message: string): void {
    for (const run of this.#runs.values()) run.reject(new TaskError(name, message));
  }
}

/**
 * A script of the page's own that imports the worker's. A worker from a file has only the content security policy that its host sends with
 * the file; one from the page has the page's, and can send nothing anywhere.
 */
function scriptAddress(): string {
  const script = new URL('./worker.js', import.meta.url).href;
  return URL.createObjectURL(new Blob([`import ${JSON.stringify(script)};`], { type: 'text/javascript' }));
}
