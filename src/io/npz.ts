/** The npz format of NumPy: a zip archive of npy files, `name.npy` for the array `name`, stored or deflated. */

import { FormatError } from '../base/errors.ts';
import { parseNpy } from './npy.ts';
import type { FileTensor } from './safetensors.ts';

/** The content of an npz file. */
export interface NpzFile {
  /** Tensors by name, in the order of the archive. */
  readonly tensors: Map<string, FileTensor>;
  /** What was done besides reading, one sentence each. */
  readonly notes: string[];
}

const SUFFIX = '.npy';

/** Whether all files of an archive are arrays. */
export function isNpz(files: ReadonlyMap<string, Uint8Array>): boolean {
  return files.size > 0 && [...files.keys()].every((name) => name.endsWith(SUFFIX));
}

/**
 * Parses the unpacked files of an archive.
 * @param label What messages call the archive.
 * @throws FormatError naming archive and array, when a file is no npy file or of an element type that is not read.
 */
export function parseNpz(files: ReadonlyMap<string, Uint8Array>, label = 'npz file'): NpzFile {
  const tensors = new Map<string, FileTensor>();
  const notes: string[] = [];
  for (const [file, bytes] of files) {
    if (!file.endsWith(SUFFIX)) {
      throw new FormatError(
        `parseNpz: ${label}: expected files that end in ${SUFFIX}, got ${JSON.stringify(file)}. Save the arrays with numpy.savez.`,
      );
    }
    const name = file.slice(0, -SUFFIX.length);
    const { tensor, descr } = parseNpy(bytes, `${label}: ${JSON.stringify(name)}`);
    tensors.set(name, tensor);
    const widened = /[iu]2$|u[48]$/.exec(descr);
    if (widened) notes.push(`${name}: ${descr} widened to ${tensor.dtype === 'I32' ? 'int32' : 'int64'}`);
  }
  return { tensors, notes };
}
