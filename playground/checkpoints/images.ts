/** Images to evaluate on, in the worker: built in, or files as they are published (IDX, CIFAR, with or without gzip). */
import {
  BUILT_IN_DATA,
  builtInImages,
  type CommandImages,
  customaryNormalisation,
  type ImageDataset,
  loadImageFiles,
  type Normalisation,
  OptionError,
  recogniseImageFiles,
} from 'rebasin';
import type { Kept, Session } from '../worker/session.ts';
import { fileKey, sha256 } from './networks.ts';
import type { DataSource, NamedFile } from './settings.ts';

export interface ImageChoice {
  readonly source: DataSource;
  /** Of `files`. */
  readonly files: readonly File[];
  /** Of each part; 0: all. */
  readonly limit: number;
}

type Parts = Readonly<Partial<Record<'train' | 'test', ImageDataset>>>;

const KEPT = 'images';

class Images implements Kept {
  parts: Parts;
  readonly key: string;

  constructor(key: string, parts: Parts) {
    this.key = key;
    this.parts = parts;
  }

  destroy(): void {
    this.parts = {};
  }
}

/**
 * The images, read once.
 * @returns what is there of training and test images; nothing for `none`.
 * @throws OptionError where the files are no data set that is known; FormatError, DataError or ShapeError naming a bad file.
 */
export async function openImages(session: Session, { source, files, limit }: ImageChoice): Promise<Parts> {
  if (source === 'none') {
    session.drop(KEPT);
    return {};
  }
  const key = JSON.stringify([source, limit, source === 'files' ? files.map(fileKey) : []]);
  const kept = session.kept(KEPT);
  if (kept instanceof Images && kept.key === key) return kept.parts;
  session.drop(KEPT);
  const most = limit === 0 ? {} : { limit };
  const parts =
    source === 'files' ? await readImages(files, most) : builtInImages(BUILT_IN_DATA[source]!, most.limit);
  session.keep(KEPT, new Images(key, parts));
  return parts;
}

async function readImages(files: readonly File[], limit: { readonly limit?: number }): Promise<Parts> {
  if (files.length === 0) {
    throw new OptionError('No image files are chosen: drop them, or choose another source of images.');
  }
  const byName = new Map(files.map((file) => [file.name, file]));
  const names = recogniseImageFiles([...byName.keys()], 'the chosen files');
  const read = async (name: string) => {
    const file = byName.get(name);
    if (file === undefined) {
      throw new OptionError(`${name} is missing: it belongs to the other files. Choose it as well.`);
    }
    return new Uint8Array(await file.arrayBuffer());
  };
  const load = (part: readonly string[]) =>
    part.length === 0 ? undefined : loadImageFiles(read, part, limit);
  const [train, test] = [await load(names.train), await load(names.test)];
  return { ...(train ? { train } : {}), ...(test ? { test } : {}) };
}

/**
 * Images with the normalisation that goes with them.
 * @param told what the reader says; else what the checkpoint says, else what is customary.
 */
export function commandImages(
  { train, test }: Parts,
  source: DataSource,
  told: Normalisation | undefined,
  ofCheckpoint: Normalisation | undefined,
): CommandImages {
  const usual =
    source === 'digits' || source === 'colours'
      ? BUILT_IN_DATA[source]!.normalisation
      : customaryNormalisation((train ?? test)?.channels ?? 1);
  return { train, test, statistics: train, normalisation: told ?? ofCheckpoint ?? usual };
}

/** Numbers separated by commas, both or neither. @throws OptionError */
export function toldNormalisation(mean: string, std: string): Normalisation | undefined {
  if (mean === '' && std === '') return undefined;
  const [means, deviations] = [mean, std].map((text) =>
    text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part))),
  );
  if ([...means!, ...deviations!].some((value) => !Number.isFinite(value))) {
    throw new OptionError(
      'Mean and deviation: expected numbers for both, separated by commas where there are several channels, or neither.',
    );
  }
  return { mean: means!, std: deviations! };
}

/** Name and hash of each file. */
export async function nameFiles(files: readonly File[]): Promise<NamedFile[]> {
  const named: NamedFile[] = [];
  for (const file of files) {
    named.push({ name: file.name, sha256: await sha256(new Uint8Array(await file.arrayBuffer())) });
  }
  return named;
}
