/** A folder of results, which several processes and machines may share. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OptionError } from '../base/errors.ts';
import { makeFolder, writeBytes } from '../io/node-files.ts';
import type { ResultStore } from './result-store.ts';

/** @throws OptionError when the folder cannot be made or written. */
export async function openResultFolder(folder: string): Promise<ResultStore> {
  await makeFolder(folder);
  return {
    async read(name) {
      try {
        return await readFile(join(folder, name));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new OptionError(`${join(folder, name)}: expected a file that can be read; check its rights`, {
          cause,
        });
      }
    },
    write: (name, bytes) => writeBytes(join(folder, name), bytes),
  };
}
