/** Images of studies that are not built in: folders below `--data`, with the names of the data sets. */
import { join } from 'node:path';
import { OptionError } from '../base/errors.ts';
import type { ImageSource } from '../studies/workbench.ts';
import { loadData } from './data.ts';

export function imageSource(folder: string | undefined): ImageSource {
  return async (name) => {
    if (folder === undefined) {
      throw new OptionError(
        `study: this size needs ${name}: give --data FOLDER, with the files in FOLDER/${name} (rebasin data ${name} --out FOLDER/${name} fetches them)`,
      );
    }
    return await loadData({ data: join(folder, name) });
  };
}
