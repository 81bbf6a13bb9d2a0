/** What lives as long as the worker: one context, opened when first needed and anew after its device was lost, and what tasks leave for later ones. */
import { type Context, requestContext } from 'rebasin';

export interface Kept {
  destroy(): void;
}

export class Session {
  #context: Promise<Context> | undefined;
  #closed = false;
  readonly #kept = new Map<string, Kept>();

  /** The context. Never destroyed by tasks. @throws UnsupportedError where there is no adapter. */
  context(): Promise<Context> {
    if (this.#closed) throw new DOMException('The page was left.', 'AbortError');
    this.#context ??= this.#open();
    return this.#context;
  }

  async #open(): Promise<Context> {
    try {
      const context = await requestContext();
      if (this.#closed) context.destroy();
      context.device.lost.then(() => {
        if (this.#closed) return;
        this.#forget();
        context.destroy();
      });
      return context;
    } catch (error) {
      this.#context = undefined; // an adapter may turn up later
      throw error;
    }
  }

  /** Leaves something for later tasks under a name; what was there is destroyed. */
  keep(name: string, value: Kept): void {
    this.drop(name);
    this.#kept.set(name, value);
  }

  /** What a task left under that name, or undefined: it may have gone with a lost device. */
  kept(name: string): Kept | undefined {
    return this.#kept.get(name);
  }

  drop(name: string): void {
    this.#kept.get(name)?.destroy();
    this.#kept.delete(name);
  }

  #forget(): void {
    for (const name of [...this.#kept.keys()]) this.drop(name);
    this.#context = undefined;
  }

  /** Destroys what was kept and the context with every buffer. Nothing opens again. */
  async close(): Promise<void> {
    this.#closed = true;
    const opened = this.#context;
    this.#forget();
    (await opened?.catch(() => undefined))?.destroy();
  }
}
