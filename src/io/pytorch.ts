/**
 * Checkpoints of PyTorch, in the two formats of `torch.save`: since 1.6 a zip archive (`name/data.pkl` and one file a storage), before
 * that a stream of pickles followed by the storages. `pickle.ts` says why reading one runs nothing.
 */

import { FormatError } from '../base/errors.ts';
import { ELEMENT_BYTES } from './elements.ts';
import { unpickle } from './pickle.ts';
import { findStateDict } from './pytorch-state-dict.ts';
import { type PytorchStorage, pytorchPickleOptions, readTensors } from './pytorch-tensors.ts';
import type { FileTensor } from './safetensors.ts';

/** The state dict of a checkpoint. */
export interface PytorchFile {
  /** Tensors by name, in the order of the state dict. */
  readonly tensors: Map<string, FileTensor>;
  /** Numbers and texts beside the state dict of a training checkpoint, such as `epoch`. */
  readonly metadata: Map<string, string>;
  /** What was done besides reading, one sentence each. */
  readonly notes: string[];
}

/** The first pickle of the stream format holds this number, as ten bytes: PROTO 2, LONG1 10, the number, STOP. */
const LEGACY_MAGIC = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
const LEGACY_PROTOCOL = 1001;
const PICKLE_FILE = 'data.pkl';

/** Whether the unpacked files of an archive are those of `torch.save`. */
export function isPytorchArchive(files: ReadonlyMap<string, Uint8Array>): boolean {
  return [...files.keys()].some((name) => name === PICKLE_FILE || name.endsWith(`/${PICKLE_FILE}`));
}

/** Whether bytes start as the stream format does. */
export function isPytorchStream(bytes: Uint8Array): boolean {
  return LEGACY_MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads the state dict from the unpacked files of an archive.
 * @param label What messages call the checkpoint.
 * @throws FormatError for a damaged file, and by name for everything in it that is no tensor, container, number or text.
 */
export function parsePytorchArchive(
  files: ReadonlyMap<string, Uint8Array>,
  label = 'PyTorch checkpoint',
): PytorchFile {
  const where = `parsePytorchArchive: ${label}`;
  const pickles = [...files.keys()].filter(
    (name) => name === PICKLE_FILE || name.endsWith(`/${PICKLE_FILE}`),
  );
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw new FormatError(
      `${where}: expected one ${PICKLE_FILE}, got ${pickles.length}. Save the state dict anew.`,
    );
  }
  const folder = pickle.slice(0, -PICKLE_FILE.length);
  if (files.has(`${folder}constants.pkl`)) {
    throw new FormatError(
      `${where}: expected a state dict, got a TorchScript program. Load it in PyTorch and save its state_dict().`,
    );
  }
  const { value, end } = unpickle(files.get(pickle)!, 0, where, pytorchPickleOptions(where));
  if (end !== files.get(pickle)!.length) {
    throw new FormatError(
      `${where}: expected one pickle in ${pickle}, got bytes after it. Save the state dict anew.`,
    );
  }
  const order = byteOrder(files.get(`${folder}byteorder`), where);
  const bytesOf = ({ key, type, count, start }: PytorchStorage) => {
    const bytes = files.get(`${folder}data/${key}`);
    if (!bytes || (start === 0 && bytes.length !== count * ELEMENT_BYTES[type])) {
      throw new FormatError(
        `${where}: expected ${count * ELEMENT_BYTES[type]} bytes in ${folder}data/${key}, got ` +
          `${bytes ? bytes.length : 'no such file'}. The archive is damaged; save it anew.`,
      );
    }
    return { bytes, bigEndian: order === 'big' };
  };
  const { entries, metadata, notes } = findStateDict(value, where);
  let fileBytes = 0;
  for (const { length } of files.values()) fileBytes += length;
  return { tensors: readTensors(entries, bytesOf, fileBytes, where), metadata, notes };
}

/**
 * Reads the state dict from a file of the stream format.
 * @param label What messages call the checkpoint.
 * @throws FormatError for a damaged file, and by name for everything in it that is no tensor, container, number or text.
 */
export function parsePytorchStream(bytes: Uint8Array, label = 'PyTorch checkpoint'): PytorchFile {
  const where = `parsePytorchStream: ${label}`;
  if (!isPytorchStream(bytes)) {
    throw new FormatError(
      `${where}: expected the first bytes of torch.save, got others. Name a .pt or .pth file.`,
    );
  }
  const plain = { globals: new Map() };
  const storages = new Map<string, PytorchStorage>();
  const options = pytorchPickleOptions(where);
  const keepStorage = (id: unknown) => {
    const storage = options.persistent(id);
    const other = storages.get(storage.key);
    if (other && other.type !== storage.type) {
      throw new FormatError(
        `${where}: storage ${JSON.stringify(storage.key)}: expected one element type, got ${other.type} and ${storage.type}. Save it anew.`,
      );
    }
    storages.set(storage.key, storage);
    return storage;
  };
  // After the magic number: version of the format, sizes of C types on the writer's machine, the object, the keys of the storages.
  const protocol = unpickle(bytes, LEGACY_MAGIC.length, where, plain);
  if (protocol.value !== LEGACY_PROTOCOL) {
    throw new FormatError(`${where}: expected version ${LEGACY_PROTOCOL}, got another. Save it anew.`);
  }
  const system = unpickle(bytes, protocol.end, where, plain);
  const main = unpickle(bytes, system.end, where, { ...options, persistent: keepStorage });
  const keys = unpickle(bytes, main.end, where, plain);
  const contents = splitStorages(bytes, keys.end, keys.value, storages, where);
  const { entries, metadata, notes } = findStateDict(main.value, where);
  const bytesOf = ({ key }: PytorchStorage) => {
    const content = contents.get(key);
    if (!content) {
      throw new FormatError(
        `${where}: expected a storage ${JSON.stringify(key)}, got none. The file is damaged; save it anew.`,
      );
    }
    return { bytes: content, bigEndian: false };
  };
  return { tensors: readTensors(entries, bytesOf, bytes.length, where), metadata, notes };
}

/** The storages at the end of a stream: for each key the number of elements in 8 bytes and the elements, little-endian on every machine. */
function splitStorages(
  bytes: Uint8Array,
  start: number,
  keys: unknown,
  storages: ReadonlyMap<string, PytorchStorage>,
  where: string,
): Map<string, Uint8Array> {
  if (!Array.isArray(keys)) {
    throw new FormatError(
      `${where}: expected a list of storages after the object, got another value. Save it anew.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const contents = new Map<string, Uint8Array>();
  let at = start;
  for (const key of keys as unknown[]) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || contents.has(storage.key)) {
      throw new FormatError(
        `${where}: expected each storage of the object once, got another or one twice. Save it anew.`,
      );
    }
    const count = at + 8 <= bytes.length ? view.getBigUint64(at, true) : -1n;
    const length = count * BigInt(ELEMENT_BYTES[storage.type]);
    if (count < 0n || length > BigInt(bytes.length - at - 8)) {
      throw new FormatError(
        `${where}: storage ${JSON.stringify(key)}: expected its number of elements and the elements, got ${bytes.length - at} bytes. ` +
          'The file is cut short.',
      );
    }
    contents.set(storage.key, bytes.subarray(at + 8, at + 8 + Number(length)));
    at += 8 + Number(length);
  }
  if (at !== bytes.length) {
    throw new FormatError(
      `${where}: expected ${at} bytes, got ${bytes.length}. Bytes follow the last storage.`,
    );
  }
  return contents;
}

/** PyTorch 2.1 and later write `little` or `big`. */
function byteOrder(bytes: Uint8Array | undefined, where: string): 'little' | 'big' {
  const text = bytes ? new TextDecoder().decode(bytes) : 'little';
  if (text !== 'little' && text !== 'big') {
    throw new FormatError(
      `${where}: expected the byte order "little" or "big", got ${JSON.stringify(text)}. Save it anew.`,
    );
  }
  return text;
}
