/** Multi-layer perceptrons of any depth and width: linear, activation, ..., linear. */
import { OptionError } from '../../base/errors.ts';
import type { Node } from '../graph.ts';
import { type Norm, norm } from '../layers.ts';
import { gelu, linear, parameter, relu, softplus, tanh } from '../ops/index.ts';
import type { Model } from './model.ts';

/** Activation functions by the name that options take. */
export const ACTIVATIONS = {
  /** max(x, 0). */
  relu,
  /** Hyperbolic tangent. */
  tanh,
  /** log(1 + exp(x)). */
  softplus,
  /** x Phi(x), exact. */
  gelu,
} as const;

/** Name of an activation function. */
export type Activation = keyof typeof ACTIVATIONS;

/** Of `mlp`. */
export interface MlpOptions {
  /** Features of the input, of each hidden layer, and of the output: at least two numbers. */
  readonly widths: readonly number[];
  /** After every layer but the last. Default: `relu`. */
  readonly activation?: Activation;
  /** Whether the layers have biases. Default: true. */
  readonly bias?: boolean;
  /** Before every activation, named `bn1`, `bn2`, ... Default: `none`. */
  readonly norm?: Norm;
  /** Parameter names of each layer. Default: `fc1.weight`, `fc1.bias`, `fc2.weight`, ... */
  readonly names?: readonly { readonly weight: string; readonly bias?: string }[];
  /** Lines for `Model.assumptions`. Default: none. */
  readonly assumptions?: readonly string[];
}

/** An MLP. @throws OptionError for widths that are not positive integers or names that do not match them. */
export function mlp(options: MlpOptions): Model {
  const { widths, activation = 'relu', bias = true, norm: kind = 'none', assumptions = [] } = options;
  const layers = widths.length - 1;
  if (layers < 1 || widths.some((width) => !Number.isInteger(width) || width < 1)) {
    throw new OptionError(
      `mlp: widths must be at least two positive integers, got ${widths.join('-') || 'none'}`,
    );
  }
  if (!(activation in ACTIVATIONS)) {
    throw new OptionError(
      `mlp: activation must be one of ${Object.keys(ACTIVATIONS).join(', ')}, got "${activation}"`,
    );
  }
  const names = options.names ?? defaultNames(layers, bias);
  if (names.length !== layers)
    throw new OptionError(`mlp: ${layers} layers need ${layers} names, got ${names.length}`);
  return {
    name: [
      'mlp',
      widths.join('-'),
      ...(activation === 'relu' ? [] : [activation]),
      ...(bias ? [] : ['no-bias']),
      ...(kind === 'none' ? [] : [`norm=${kind}`]),
    ].join(':'),
    inputShape: [widths[0]!],
    classes: widths[layers]!,
    assumptions,
    forward(images, pass) {
      let x: Node = images;
      for (const [layer, name] of names.entries()) {
        const [fanIn, fanOut] = [widths[layer]!, widths[layer + 1]!];
        const b = name.bias === undefined ? undefined : parameter(name.bias, [fanOut]);
        x = linear(x, parameter(name.weight, [fanOut, fanIn]), b);
        if (layer < layers - 1) x = ACTIVATIONS[activation](norm(x, `bn${layer + 1}`, kind, pass));
      }
      return x;
    },
  };
}

function defaultNames(layers: number, bias: boolean): { weight: string; bias?: string }[] {
  return Array.from({ length: layers }, (_, i) => ({
    weight: `fc${i + 1}.weight`,
    ...(bias ? { bias: `fc${i + 1}.bias` } : {}),
  }));
}
