/** Two checkpoints in the worker: read once, kept for all analyses. */
import {
  BUILT_IN_DATA,
  type Checkpoint,
  checkDatasetFits,
  checkRenormalisation,
  expectAlike,
  hasBatchNorm,
  type Model,
  modelOfCheckpoint,
  type Normalisation,
  normalisationOfCheckpoint,
  OptionError,
  RENORMALISATIONS,
  type Renormalisation,
  readStateDict,
} from 'rebasin';
import type { Kept, Session } from '../worker/session.ts';
import type { ChosenFile } from './chosen-file.ts';

/** The files of A and B, and what the reader says about them. */
export interface NetworkFiles {
  readonly a?: ChosenFile | undefined;
  readonly b?: ChosenFile | undefined;
  /** What `--model` would say; empty: nothing. */
  readonly model: string;
  /** Whether mean and deviation are given, so that what checkpoints say of them does not matter. */
  readonly normalised: boolean;
}

export interface CheckpointFacts {
  /** With the folders that it lies in, where these are known. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly tensors: number;
  readonly parameters: number;
  /** What was done while reading. */
  readonly notes: readonly string[];
}

export interface PairFacts {
  readonly model: string;
  readonly assumptions: readonly string[];
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly batchNorm: boolean;
  /** What the checkpoints say of it. */
  readonly normalisation?: Normalisation | undefined;
  /** The built-in data that the checkpoints say they learned from, by their normalisation. */
  readonly builtIn?: 'digits' | 'colours' | undefined;
  /** Built-in data whose images it takes. */
  readonly fits: readonly ('digits' | 'colours')[];
  /** Corrections that do not go with it, and why. */
  readonly refused: Readonly<Partial<Record<Renormalisation, string>>>;
}

interface OpenedFile {
  readonly checkpoint: Checkpoint;
  readonly facts: CheckpointFacts;
}

export interface OpenedPair {
  readonly a: Checkpoint;
  readonly b: Checkpoint;
  readonly model: Model;
  /** Which files and which model: what results depend on. */
  readonly key: string;
}

const KEPT = 'checkpoints';

/** Checkpoints by the ids of their files, those that are being read among them. */
class Checkpoints implements Kept {
  readonly files = new Map<number, Promise<OpenedFile>>();

  destroy(): void {
    this.files.clear();
  }
}

/**
 * Reads a file, unless it was read before.
 * @param signal aborted where other files were chosen meanwhile: what is no longer wanted is not kept.
 * @throws FormatError or DataError naming the file and what is wrong with it; the signal's reason.
 */
export async function openFile(
  session: Session,
  chosen: ChosenFile,
  signal: AbortSignal,
): Promise<OpenedFile> {
  signal.throwIfAborted();
  const found = session.kept(KEPT);
  const kept = found instanceof Checkpoints ? found : new Checkpoints();
  if (kept !== found) session.keep(KEPT, kept);
  const known = kept.files.get(chosen.id);
  if (known) return known;
  const reading = readCheckpoint(chosen);
  kept.files.set(chosen.id, reading);
  try {
    return await reading;
  } catch (error) {
    if (kept.files.get(chosen.id) === reading) kept.files.delete(chosen.id);
    throw error;
  }
}

async function readCheckpoint({ path, file }: ChosenFile): Promise<OpenedFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const state = await readStateDict(bytes, path);
  const sizes = [...state.entries.values()].map(({ data }) => data.length);
  return {
    checkpoint: { path, state },
    facts: {
      name: path,
      bytes: bytes.length,
      sha256: await sha256(bytes),
      tensors: state.entries.size + state.integers.size,
      parameters: sizes.reduce((sum, size) => sum + size, 0),
      notes: state.notes,
    },
  };
}

/** Forgets files that are no longer chosen, also while they are being read. */
export function forgetOtherFiles(session: Session, chosen: readonly ChosenFile[]): void {
  const kept = session.kept(KEPT);
  if (!(kept instanceof Checkpoints)) return;
  const ids = new Set(chosen.map(({ id }) => id));
  for (const id of kept.files.keys()) if (!ids.has(id)) kept.files.delete(id);
}

/** Both networks, of one architecture. @throws FormatError naming what differs; what `openFile` and `modelOfCheckpoint` throw. */
export async function openPair(
  session: Session,
  { a, b, model, normalised }: NetworkFiles,
  signal: AbortSignal,
): Promise<OpenedPair> {
  if (!a || !b) {
    throw new OptionError(
      'Two checkpoints are needed, of networks trained apart: choose the other one as well.',
    );
  }
  const first = (await openFile(session, a, signal)).checkpoint;
  const second = (await openFile(session, b, signal)).checkpoint;
  expectAlike([first, second], { model: model !== '', normalisation: normalised });
  return {
    a: first,
    b: second,
    model: modelOfCheckpoint(first, model === '' ? undefined : model),
    key: JSON.stringify([a.id, b.id, model]),
  };
}

/** What the page shows of both. */
export function pairFacts({ a, model }: OpenedPair): PairFacts {
  const fits = (['digits', 'colours'] as const).filter((name) =>
    succeeds(() => checkDatasetFits(model, BUILT_IN_DATA[name]!.make({ count: 1, seed: 0, split: 'test' }))),
  );
  const normalisation = normalisationOfCheckpoint(a);
  const refused: Partial<Record<Renormalisation, string>> = {};
  for (const name of RENORMALISATIONS) {
    const reason = reasonOf(() => checkRenormalisation(name, model));
    if (reason !== undefined) refused[name] = reason;
  }
  return {
    model: model.name,
    assumptions: model.assumptions,
    inputShape: model.inputShape,
    classes: model.classes,
    batchNorm: hasBatchNorm(model),
    normalisation,
    builtIn: fits.find(
      (name) => JSON.stringify(BUILT_IN_DATA[name]!.normalisation) === JSON.stringify(normalisation),
    ),
    fits,
    refused,
  };
}

function succeeds(check: () => void): boolean {
  return reasonOf(check) === undefined;
}

function reasonOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** SHA-256 of a file as 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
