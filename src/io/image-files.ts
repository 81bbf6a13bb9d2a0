/**
 * Data sets from files by name: IDX pairs (MNIST, Fashion-MNIST and other relatives), CIFAR-10 batches and the two files of CIFAR-100,
 * gzip-compressed or not. Where the bytes come from is the caller's affair: a folder (`node-files.ts`), `fetch`, files dropped on a page.
 */

import { OptionError } from '../base/errors.ts';
import { parseCifar10, parseCifar100 } from './cifar.ts';
import { concatDatasets, type ImageDataset, limitDataset, validateDataset } from './dataset.ts';
import { gunzip } from './gzip.ts';
import { parseIdx } from './idx.ts';

/** Gives the bytes of a file, or throws. */
export type ReadFile = (name: string) => Promise<Uint8Array>;

/** Options of `loadImageFiles`. */
export interface LoadImageOptions {
  /** Keep the first so many images. Files that are not needed for them are not read. Default: all. */
  readonly limit?: number;
  /** Number of classes of IDX labels, which the format does not state. Default 10; CIFAR-10 has 10, CIFAR-100 100. */
  readonly classes?: number;
}

/** The files of one data set, found among names. */
export interface ImageFileNames {
  /** Training files, in order. */
  readonly train: readonly string[];
  /** Test files, in order. */
  readonly test: readonly string[];
}

/** `train-images-idx3-ubyte.gz`, also spelled `train-images.idx3-ubyte`. */
const IDX_IMAGES = /images([-.])idx3-ubyte(\.gz)?$/i;
const IDX_LABELS = /labels([-.])idx1-ubyte(\.gz)?$/i;
/** CIFAR-100 where the whole name is `train.bin` or `test.bin`, otherwise CIFAR-10. */
const CIFAR_BATCH = /\.bin(\.gz)?$/i;
const CIFAR_100 = /^(train|test)\.bin(\.gz)?$/i;

/**
 * Loads images from files, in the order of the names. Of an IDX pair the images file is enough: the labels file is the one
 * named in the list or, if none is, the one whose name follows from it.
 * @throws OptionError for names of no known format; FormatError, DataError or ShapeError naming the file for bad content.
 */
export async function loadImageFiles(
  read: ReadFile,
  names: readonly string[],
  options: LoadImageOptions = {},
): Promise<ImageDataset> {
  const { limit, classes = 10 } = options;
  const unknown = names.find(
    (name) => ![IDX_IMAGES, IDX_LABELS, CIFAR_BATCH].some((kind) => kind.test(name)),
  );
  if (unknown !== undefined || names.length === 0) {
    throw new OptionError(
      `loadImageFiles: expected names that end in images-idx3-ubyte, labels-idx1-ubyte or .bin, with or without .gz, got ` +
        `${unknown === undefined ? 'none' : JSON.stringify(unknown)}.`,
    );
  }
  const images = names.filter((name) => !IDX_LABELS.test(name));
  const labels = names.filter((name) => IDX_LABELS.test(name));
  const partners = images.map((name) => (IDX_IMAGES.test(name) ? labelsName(name, labels) : undefined));
  const lone = labels.find((name) => !partners.includes(name));
  if (lone !== undefined) {
    throw new OptionError(
      `loadImageFiles: ${lone}: expected the images file that belongs to it among the names, got ${images.join(', ') || 'none'}. ` +
        'Name the images file; its labels file follows from it.',
    );
  }
  const parts: ImageDataset[] = [];
  let count = 0;
  for (const [i, name] of images.entries()) {
    if (limit !== undefined && count >= limit) break;
    const partner = partners[i];
    const part =
      partner === undefined ? await loadCifar(read, name) : await loadIdxPair(read, name, partner, classes);
    parts.push(part);
    count += part.count;
  }
  const all = concatDatasets(parts);
  return limit === undefined ? all : limitDataset(all, limit);
}

/**
 * Which files of a folder are training and test images, by the names that MNIST (`train-images-...`, `t10k-images-...` or
 * `test-images-...`), CIFAR-10 (`data_batch_1 .. 5`, `test_batch` or else `test_first_1000`) and CIFAR-100 (`train.bin`,
 * `test.bin`) use. Fashion-MNIST has the names of MNIST. Of a file that is there compressed and not, the uncompressed one is taken.
 * @throws OptionError listing the files when there is no such data set, or several.
 */
export function recogniseImageFiles(available: readonly string[], label = 'folder'): ImageFileNames {
  const found = (pattern: RegExp) => {
    const byStem = new Map<string, string>();
    for (const name of [...available].sort().reverse()) if (pattern.test(name)) byStem.set(stem(name), name);
    return Array.from(byStem.values()).sort();
  };
  const withLabels = (images: readonly string[]) =>
    images.flatMap((name) => [name, labelsName(name, available)]);
  const mnist: ImageFileNames = {
    train: withLabels(found(/^train-images[-.]idx3-ubyte(\.gz)?$/i).slice(0, 1)),
    test: withLabels(found(/^(t10k|test)-images[-.]idx3-ubyte(\.gz)?$/i).slice(0, 1)),
  };
  const whole = found(/^test_batch\.bin(\.gz)?$/i);
  const cifar: ImageFileNames = {
    train: found(/^data_batch_[1-5]\.bin(\.gz)?$/i),
    test: whole.length > 0 ? whole : found(/^test_first_1000\.bin(\.gz)?$/i),
  };
  const cifar100: ImageFileNames = {
    train: found(/^train\.bin(\.gz)?$/i),
    test: found(/^test\.bin(\.gz)?$/i),
  };
  const sets = [mnist, cifar, cifar100].filter(({ train, test }) => train.length + test.length > 0);
  if (sets.length !== 1) {
    throw new OptionError(
      `recogniseImageFiles: ${label}: expected the files of one data set, MNIST (train-images-idx3-ubyte, t10k-...), CIFAR-10 ` +
        `(data_batch_1.bin, test_batch.bin) or CIFAR-100 (train.bin, test.bin), with or without .gz, got ` +
        `${sets.length === 0 ? 'none' : `${sets.length} of them`}. Name the files to use. There are: ${listNames(available)}.`,
    );
  }
  return sets[0]!;
}

/** Names for a message, the first twenty. */
export function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'no files';
  const more = names.length > 20 ? `, and ${names.length - 20} more` : '';
  return names.slice(0, 20).join(', ') + more;
}

async function loadCifar(read: ReadFile, name: string): Promise<ImageDataset> {
  const bytes = await readInflated(read, name);
  return CIFAR_100.test(name) ? parseCifar100(bytes, stem(name)) : parseCifar10(bytes, stem(name));
}

async function loadIdxPair(
  read: ReadFile,
  imagesName: string,
  labelsFile: string,
  classes: number,
): Promise<ImageDataset> {
  const images = parseIdx(await readInflated(read, imagesName), 3, imagesName);
  const labels = parseIdx(await readInflated(read, labelsFile), 1, labelsFile);
  const [count, height, width] = images.shape as [number, number, number];
  const dataset: ImageDataset = {
    name: stem(imagesName),
    count,
    channels: 1,
    height,
    width,
    classes,
    images: images.data,
    labels: labels.data,
  };
  validateDataset(dataset);
  return dataset;
}

/** The labels file of an images file: one of `candidates`, compressed or not, else the name with the same ending. */
function labelsName(imagesName: string, candidates: readonly string[]): string {
  const derived = imagesName.replace(IDX_IMAGES, 'labels$1idx1-ubyte$2');
  const same = [derived, stem(derived), `${derived}.gz`].find((name) => candidates.includes(name));
  return same ?? derived;
}

async function readInflated(read: ReadFile, name: string): Promise<Uint8Array> {
  return gunzip(await read(name), name);
}

/** A file name without `.gz`. */
function stem(name: string): string {
  return name.replace(/\.gz$/i, '');
}
