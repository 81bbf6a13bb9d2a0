/** Small texts kept in the user's cache folder between runs: `$XDG_CACHE_HOME/rebasin`, else `~/.cache/rebasin`. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TextCache } from '../platform.ts';

const folder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'rebasin');

export const cacheFolder: TextCache = {
  async read(name) {
    try {
      return await readFile(join(folder(), name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },

  /** Under a temporary name in the same folder, then renamed: whoever reads sees all of it or what was there before. */
  async write(name, text) {
    await mkdir(folder(), { recursive: true });
    const path = join(folder(), name);
    const temporary = `${path}.${process.pid}-${crypto.randomUUID()}.tmp`;
    try {
      await writeFile(temporary, text, { flag: 'wx' });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  },
};
