/** Fetches a public data set into a folder, for Node: downloads its files and unpacks archives. */

import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-fs';
import { FormatError } from '../base/errors.ts';
import { type DownloadOptions, download } from './node-download.ts';
import type { PublicDataset, PublicFile } from './public-datasets.ts';

/** Options of `fetchDataset`. */
export interface FetchDatasetOptions extends Omit<DownloadOptions, 'onProgress'> {
  /** Address of another server that holds the files under the same names. Default: where they are published. */
  readonly mirror?: string;
  /** Called with the number of bytes of a file that are there. */
  readonly onProgress?: (file: PublicFile, received: number) => void;
}

/** What came of fetching. */
export interface FetchedDataset {
  /** All files of the data set in the folder, in the order of its description. */
  readonly files: readonly string[];
  /** How many of the published files had to be downloaded: 0 when all was there. */
  readonly downloaded: number;
}

/**
 * Fetches what is missing of a data set. Files have the published checksums; of an archive only the members of the description are
 * unpacked, each whole or not at all, and the archive is removed.
 * @throws DownloadError when a file cannot be fetched; FormatError when an archive does not hold what it should.
 */
export async function fetchDataset(
  dataset: PublicDataset,
  folder: string,
  options: FetchDatasetOptions = {},
): Promise<FetchedDataset> {
  const { mirror, onProgress, ...rest } = options;
  const base = mirror === undefined ? dataset.source : mirror.endsWith('/') ? mirror : `${mirror}/`;
  const files: string[] = [];
  let downloaded = 0;
  for (const file of dataset.files) {
    const { name, bytes, md5, members } = file;
    files.push(...(members ?? [file]).map((member) => member.name));
    if (members && (await allThere(folder, members))) continue;
    const path = join(folder, name);
    const fetched = await download(
      { url: base + name, path, bytes, md5 },
      { ...rest, ...(onProgress ? { onProgress: (received: number) => onProgress(file, received) } : {}) },
    );
    if (fetched) downloaded++;
    if (members) await unpack(path, folder, members);
  }
  return { files, downloaded };
}

type Members = NonNullable<PublicFile['members']>;

/** Members were checked as parts of the archive when they were unpacked; their lengths tell that nothing was cut since. */
async function allThere(folder: string, members: Members): Promise<boolean> {
  for (const { name, bytes } of members) {
    const there = await stat(join(folder, name)).then(
      ({ size }) => size === bytes,
      () => false,
    );
    if (!there) return false;
  }
  return true;
}

async function unpack(archive: string, folder: string, members: Members): Promise<void> {
  const temporary = `${archive}.unpacked`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  try {
    const wanted = new Map(members.map(({ name, bytes }) => [name, bytes]));
    // Who made the archive owns nothing here; run by root, files would become theirs.
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const target = extract(temporary, {
      // Links and folders are of no use here, and no path of the archive is followed.
      ignore: (_, header) => header?.type !== 'file' || wanted.get(basename(header.name)) !== header.size,
      map: (header) => ({ ...header, ...owner, name: basename(header.name) }),
    });
    await pipeline(createReadStream(archive), createGunzip(), target);
    if (!(await allThere(temporary, members))) {
      const names = members.map(({ name, bytes }) => `${name} (${bytes} bytes)`);
      throw new FormatError(
        `fetchDataset: ${archive}: expected ${names.join(', ')}, got others. Remove it and fetch it anew.`,
      );
    }
    for (const { name } of members) await rename(join(temporary, name), join(folder, name));
    await rm(archive);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
