/** Files of a disk, for Node: the only file of this folder that knows of an operating system. */

import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OptionError } from '../base/errors.ts';
import { type ImageDataset, limitDataset } from './dataset.ts';
import { listNames, loadImageFiles, type ReadFile, recogniseImageFiles } from './image-files.ts';

/** Training, test and statistics images of one folder. */
export interface ImageFolder {
  /** Training images. */
  readonly train: ImageDataset;
  /** Test images. */
  readonly test: ImageDataset;
  /** Images on which activation statistics are taken; the training images (or the first of them) unless files were named. */
  readonly statistics: ImageDataset;
}

/** Options of `loadImageFolder`. */
export interface ImageFolderOptions {
  /** Names within the folder. Default: what `recogniseImageFiles` finds. */
  readonly trainFiles?: readonly string[];
  /** The same of the test images. */
  readonly testFiles?: readonly string[];
  /** Files of the images that statistics are estimated on. Default: the training images. */
  readonly statisticsFiles?: readonly string[];
  /** Keep the first so many images of each part, or of those parts that are given. Default: all. */
  readonly limit?: number | { readonly train?: number; readonly test?: number; readonly statistics?: number };
  /** Number of classes of IDX labels. Default 10. */
  readonly classes?: number;
}

/** Reads a whole file. @throws OptionError naming the path and the reason when it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new OptionError(
      `readBytes: ${path}: expected a file that can be read, got ${reason(cause)}. Check the path.`,
      { cause },
    );
  }
}

/**
 * Writes a whole file so that at every moment the path holds either the old content or the new: under a temporary name in
 * the same folder, flushed to the disk, then renamed.
 * @throws OptionError naming the path and the reason when it cannot be written; the temporary file is removed.
 */
export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}-${crypto.randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    // Where not even the folder is there, what `rm` says is no news.
    await rm(temporary, { force: true }).catch(() => {});
    throw new OptionError(
      `writeBytes: ${path}: expected a path that can be written, got ${reason(cause)}. Check folder, rights and free space.`,
      { cause },
    );
  }
}

/**
 * Checks, before any work, that a file can be written there: its folder is there and writable, and the path is no folder.
 * @throws OptionError naming the path.
 */
export async function expectWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    const entry = await stat(path).catch(() => undefined);
    if (entry?.isDirectory()) throw new Error('a folder of that name');
  } catch (cause) {
    throw new OptionError(
      `${path}: expected a path that can be written, got ${reason(cause)}. Choose another.`,
      { cause },
    );
  }
}

/** Makes a folder, and those above it, where they are missing. @throws OptionError naming the path. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (cause) {
    throw new OptionError(
      `${path}: expected a folder that can be written, got ${reason(cause)}. Choose another.`,
      { cause },
    );
  }
}

/** A reader of the files of a folder, for `loadImageFiles`. @throws OptionError listing the folder for a missing file. */
function folderReader(folder: string): ReadFile {
  return async (name) => {
    try {
      return await readFile(join(folder, name));
    } catch (cause) {
      throw new OptionError(
        `folderReader: ${folder}: expected a file ${JSON.stringify(name)} that can be read, got ${reason(cause)}. ` +
          `There are: ${listNames(await listFolder(folder))}.`,
        { cause },
      );
    }
  };
}

/**
 * Loads the images of a folder that holds MNIST (or a relative), CIFAR-10 or CIFAR-100.
 * @throws OptionError listing the folder when files are missing or not recognised; FormatError, DataError or ShapeError
 * naming the file for bad content.
 */
export async function loadImageFolder(
  folder: string,
  options: ImageFolderOptions = {},
): Promise<ImageFolder> {
  const { trainFiles, testFiles, statisticsFiles, limit, classes } = options;
  const read = folderReader(folder);
  const names = await listFolder(folder);
  const found = trainFiles && testFiles ? { train: [], test: [] } : recogniseImageFiles(names, folder);
  const partLimit = (part: 'train' | 'test' | 'statistics') =>
    typeof limit === 'number' ? limit : limit?.[part];
  const load = (part: 'train' | 'test' | 'statistics', files: readonly string[]) => {
    if (files.length === 0) {
      throw new OptionError(
        `loadImageFolder: ${folder}: expected ${part} images, got none by a known name. Name them with ${part}Files. ` +
          `There are: ${listNames(names)}.`,
      );
    }
    const kept = partLimit(part);
    return loadImageFiles(read, files, {
      ...(kept === undefined ? {} : { limit: kept }),
      ...(classes === undefined ? {} : { classes }),
    });
  };
  const train = await load('train', trainFiles ?? found.train);
  const test = await load('test', testFiles ?? found.test);
  const statistics =
    statisticsFiles !== undefined
      ? await load('statistics', statisticsFiles)
      : limitDataset(train, partLimit('statistics') ?? train.count);
  return { train, test, statistics };
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    throw new OptionError(
      `loadImageFolder: ${folder}: expected a folder that can be read, got ${reason(cause)}. Check the path, ` +
        'or download a data set: rebasin data mnist (fashion-mnist, cifar-10, cifar-100).',
      { cause },
    );
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
