/** Images to evaluate on, in the worker: built in, files as they are published (IDX, CIFAR, with or without gzip), or pictures. */
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
import { isPicture } from '../story/own-files.ts';
import { readPictures } from '../story/own-pictures.ts';
import type { Kept, Session } from '../worker/session.ts';
import type { ChosenFile } from './chosen-file.ts';
import { sha256 } from './networks.ts';
import type { DataSource, NamedFile } from './settings.ts';

export interface ImageChoice {
  readonly source: DataSource;
  /** Of `files`. */
  readonly files: readonly ChosenFile[];
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
 * @param signal aborted where others were chosen meanwhile: these are not kept then.
 * @throws OptionError where the files are no data set that is known; FormatError, DataError or ShapeError naming a bad file.
 */
export async function openImages(
  session: Session,
  { source, files, limit }: ImageChoice,
  signal: AbortSignal,
): Promise<Parts> {
  if (source === 'none') {
    session.drop(KEPT);
    return {};
  }
  const key = JSON.stringify([source, limit, source === 'files' ? imageIds(files) : []]);
  const kept = session.kept(KEPT);
  if (kept instanceof Images && kept.key === key) return kept.parts;
  session.drop(KEPT);
  const most = limit === 0 ? {} : { limit };
  const parts =
    source === 'files' ? await readImages(files, most) : builtInImages(BUILT_IN_DATA[source]!, most.limit);
  signal.throwIfAborted(); // others may have been chosen, and read, meanwhile
  session.keep(KEPT, new Images(key, parts));
  return parts;
}

/** What tells image files from others, without reading them. */
export function imageIds(files: readonly ChosenFile[]): number[] {
  return files.map(({ id }) => id);
}

async function readImages(files: readonly ChosenFile[], limit: { readonly limit?: number }): Promise<Parts> {
  if (files.length === 0) {
    throw new OptionError('No image files are chosen: drop them, or choose another source of images.');
  }
  const pictures = files.filter(isPicture);
  if (pictures.length > 0) {
    const most = limit.limit ?? pictures.length;
    return readPictures(pictures, { trainCount: most, testCount: most });
  }
  const byName = new Map(files.map(({ file }) => [file.name, file]));
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

/** Name and hash of each file; of pictures none, of which there may be thousands. */
export async function nameFiles(files: readonly ChosenFile[]): Promise<NamedFile[]> {
  const named: NamedFile[] = [];
  for (const { file } of files.filter((each) => !isPicture(each))) {
    named.push({ name: file.name, sha256: await sha256(new Uint8Array(await file.arrayBuffer())) });
  }
  return named;
}
