/** Checkpoints as commands take them: recognised, checked against each other; and what is written about a model beside its weights. */
import { FormatError, OptionError } from '../base/errors.ts';
import { checkpointMetadata } from '../nn/checkpoint-metadata.ts';
import { type Model, stateEntries } from '../nn/models/model.ts';
import { recogniseModel } from '../nn/models/recognise.ts';
import { expectSameArchitecture, type StateDict, stateDictOf, writeStateDict } from '../nn/state-dict.ts';
import type { Normalisation } from '../nn/train/gpu-dataset.ts';
import type { HostTensors } from '../runtime/arena.ts';

/** Which of a checkpoint's fields the user gave instead. */
export interface Told {
  /** Whether the user named the architecture. */
  readonly model: boolean;
  /** Whether the user said how images are normalised. */
  readonly normalisation: boolean;
}

/** A checkpoint with the name that messages call it by. */
export interface Checkpoint {
  /** What messages and results call it: a path, or the name of a file. */
  readonly path: string;
  /** What it holds. */
  readonly state: StateDict;
}

/**
 * The model of a checkpoint: what the user says, else what the checkpoint's own metadata says, else recognised.
 * @param modelName what `--model` says, such as `mlp:tanh`.
 * @throws FormatError naming the tensor that does not fit; OptionError when the user named another family.
 */
export function modelOfCheckpoint({ state }: Checkpoint, modelName: string | undefined): Model {
  const shapes = [...state.entries].map(([name, { shape }]) => ({ name, shape }));
  const told = modelName ?? state.metadata.get('rebasin.model');
  return recogniseModel(shapes, told);
}

/** A network as a checkpoint that says how to run it; integer buffers and other metadata are those of the one it was made from. */
export function checkpointOf(
  { model, values }: { readonly model: Model; readonly values: HostTensors },
  { state }: Checkpoint,
  normalisation: Normalisation,
): Uint8Array {
  const metadata = new Map([...state.metadata, ...checkpointMetadata(model, normalisation)]);
  return writeStateDict({
    ...stateDictOf(stateEntries(model), values, metadata),
    integers: state.integers,
  });
}

/** B with its units permuted, as a checkpoint: all else is as in B. */
export function permutedCheckpoint(model: Model, aligned: HostTensors, { state }: Checkpoint): Uint8Array {
  return writeStateDict({
    ...stateDictOf(stateEntries(model), aligned, state.metadata),
    integers: state.integers,
  });
}

/**
 * Checks that checkpoints are of one architecture and say the same about themselves.
 * @throws FormatError naming what differs.
 */
export function expectAlike(checkpoints: readonly Checkpoint[], told: Told): void {
  const [first, ...others] = checkpoints;
  for (const other of others) {
    expectSameArchitecture(first!.state, other.state, first!.path, other.path);
    expectSameMetadata(first!, other, told);
  }
}

/**
 * Two checkpoints of ours that say different things about themselves cannot both be run one way.
 * @param told what the user said instead, by metadata field.
 * @throws FormatError naming the field.
 */
function expectSameMetadata(a: Checkpoint, b: Checkpoint, told: Told): void {
  const fields = [
    ...(told.model ? [] : ['rebasin.model']),
    ...(told.normalisation ? [] : ['rebasin.mean', 'rebasin.std']),
  ];
  for (const field of fields) {
    const [inA, inB] = [a.state.metadata.get(field), b.state.metadata.get(field)];
    if (inA !== undefined && inB !== undefined && inA !== inB) {
      const option = field === 'rebasin.model' ? '--model' : '--mean and --std';
      throw new FormatError(
        `${a.path} has ${field} ${inA}, ${b.path} has ${inB}; say with ${option} how to run both`,
      );
    }
  }
}

/** The normalisation that a checkpoint of ours was trained with. @throws OptionError where it names one that cannot be read. */
export function normalisationOfCheckpoint({ path, state }: Checkpoint): Normalisation | undefined {
  const [mean, std] = [state.metadata.get('rebasin.mean'), state.metadata.get('rebasin.std')];
  if (mean === undefined || std === undefined) return undefined;
  const numbers = (text: string) => text.split(',').map(Number);
  if ([...numbers(mean), ...numbers(std)].some((value) => !Number.isFinite(value))) {
    throw new OptionError(
      `${path}: its metadata names the normalisation ${mean} / ${std}; give --mean and --std instead`,
    );
  }
  return { mean: numbers(mean), std: numbers(std) };
}
