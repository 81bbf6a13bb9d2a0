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

/** The files of A and B, and what the reader says about them. */
export interface NetworkFiles {
  readonly a?: File | undefined;
  readonly b?: File | undefined;
  /** What `--model` would say; empty: nothing. */
  readonly model: string;
  /** Whether mean and deviation are given, so that what checkpoints say of them does not matter. */
  readonly normalised: boolean;
}

export interface CheckpointFacts {
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

/** Checkpoints by the identity of their files. */
class Checkpoints implements Kept {
  readonly files = new Map<string, OpenedFile>();

  destroy(): void {
    this.files.clear();
  }
}

/** What tells one file from another without reading it. */
export function fileKey({ name, size, lastModified }: File): string {
  return JSON.stringify([name, size, lastModified]);
}

/** Reads a file, unless it was read before. @throws FormatError or DataError naming the file and what is wrong with it. */
export async function openFile(session: Session, file: File): Promise<OpenedFile> {
  const found = session.kept(KEPT);
  const kept = found instanceof Checkpoints ? found : new Checkpoints();
  if (kept !== found) session.keep(KEPT, kept);
  const key = fileKey(file);
  const known = kept.files.get(key);
  if (known) return known;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const state = await readStateDict(bytes, file.name);
  const sizes = [...state.entries.values()].map(({ data }) => data.length);
  const opened: OpenedFile = {
    checkpoint: { path: file.name, state },
    facts: {
      name: file.name,
      bytes: bytes.length,
      sha256: await sha256(bytes),
      tensors: state.entries.size + state.integers.size,
      parameters: sizes.reduce((sum, size) => sum + size, 0),
      notes: state.notes,
    },
  };
  kept.files.set(key, opened);
  return opened;
}

/** Forgets files that are no longer chosen. */
export function forgetOtherFiles(session: Session, chosen: readonly File[]): void {
  const kept = session.kept(KEPT);
  if (!(kept instanceof Checkpoints)) return;
  const keys = new Set(chosen.map(fileKey));
  for (const key of kept.files.keys()) if (!keys.has(key)) kept.files.delete(key);
}

/** Both networks, of one architecture. @throws FormatError naming what differs; what `modelOfCheckpoint` throws. */
export async function openPair(
  session: Session,
  { a, b, model, normalised }: NetworkFiles,
): Promise<OpenedPair> {
  if (!a || !b) {
    throw new OptionError(
      'Two checkpoints are needed, of networks trained apart: choose the other one as well.',
    );
  }
  const first = (await openFile(session, a)).checkpoint;
  const second = (await openFile(session, b)).checkpoint;
  expectAlike([first, second], { model: model !== '', normalisation: normalised });
  return {
    a: first,
    b: second,
    model: modelOfCheckpoint(first, model === '' ? undefined : model),
    key: JSON.stringify([fileKey(a), fileKey(b), model]),
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
