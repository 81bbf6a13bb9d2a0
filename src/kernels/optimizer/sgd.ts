/** Stochastic gradient descent as PyTorch defines it (`torch.optim.SGD`, dampening 0), on whole arenas in place. */
import { OptionError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, elementCount, linearGrid, packParams } from '../../runtime/kernel.ts';
import { checkSeparate, checkView, checkWindows, type Windows } from '../checks.ts';
import { elementwise } from '../elementwise/elementwise.ts';
import { fittingKernels } from '../fitting.ts';
import { runOf } from '../run.ts';
import wgsl from './sgd.wgsl';

/** One step of stochastic gradient descent. Arenas by their windows, all of one layout. */
export interface SgdCall {
  /** f32, updated in place. */
  readonly parameters: Windows;
  /** f32, read. */
  readonly gradients: Windows;
  /** The momentum buffer, zeros before the first step. Needed when `momentum` is not 0. */
  readonly velocities?: Windows;
  /** Not negative. */
  readonly learningRate: number;
  /** Default: 0. */
  readonly momentum?: number;
  /** Added to the gradient, times the parameter. Default: 0. */
  readonly weightDecay?: number;
  /** Default: false. */
  readonly nesterov?: boolean;
}

const momentumKernel = /* @__PURE__ */ fittingKernels({
  name: 'SGD with momentum',
  file: 'src/kernels/optimizer/sgd.wgsl',
  wgsl,
  bindings: ['read', 'read_write', 'read_write'],
});

/**
 * One step: `g = gradient + weightDecay w`, `velocity = momentum velocity + g`, `w -= learningRate velocity`
 * (with nesterov `w -= learningRate (g + momentum velocity)`).
 * @returns one dispatch a window. @throws ShapeError when views do not fit; OptionError when an option is out of range.
 */
export function sgdStep(context: Context, call: SgdCall): Dispatch[] {
  const { parameters, gradients, velocities, learningRate } = call;
  const { momentum = 0, weightDecay = 0, nesterov = false } = call;
  checkOptions({ learningRate, momentum, weightDecay }, nesterov);
  checkWindows('sgdStep', { parameters, gradients });
  if (momentum === 0) {
    return parameters.flatMap((window, index) =>
      elementwise(context, {
        expression: 'fma(T(-s0), fma(T(s1), b, a), b)',
        inputs: [{ view: gradients[index]! }, { view: window }],
        scalars: [learningRate, weightDecay],
        output: window,
      }),
    );
  }
  if (!velocities) {
    throw new OptionError(
      `sgdStep: momentum ${momentum} needs velocities; pass windows of an arena of the parameters' layout, zeros at first`,
    );
  }
  checkWindows('sgdStep', { parameters, velocities });
  return parameters.flatMap((window, index) => {
    const views = { gradients: gradients[index]!, parameters: window, velocities: velocities[index]! };
    const count = elementCount(window.shape);
    for (const [name, view] of Object.entries(views)) checkView('sgdStep', name, view, 'f32', count);
    checkSeparate(
      'sgdStep',
      { parameters: views.parameters, velocities: views.velocities },
      { gradients: views.gradients },
    );
    if (count === 0) return [];
    const run = runOf(context, 2);
    return [
      {
        kernel: momentumKernel(count),
        views: [views.gradients, views.parameters, views.velocities],
        params: packParams('ufffuu', count, learningRate, momentum, weightDecay, nesterov ? 1 : 0, run),
        workgroups: linearGrid(Math.ceil(count / (256 * run))),
        work: 4 * count,
      },
    ];
  });
}

function checkOptions(options: Readonly<Record<string, number>>, nesterov: boolean): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw new OptionError(`sgdStep: ${name} must be a finite number of at least 0, got ${value}`);
    }
  }
  if (nesterov && options.momentum === 0) {
    throw new OptionError(
      'sgdStep: nesterov needs a momentum above 0, got 0; pass one or leave nesterov out',
    );
  }
}
