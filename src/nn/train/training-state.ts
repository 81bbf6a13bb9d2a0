/**
 * What a training run needs to go on after it was stopped at any moment, to the same bits: values, optimizer state, and how far it
 * had come. Random numbers need nothing: they are drawn by counter.
 */
import { FormatError } from '../../base/errors.ts';
import { assertFinite, parseSafetensors } from '../../io/safetensors.ts';
import { writeSafetensors } from '../../io/safetensors-writer.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import type { EpochPace, SelfPacedState } from './self-paced.ts';

/** All that a training run goes on from, to the same bits. */
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
  /** Of self-paced training. */
  readonly selfPaced?: SelfPacedState;
}

const FORMAT = 'rebasin training state 1';
const SAMPLE_LOSSES = 'losses by sample';

/** A state as the bytes of a safetensors file. */
export function writeTrainingState({
  step,
  values,
  optimizer,
  losses,
  epochLoss,
  recipe,
  selfPaced,
}: TrainingState): Uint8Array {
  const tensors: [string, { shape: readonly number[]; data: Float32Array }][] = [];
  const put = (prefix: string, all: HostTensors) => {
    for (const [name, data] of all) tensors.push([`${prefix}/${name}`, { shape: [data.length], data }]);
  };
  put('values', values);
  for (const [index, moments] of optimizer.entries()) put(`optimizer.${index}`, moments);
  tensors.push(['losses', { shape: [losses.length], data: losses }]);
  if (selfPaced) tensors.push([SAMPLE_LOSSES, { shape: [selfPaced.losses.length], data: selfPaced.losses }]);
  return writeSafetensors(tensors, [
    ['format', FORMAT],
    ['step', String(step)],
    ['epochLoss', JSON.stringify(epochLoss)],
    ['recipe', recipe],
    ...(selfPaced ? [['paces', JSON.stringify(selfPaced.paces)] as const] : []),
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
  let sampleLosses: Float32Array | undefined;
  for (const [key, { data }] of tensors) {
    if (!(data instanceof Float32Array))
      throw new FormatError(`readTrainingState: ${label}: "${key}" is not float32`);
    assertFinite(`${label}: ${key}`, data);
    const [prefix, ...rest] = key.split('/');
    const name = rest.join('/');
    if (key === 'losses') losses = new Float32Array(data);
    else if (key === SAMPLE_LOSSES) sampleLosses = new Float32Array(data);
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
  const listOf = <T>(key: string, isElement: (value: unknown) => value is T) =>
    parseList(metadata.get(key) ?? '', isElement, `${label}: ${key}`);
  const paces = metadata.has('paces') ? listOf('paces', isPace) : undefined;
  if ((paces === undefined) !== (sampleLosses === undefined)) {
    throw new FormatError(
      `readTrainingState: ${label}: "paces" and "${SAMPLE_LOSSES}" belong together, one is missing`,
    );
  }
  return {
    ...{ step, values, optimizer, losses },
    epochLoss: listOf('epochLoss', (value) => typeof value === 'number'),
    recipe: metadata.get('recipe') ?? '',
    ...(paces && sampleLosses ? { selfPaced: { losses: sampleLosses, paces } } : {}),
  };
}

function isPace(value: unknown): value is EpochPace {
  if (typeof value !== 'object' || value === null) return false;
  const { age = 0, share, meanWeight } = value as Partial<Record<keyof EpochPace, unknown>>;
  return [age, share, meanWeight].every((each) => typeof each === 'number');
}

function parseList<T>(text: string, isElement: (value: unknown) => value is T, label: string): T[] {
  try {
    const values: unknown = JSON.parse(text);
    if (Array.isArray(values) && values.every(isElement)) return values;
  } catch {
    // told below
  }
  throw new FormatError(`readTrainingState: ${label}: expected a list, got ${JSON.stringify(text)}`);
}
