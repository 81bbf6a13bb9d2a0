/** Model names as users write them: `mlp:784-512-512-10`, `mlp:784-64-10:tanh:no-bias`. */
import { OptionError } from '../../base/errors.ts';
import { ACTIVATIONS, type Activation, type MlpOptions, mlp } from './mlp.ts';
import type { Model } from './model.ts';

const USAGE = `mlp[:WIDTH-WIDTH-...][:${Object.keys(ACTIVATIONS).join('|')}][:no-bias]`;

/** What a model name says; widths may be left out where a checkpoint gives them. @throws OptionError */
export function parseModelName(text: string): Partial<MlpOptions> {
  const [family, ...parts] = text.split(':');
  if (family !== 'mlp') throw new OptionError(`--model: unknown model "${text}"; expected ${USAGE}`);
  let options: Partial<MlpOptions> = {};
  for (const part of parts) {
    if (/^\d+(-\d+)+$/.test(part)) options = { ...options, widths: part.split('-').map(Number) };
    else if (part in ACTIVATIONS) options = { ...options, activation: part as Activation };
    else if (part === 'no-bias') options = { ...options, bias: false };
    else throw new OptionError(`--model: "${part}" in "${text}" is not understood; expected ${USAGE}`);
  }
  return options;
}

/** A model from its full name. @throws OptionError when the widths are missing. */
export function parseModel(text: string): Model {
  const { widths, ...options } = parseModelName(text);
  if (!widths) throw new OptionError(`--model: "${text}" needs its widths, such as mlp:784-512-512-10`);
  return mlp({ widths, ...options });
}
