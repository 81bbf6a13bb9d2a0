/** Optimizers over arenas: what is to be done to the parameters at each step, and the state that takes. */
import { adamStep, adamWStep } from '../../kernels/optimizer/adam.ts';
import { sgdStep } from '../../kernels/optimizer/sgd.ts';
import { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';

/** PyTorch's names and defaults. */
export type OptimizerOptions =
  | {
      readonly type: 'sgd';
      /** Default: 0. */
      readonly momentum?: number;
      /** Added to the gradient. Default: 0. */
      readonly weightDecay?: number;
      /** Default: false. */
      readonly nesterov?: boolean;
    }
  | {
      readonly type: 'adam' | 'adamw';
      /** Default: 0.9. */
      readonly beta1?: number;
      /** Default: 0.999. */
      readonly beta2?: number;
      /** Default: 1e-8. */
      readonly epsilon?: number;
      /** `adam`: added to the gradient; `adamw`: decoupled. Default: 0 (note that PyTorch's AdamW has 0.01). */
      readonly weightDecay?: number;
    };

/** Why neither an optimizer's step nor a trainer's can be recorded for a host's submits. */
export const FROZEN =
  'since its learning rate, its number (by which Adam corrects its moments) and the place of its batch would be the same at every submit; ' +
  "take steps outside of recordings. A program's run can be recorded, and the kernel sgdStep at one learning rate";

/** Updates parameters by gradients, arena to arena, one dispatch a window. */
export class Optimizer {
  readonly #context: Context;
  readonly #options: OptimizerOptions;
  readonly #parameters: Arena;
  readonly #gradients: Arena;
  readonly #state: readonly Arena[];
  #steps = 0;

  /** Trains `parameters` by `gradients`, arenas of one layout that stay the caller's. The caller destroys the optimizer. */
  constructor(context: Context, options: OptimizerOptions, parameters: Arena, gradients: Arena) {
    this.#context = context;
    this.#options = options;
    this.#parameters = parameters;
    this.#gradients = gradients;
    const arenas = options.type === 'sgd' ? (options.momentum ? 1 : 0) : 2;
    this.#state = Array.from(
      { length: arenas },
      () => new Arena(context, parameters.layout, 'optimizer state'),
    );
  }

  /** Steps taken. */
  get steps(): number {
    return this.#steps;
  }

  /** The state that a resumed run needs: moments or velocities, arenas of the parameters' layout. Owned by the optimizer. */
  get state(): readonly Arena[] {
    return this.#state;
  }

  /** Goes on as if `steps` steps had been taken; the caller writes `state`. */
  resumeAt(steps: number): void {
    this.#steps = steps;
  }

  /** Records one step. @throws StateError inside `context.recording`: which step it is and its learning rate would stay what they were. */
  step(learningRate: number): void {
    const context = this.#context;
    context.checkNotRecording('optimizer.step', FROZEN);
    const parameters = this.#parameters.windows;
    const gradients = this.#gradients.windows;
    const [first, second] = this.#state;
    const step = ++this.#steps;
    const { type, ...options } = this.#options;
    if (type === 'sgd') {
      const velocities = first ? { velocities: first.windows } : {};
      context.record(...sgdStep(context, { parameters, gradients, learningRate, ...options, ...velocities }));
    } else {
      const moments = { firstMoments: first!.windows, secondMoments: second!.windows };
      const call = { parameters, gradients, ...moments, step, learningRate, ...options };
      context.record(...(type === 'adam' ? adamStep(context, call) : adamWStep(context, call)));
    }
  }

  /** Frees moments and velocities; parameters and gradients stay. */
  destroy(): void {
    for (const arena of this.#state) arena.destroy();
  }
}
