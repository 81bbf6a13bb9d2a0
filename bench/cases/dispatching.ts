/** Contestants of this library that run the same dispatches again and again. */
import type { Context } from '../../src/runtime/context.ts';
import type { Dispatch } from '../../src/runtime/kernel.ts';
import type { Tensor } from '../../src/runtime/tensor.ts';
import { inParts, type OwnContestant } from '../case.ts';

/** Tensors of one contestant, freed together. */
export class Tensors {
  readonly #context: Context;
  readonly #owned: Tensor[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  /** With the given content. */
  readonly of = (values: Float32Array | Uint32Array, shape?: readonly number[]): Tensor =>
    this.#keep(this.#context.tensorFrom(values, shape));

  /** With undefined content: for results, and for scratch memory made once, as a program has it. */
  readonly make = (shape: readonly number[]): Tensor => this.#keep(this.#context.tensor(shape));

  #keep(tensor: Tensor): Tensor {
    this.#owned.push(tensor);
    return tensor;
  }

  destroy(): void {
    for (const tensor of this.#owned) tensor.destroy();
  }
}

/** Records the dispatches and waits for them. @param prepare makes tensors, dispatches on them, and says which are the results. */
export function dispatching(
  context: Context,
  prepare: (tensors: Tensors) => { dispatches: readonly Dispatch[]; results: readonly Tensor[] },
  label?: string,
): OwnContestant {
  const tensors = new Tensors(context);
  let prepared: ReturnType<typeof prepare>;
  try {
    prepared = prepare(tensors);
  } catch (error) {
    tensors.destroy();
    throw error;
  }
  const { dispatches, results } = prepared;
  return {
    ...(label === undefined ? {} : { label }),
    ...inParts({
      start: () => context.record(...dispatches),
      finish: () => context.finish(),
    }),
    read: () => Promise.all(results.map((tensor) => tensor.read())),
    destroy: () => tensors.destroy(),
  };
}
