/** Files as they were chosen. Name, size and time do not tell files apart: two runs write a `model.safetensors` each. */
import type { OwnFile } from '../story/own-files.ts';

export interface ChosenFile extends OwnFile {
  /** Of this very file, as long as the page is open; a copy in the worker no longer knows which file it is of. */
  readonly id: number;
}

const ids = new WeakMap<File, number>();
let last = 0;

export function chosenFile({ path, file }: OwnFile): ChosenFile {
  let id = ids.get(file);
  if (id === undefined) {
    id = ++last;
    ids.set(file, id);
  }
  return { path, file, id };
}
