/**
 * What a training run needs to go on after it was stopped at any moment, to the same bits: values, optimizer state, and how far it
 * had come. Random numbers need nothing: they are drawn by counter.
 */
import { FormatError } from '../../base/errors.ts';
import { assertFinite, parseSafetensors } from '../../io/safetensors.ts';
import { writeSafetensors } from '../../io/safetensors-writer.ts';
import type { HostTensors } from '../../runtime/arena.ts';

export interface TrainingState {
  /** Steps done since the start. */
  readonly step: number;
  /** Parameters and buffers by name. */
  readonly values: HostTensors;
  /** Moments or velocities, each by parameter name. */
  readonly optimizer: readonly HostTensors[];
  /** Losses of the steps done in the epoch that was under way. */
  readonly losses: Float32Array;
  /** Mean losses of the epochs done. */
  readonly epochLoss: readonly number[];
  /** SHA-256 of the recipe: a state goes on only with the recipe it was made by. */
  readonly recipe: string;
}

const FORMAT = 'rebasin training state 1';

/** A state as the bytes of a safetensors file. */
export function writeTrainingState({
  step,
  values,
  optimizer,
  losses,
  epochLoss,
  recipe,
}: TrainingState): Uint8Array {
  const tensors: [string, { shape: readonly number[]; data: Float32Array }][] = [];
  const put = (prefix: string, all: HostTensors) => {
    for (const [name, data] of all) tensors.push([`${prefix}/${name}`, { shape: [data.length], data }]);
  };
  put('values', values);
  for (const [index, moments] of optimizer.entries()) put(`optimizer.${index}`, moments);
  tensors.push(['losses', { shape: [losses.length], data: losses }]);
  return writeSafetensors(tensors, [
    ['format', FORMAT],
    ['step', String(step)],
    ['epochLoss', JSON.stringify(epochLoss)],
    ['recipe', recipe],
  ]);
}

/** @throws FormatError when the bytes hold no training state. */
export function readTrainingState(bytes: Uint8Array, label: string): TrainingState {
  const { tensors, metadata } = parseSafetensors(bytes, label);
  const step = Number(metadata.get('step'));
  if (metadata.get('format') !== FORMAT || !Number.isSafeInteger(step)) {
    throw new FormatError(
      `readTrainingState: ${label}: expected "${FORMAT}", got ${metadata.get('format') ?? 'another safetensors file'}`,
    );
  }
  const values = new Map<string, Float32Array>();
  const optimizer: Map<string, Float32Array>[] = [];
  let losses = new Float32Array(0);
  for (const [key, { data }] of tensors) {
    if (!(data instanceof Float32Array))
      throw new FormatError(`readTrainingState: ${label}: "${key}" is not float32`);
    assertFinite(`${label}: ${key}`, data);
    const [prefix, ...rest] = key.split('/');
    const name = rest.join('/');
    if (key === 'losses') losses = new Float32Array(data);
    else if (prefix === 'values') values.set(name, data);
    else {
      const index = Number(prefix?.replace('optimizer.', ''));
      if (!Number.isInteger(index) || index < 0 || index > 1) {
        throw new FormatError(`readTrainingState: ${label}: "${key}" is no part of a training state`);
      }
      optimizer[index] ??= new Map();
      optimizer[index].set(name, data);
    }
  }
  const epochLoss = parseNumbers(metadata.get('epochLoss') ?? '', label);
  return { step, values, optimizer, losses, epochLoss, recipe: metadata.get('recipe') ?? '' };
}

function parseNumbers(text: string, label: string): number[] {
  try {
    const values: unknown = JSON.parse(text);
    if (Array.isArray(values) && values.every((value) => typeof value === 'number')) return values;
  } catch {
    // told below
  }
  throw new FormatError(
    `readTrainingState: ${label}: expected a list of losses, got ${JSON.stringify(text)}`,
  );
}
