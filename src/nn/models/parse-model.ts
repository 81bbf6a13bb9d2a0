/**
 * Model names as users write them: `mlp:784-512-512-10`, `mlp:784-64-10:tanh:no-bias`, `vgg16:norm=batch`,
 * `resnet20:width=4:shortcut=pad:classes=100`.
 */
import { OptionError } from '../../base/errors.ts';
import { NORMS } from '../layers.ts';
import { ACTIVATIONS, type Activation, type MlpOptions, mlp } from './mlp.ts';
import type { Model } from './model.ts';
import { type ResNetVariant, resnetOfDepth, SHORTCUTS } from './resnet.ts';
import { type VggVariant, vggOfDepth } from './vgg.ts';
import { BIAS_SUFFIX, withBiases } from './with-biases.ts';

/** A model name, taken apart. */
export type ModelName =
  | { readonly family: 'mlp'; readonly options: Partial<MlpOptions> }
  | { readonly family: 'resnet'; readonly depth: number; readonly variant: ResNetVariant }
  | { readonly family: 'vgg'; readonly depth: number; readonly variant: VggVariant };

const usage = (): string =>
  [
    `mlp[:WIDTH-WIDTH-...][:${Object.keys(ACTIVATIONS).join('|')}][:no-bias][:norm=${NORMS.join('|')}]`,
    `vggDEPTH[:width=N][:norm=${NORMS.join('|')}][:classifier=linear|mlp][:classes=N][:bias]`,
    `resnetDEPTH[:width=N][:norm=${NORMS.join('|')}][:shortcut=${SHORTCUTS.join('|')}][:classes=N][:input=CxHxW][:bias]`,
  ].join(', ');

/**
 * Takes a model name apart; widths may be left out where a checkpoint gives them. `:bias` is passed over, but that it takes the
 * `no-bias` of an MLP back. @throws OptionError
 */
export function parseModelName(text: string): ModelName {
  const plain = text.endsWith(BIAS_SUFFIX) ? text.slice(0, -BIAS_SUFFIX.length) : text;
  const [head, ...parts] = plain.split(':');
  const [, family, depth] = head!.match(/^(resnet|vgg)(\d+)$/) ?? [];
  if (family === 'resnet')
    return {
      family,
      depth: Number(depth),
      variant: parseVariant(text, parts, ['width', 'norm', 'shortcut', 'classes', 'input']),
    };
  if (family === 'vgg')
    return {
      family,
      depth: Number(depth),
      variant: parseVariant(text, parts, ['width', 'norm', 'classifier', 'classes']),
    };
  if (head !== 'mlp') throw new OptionError(`--model: unknown model "${text}"; expected ${usage()}`);
  let options: Partial<MlpOptions> = {};
  for (const part of parts) {
    if (/^\d+(-\d+)+$/.test(part)) options = { ...options, widths: part.split('-').map(Number) };
    else if (part in ACTIVATIONS) options = { ...options, activation: part as Activation };
    else if (part === 'no-bias') options = { ...options, bias: false };
    else if (part.startsWith('norm=')) options = { ...options, ...parseVariant(text, [part], ['norm']) };
    else throw new OptionError(`--model: "${part}" in "${text}" is not understood; expected ${usage()}`);
  }
  if (plain !== text) options = { ...options, bias: true };
  return { family: 'mlp', options };
}

/** A model from its full name. @throws OptionError when something is missing or out of range. */
export function parseModel(text: string): Model {
  if (text.endsWith(BIAS_SUFFIX)) return withBiases(parseModel(text.slice(0, -BIAS_SUFFIX.length)));
  const name = parseModelName(text);
  if (name.family === 'resnet') return resnetOfDepth(name.depth, name.variant);
  if (name.family === 'vgg') return vggOfDepth(name.depth, name.variant);
  const { widths, ...options } = name.options;
  if (!widths) throw new OptionError(`--model: "${text}" needs its widths, such as mlp:784-512-512-10`);
  return mlp({ widths, ...options });
}

/** How each option of a convolutional network is read: one of a list, a positive number, or a shape such as 1x28x28. */
const READERS: Readonly<Record<string, (value: string) => string | number | number[] | undefined>> = {
  width: positiveNumber,
  classes: positiveNumber,
  norm: (value) => NORMS.find((norm) => norm === value),
  shortcut: (value) => SHORTCUTS.find((shortcut) => shortcut === value),
  classifier: (value) => ['linear', 'mlp'].find((classifier) => classifier === value),
  input: (value) => (/^[1-9]\d*x[1-9]\d*x[1-9]\d*$/.test(value) ? value.split('x').map(Number) : undefined),
};

function positiveNumber(value: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(value) && Number(value) > 0 ? Number(value) : undefined;
}

function parseVariant(
  text: string,
  parts: readonly string[],
  allowed: readonly string[],
): Record<string, unknown> {
  const variant: Record<string, unknown> = {};
  for (const part of parts) {
    const [key = '', value = ''] = part.split('=');
    const read = allowed.includes(key) ? READERS[key]!(value) : undefined;
    if (read === undefined)
      throw new OptionError(`--model: "${part}" in "${text}" is not understood; expected ${usage()}`);
    variant[key] = read;
  }
  return variant;
}
