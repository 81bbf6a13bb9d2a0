/** Adam and AdamW as PyTorch defines them (`torch.optim.Adam`, `torch.optim.AdamW`, no amsgrad), on whole arenas in place. */
import { OptionError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, elementCount, linearGrid, packParams } from '../../runtime/kernel.ts';
import { checkSeparate, checkView, checkWindows, type Windows } from '../checks.ts';
import { fittingKernels } from '../fitting.ts';
import { runOf } from '../run.ts';
import wgsl from './adam.wgsl';

/** One step of Adam. Arenas by their windows, all of one layout. */
export interface AdamCall {
  /** f32, updated in place. */
  readonly parameters: Windows;
  /** f32, read. */
  readonly gradients: Windows;
  /** Running mean of gradients, zeros before the first step. */
  readonly firstMoments: Windows;
  /** Running mean of squared gradients, zeros before the first step. */
  readonly secondMoments: Windows;
  /** Which step this is: 1 for the first. */
  readonly step: number;
  /** Not negative. */
  readonly learningRate: number;
  /** Default: 0.9. */
  readonly beta1?: number;
  /** Default: 0.999. */
  readonly beta2?: number;
  /** Added outside the square root. Above 0, so that padding stays zero. Default: 1e-8. */
  readonly epsilon?: number;
  /** `adamStep`: added to the gradient, times the parameter. `adamWStep`: decoupled. Default: 0. */
  readonly weightDecay?: number;
}

const adamKernel = /* @__PURE__ */ fittingKernels({
  name: 'Adam',
  file: 'src/kernels/optimizer/adam.wgsl',
  wgsl,
  bindings: ['read', 'read_write', 'read_write', 'read_write'],
});

/**
 * One step of Adam: `g = gradient + weightDecay w`, `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`,
 * `w -= learningRate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)`.
 * @returns one dispatch a window. @throws ShapeError when views do not fit; OptionError when an option is out of range.
 */
export function adamStep(context: Context, call: AdamCall): Dispatch[] {
  return step(context, 'adamStep', call, 1, call.weightDecay ?? 0);
}

/**
 * One step of AdamW: `w *= 1 - learningRate weightDecay`, then Adam without decay.
 * @returns one dispatch a window. @throws ShapeError when views do not fit; OptionError when an option is out of range.
 */
export function adamWStep(context: Context, call: AdamCall): Dispatch[] {
  return step(context, 'adamWStep', call, 1 - call.learningRate * (call.weightDecay ?? 0), 0);
}

function step(context: Context, caller: string, call: AdamCall, keep: number, decay: number): Dispatch[] {
  const { parameters, gradients, firstMoments, secondMoments, learningRate } = call;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = call;
  checkOptions(caller, call, beta1, beta2, epsilon);
  checkWindows(caller, { parameters, gradients, firstMoments, secondMoments });
  const stepSize = learningRate / (1 - integerPower(beta1, call.step));
  const correction = Math.sqrt(1 - integerPower(beta2, call.step));
  return parameters.flatMap((window, index) => {
    const written = {
      parameters: window,
      firstMoments: firstMoments[index]!,
      secondMoments: secondMoments[index]!,
    };
    const read = { gradients: gradients[index]! };
    const count = elementCount(window.shape);
    for (const [name, view] of Object.entries({ ...read, ...written })) {
      checkView(caller, name, view, 'f32', count);
    }
    checkSeparate(caller, written, read);
    if (count === 0) return [];
    const run = runOf(context, 2);
    return [
      {
        kernel: adamKernel(count),
        views: [...Object.values(read), ...Object.values(written)],
        params: packParams(
          'uffffffffu',
          count,
          keep,
          decay,
          1 - beta1,
          beta2,
          1 - beta2,
          stepSize,
          correction,
          epsilon,
          run,
        ),
        workgroups: linearGrid(Math.ceil(count / (256 * run))),
        work: 16 * count,
      },
    ];
  });
}

/** `base^exponent` by squaring: multiplications only, so every JavaScript engine gives the same bits. */
function integerPower(base: number, exponent: number): number {
  let result = 1;
  let factor = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= factor;
    factor *= factor;
  }
  return result;
}

function checkOptions(caller: string, call: AdamCall, beta1: number, beta2: number, epsilon: number): void {
  const fail = (text: string) => {
    throw new OptionError(`${caller}: ${text}`);
  };
  if (!Number.isSafeInteger(call.step) || call.step < 1) {
    fail(`step must be an integer from 1 on, got ${call.step}; the first step is 1`);
  }
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) fail(`${name} must be at least 0 and below 1, got ${value}`);
  }
  if (!(epsilon > 0)) fail(`epsilon must be above 0, got ${epsilon}`);
  for (const [name, value] of Object.entries({
    learningRate: call.learningRate,
    weightDecay: call.weightDecay ?? 0,
  })) {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      fail(`${name} must be a finite number of at least 0, got ${value}`);
    }
  }
}
