/**
 * The one door for checkpoints: safetensors, npz and both formats of PyTorch, told apart by their first bytes and never by the name
 * of the file. Whatever the format, tensors come back as `safetensors.ts` gives them, with notes of what was done to get there.
 */

import { FormatError } from '../base/errors.ts';
import { isNpy } from './npy.ts';
import { isNpz, parseNpz } from './npz.ts';
import { isPytorchArchive, isPytorchStream, parsePytorchArchive, parsePytorchStream } from './pytorch.ts';
import { type FileTensor, parseSafetensors } from './safetensors.ts';
import { isZip, readZip } from './zip.ts';

/** What a checkpoint file turned out to be. `pytorch` is the zip archive, `pytorch-stream` what PyTorch wrote before 1.6. */
export type CheckpointFormat = 'safetensors' | 'npz' | 'pytorch' | 'pytorch-stream';

/** The content of a checkpoint file. */
export interface CheckpointFile {
  /** What the bytes were. */
  readonly format: CheckpointFormat;
  /** Tensors by name; names are without the prefix `module.` that data-parallel training puts before them. */
  readonly tensors: Map<string, FileTensor>;
  /** Texts that the file says about itself; numbers beside a PyTorch state dict as texts. */
  readonly metadata: Map<string, string>;
  /** What was done besides reading, one sentence each: for people, in no fixed wording. */
  readonly notes: readonly string[];
}

const PREFIX = 'module.';

/**
 * Reads a checkpoint of any known format.
 * @param label What messages call the file, its name as a rule.
 * @throws FormatError naming the file and what in it is wrong, not supported or, in a pickle, refused.
 */
export async function readCheckpointFile(bytes: Uint8Array, label = 'checkpoint'): Promise<CheckpointFile> {
  const { format, tensors, metadata, notes } = await parse(bytes, label);
  const [rounded, prefixed] = [
    [...tensors.values()].filter(({ dtype }) => dtype === 'F64').length,
    [...tensors.keys()].filter((name) => name.startsWith(PREFIX)).length,
  ];
  const all = [...notes];
  if (rounded > 0) all.push(`rounded float64 to float32: ${rounded} of ${tensors.size} tensors`);
  if (prefixed > 0) all.push(`removed the prefix "${PREFIX}" from ${prefixed} of ${tensors.size} names`);
  return { format, tensors: prefixed > 0 ? withoutPrefix(tensors, label) : tensors, metadata, notes: all };
}

async function parse(bytes: Uint8Array, label: string): Promise<CheckpointFile> {
  if (isZip(bytes)) {
    const files = await readZip(bytes, label);
    if (isPytorchArchive(files)) return { format: 'pytorch', ...parsePytorchArchive(files, label) };
    if (isNpz(files)) return { format: 'npz', ...parseNpz(files, label), metadata: new Map() };
    const names = [...files.keys()].slice(0, 5).map((name) => JSON.stringify(name));
    throw unknown(label, `a zip archive of ${names.join(', ') || 'no files'}`);
  }
  if (isPytorchStream(bytes)) return { format: 'pytorch-stream', ...parsePytorchStream(bytes, label) };
  // A safetensors file has no magic number: after 8 bytes of length comes the brace of its header.
  if (bytes[8] === 0x7b) return { format: 'safetensors', ...parseSafetensors(bytes, label), notes: [] };
  if (isNpy(bytes)) throw unknown(label, 'a single array without a name (npy): save it with numpy.savez');
  if (bytes[0] === 0x80) throw unknown(label, 'a pickle that torch.save did not write');
  throw unknown(
    label,
    `${bytes.length} bytes that start ${Array.from(bytes.subarray(0, 8)).join(' ') || 'nowhere'}`,
  );
}

function unknown(label: string, got: string): FormatError {
  return new FormatError(
    `readCheckpointFile: ${label}: expected a safetensors file, a PyTorch checkpoint (.pt, .pth) or an .npz archive, got ${got}. ` +
      'Convert it to one of these.',
  );
}

function withoutPrefix(tensors: ReadonlyMap<string, FileTensor>, label: string): Map<string, FileTensor> {
  const renamed = new Map<string, FileTensor>();
  for (const [name, tensor] of tensors) {
    const short = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
    if (renamed.has(short)) {
      throw new FormatError(
        `readCheckpointFile: ${label}: expected names that differ by more than the prefix "${PREFIX}", got ${JSON.stringify(short)} ` +
          'with and without it. Rename one.',
      );
    }
    renamed.set(short, tensor);
  }
  return renamed;
}
