/** A pruned network on the GPU: masked from the dense one, then corrected to have its statistics, at one sparsity after another. */
import { copy } from '../../kernels/arena/arena.ts';
import { elementwise } from '../../kernels/elementwise/elementwise.ts';
import { Arena, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { Renormaliser, RenormaliserFactory } from '../renormalise/renormaliser.ts';
import type { PruningMask } from './masks.ts';

export class PrunedArena {
  readonly #context: Context;
  readonly #dense: Arena;
  /** The network as it is now; to be read only. */
  readonly arena: Arena;
  /** 1 where a value stays, 0 where it is removed. */
  readonly #keep: Arena;
  readonly #renormaliser: Renormaliser | undefined;

  /** Nothing is in it until `restore` or `prune`. The dense network stays the caller's and is only read; the caller destroys this. */
  constructor(context: Context, dense: Arena, renormalise: RenormaliserFactory | undefined) {
    this.#context = context;
    this.#dense = dense;
    this.arena = new Arena(context, dense.layout, 'pruned');
    this.#keep = new Arena(context, dense.layout, 'kept values');
    try {
      this.#renormaliser = renormalise?.(this.arena);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Records that everything is as it was. */
  restore(): void {
    this.#context.record(...copy(this.#context, { input: this.#dense.windows, output: this.arena.windows }));
  }

  /** Records that the masked values are 0 and all others as they were, running statistics too. */
  prune(mask: PruningMask): void {
    const keep: HostTensors = new Map(
      this.#keep.layout.slices.map(({ name, length }) => {
        const kept = new Float32Array(length).fill(1);
        const removed = mask.get(name);
        if (removed) for (let i = 0; i < length; i++) if (removed[i]) kept[i] = 0;
        return [name, kept];
      }),
    );
    this.#keep.write(keep);
    this.#mask(this.#dense);
  }

  /**
   * Corrects what `prune` left. Where it moves results by a constant it gives biases to units that were removed whole: what was masked is
   * 0 again afterwards.
   */
  async correct(signal?: AbortSignal): Promise<void> {
    await this.#renormaliser?.correct([1], signal);
    this.#mask(this.arena);
  }

  #mask(source: Arena): void {
    const context = this.#context;
    this.arena.windows.forEach((output, window) => {
      const inputs = [{ view: source.windows[window]! }, { view: this.#keep.windows[window]! }];
      const expression = 'select(T(0.0), a, b != T(0.0))';
      context.record(...elementwise(context, { expression, inputs, output }));
    });
  }

  destroy(): void {
    this.#renormaliser?.destroy();
    this.#keep.destroy();
    this.arena.destroy();
  }
}
