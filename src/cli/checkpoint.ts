/** Checkpoints on the command line: read, recognised, checked; and what is written about a model beside its weights. */
import { FormatError, OptionError } from '../base/errors.ts';
import { readBytes } from '../io/node-files.ts';
import { checkpointMetadata } from '../nn/checkpoint-metadata.ts';
import { type Model, stateEntries } from '../nn/models/model.ts';
import { recogniseModel } from '../nn/models/recognise.ts';
import {
  expectSameArchitecture,
  readStateDict,
  type StateDict,
  stateDictOf,
  writeStateDict,
} from '../nn/state-dict.ts';
import type { Normalisation } from '../nn/train/gpu-dataset.ts';
import type { HostTensors } from '../runtime/arena.ts';

/** Which of a checkpoint's fields the user gave instead. */
interface Told {
  readonly model: boolean;
  readonly normalisation: boolean;
}

export interface Checkpoint {
  readonly path: string;
  readonly state: StateDict;
}

/** Reads a checkpoint; what was done while reading is told on stderr. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const state = await readStateDict(await readBytes(path), path);
  for (const note of state.notes) process.stderr.write(`${path}: ${note}\n`);
  return { path, state };
}

/** The model of a checkpoint: what `--model` says, else what the checkpoint's own metadata says, else recognised. */
export function modelOf({ state }: Checkpoint, modelName: string | undefined): Model {
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

/** What the user said about how to run checkpoints, in place of what these say. */
export function toldBy(options: { readonly model?: string; readonly mean?: readonly number[] }): Told {
  return { model: options.model !== undefined, normalisation: options.mean !== undefined };
}

/** Reads checkpoints of one architecture that say the same about themselves. @throws FormatError naming what differs. */
export async function readAlike(paths: readonly string[], told: Told): Promise<Checkpoint[]> {
  const checkpoints: Checkpoint[] = [];
  for (const path of paths) checkpoints.push(await readCheckpoint(path));
  const [first, ...others] = checkpoints;
  for (const other of others) {
    expectSameArchitecture(first!.state, other.state, first!.path, other.path);
    expectSameMetadata(first!, other, told);
  }
  return checkpoints;
}

/** The normalisation that a checkpoint of ours was trained with. */
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
