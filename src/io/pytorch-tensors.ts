/**
 * What a PyTorch pickle may name, and how its tensors come to be: a tensor is a shape, strides and an offset into a storage, and the
 * storage is named by a persistent id, so that several tensors may share one. `readTensors` copies them out row by row.
 */

import { FormatError } from '../base/errors.ts';
import { ELEMENT_BYTES, type ElementType, readStrided, stridedEnd } from './elements.ts';
import { PickleGlobal, PickleTuple, type UnpickleOptions } from './pickle.ts';
import type { FileTensor } from './safetensors.ts';

/** A flat array of a checkpoint file. */
export class PytorchStorage {
  /** Names it within the file. */
  readonly key: string;
  readonly type: ElementType;
  /** Number of elements. */
  readonly count: number;
  /** Where this one starts within the array of that key: old files have storages that are parts of others. */
  readonly start: number;
  constructor(key: string, type: ElementType, count: number, start: number) {
    this.key = key;
    this.type = type;
    this.count = count;
    this.start = start;
  }
}

/** A tensor that is not read yet. Shape, strides and offset are known to lie within the storage. */
export class PytorchTensor {
  readonly storage: PytorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: PytorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const MAX_AXES = 64;
const MAX_DEVICE_CHARACTERS = 100;
/** Entries that all dicts made of pairs may have together. */
const MAX_PAIRS = 1_000_000;

/** Elements that may be copied out of any file; more where the file is large, since strides of 0 make much of little. */
const FREE_ELEMENTS = 16777216;
const ELEMENTS_PER_BYTE = 4;

const STORAGE_TYPES: Readonly<Record<string, ElementType>> = {
  ...{
    FloatStorage: 'F32',
    DoubleStorage: 'F64',
    HalfStorage: 'F16',
    BFloat16Storage: 'BF16',
    BoolStorage: 'BOOL',
  },
  ...{ LongStorage: 'I64', IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8', ByteStorage: 'U8' },
};

/** Constants that the hyperparameters of a training checkpoint may hold. */
const DTYPE_NAMES = [
  ...['float32', 'float', 'float64', 'double', 'float16', 'half', 'bfloat16', 'bool'],
  ...['int64', 'long', 'int32', 'int', 'int16', 'short', 'int8', 'uint8'],
];

/** As `UnpickleOptions`, with what a persistent id is known to be. */
export interface PytorchPickleOptions extends UnpickleOptions {
  readonly persistent: (id: unknown) => PytorchStorage;
}

/** What pickles of PyTorch may use. @param where Starts the message of an error: function and file. */
export function pytorchPickleOptions(where: string): PytorchPickleOptions {
  const storageTypes = new Map<PickleGlobal, ElementType>();
  const globals = new Map<string, PickleGlobal>();
  const add = (name: string, call?: (args: readonly unknown[]) => unknown): PickleGlobal => {
    const known = new PickleGlobal(name, call);
    globals.set(name, known);
    return known;
  };
  for (const [name, type] of Object.entries(STORAGE_TYPES)) {
    for (const module of ['torch', 'torch.cuda']) storageTypes.set(add(`${module}.${name}`), type);
  }
  for (const name of DTYPE_NAMES) add(`torch.${name}`);
  const rebuild = (args: readonly unknown[]) => rebuildTensor(args, where);
  add('torch._utils._rebuild_tensor', rebuild);
  add('torch._utils._rebuild_tensor_v2', rebuild);
  const parameter = ([tensor]: readonly unknown[]) => {
    if (!(tensor instanceof PytorchTensor)) throw unknownArguments(where, 'torch._utils._rebuild_parameter');
    return tensor;
  };
  add('torch._utils._rebuild_parameter', parameter);
  add('torch._utils._rebuild_parameter_with_state', parameter);
  add('torch.Size', ([sizes]) => {
    if (!(sizes instanceof PickleTuple)) throw unknownArguments(where, 'torch.Size');
    return sizes;
  });
  add('torch.device', (args) => {
    const short = (arg: unknown) =>
      isSize(arg) || (typeof arg === 'string' && arg.length < MAX_DEVICE_CHARACTERS);
    if (args.length > 2 || !args.every(short)) throw unknownArguments(where, 'torch.device');
    return args.join(':');
  });
  // A short pickle may make a container of the same long one over and over: none is copied, but for the pairs of Python 2, counted.
  let pairs = 0;
  add('collections.OrderedDict', ([items]) => {
    if (items === undefined) return new Map();
    pairs += Array.isArray(items) ? items.length : 0;
    if (!Array.isArray(items) || pairs > MAX_PAIRS) throw unknownArguments(where, 'collections.OrderedDict');
    return dictOfPairs(items, where);
  });
  add('collections.Counter', ([counts]) => {
    if (!(counts instanceof Map)) throw unknownArguments(where, 'collections.Counter');
    return counts;
  });
  for (const name of ['builtins.set', '__builtin__.set', 'builtins.frozenset', '__builtin__.frozenset']) {
    add(name, ([items]) => {
      if (!Array.isArray(items)) throw unknownArguments(where, name);
      return items;
    });
  }
  return { globals, persistent: (id) => storageOf(id, storageTypes, where) };
}

/**
 * Copies tensors out of their storages.
 * @param bytesOf Gives the bytes of a storage's whole array, or throws a FormatError.
 * @param fileBytes Length of the file, which bounds how much is made of it.
 * @throws FormatError naming the tensor.
 */
export function readTensors(
  tensors: ReadonlyMap<string, PytorchTensor>,
  bytesOf: (storage: PytorchStorage) => { readonly bytes: Uint8Array; readonly bigEndian: boolean },
  fileBytes: number,
  where: string,
): Map<string, FileTensor> {
  const most = Math.max(FREE_ELEMENTS, ELEMENTS_PER_BYTE * fileBytes);
  const read = new Map<string, FileTensor>();
  let elements = 0;
  for (const [name, { storage, shape, strides, offset }] of tensors) {
    const whereTensor = `${where}: tensor ${JSON.stringify(name)}`;
    elements += shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
    if (elements > most) {
      throw new FormatError(
        `${whereTensor}: expected at most ${most} elements from a file of ${fileBytes} bytes, got ${elements} with shape [${shape}]. ` +
          'Save the tensors without expanded views.',
      );
    }
    const { bytes, bigEndian } = bytesOf(storage);
    const end = (storage.start + storage.count) * ELEMENT_BYTES[storage.type];
    if (bytes.length < end) {
      throw new FormatError(
        `${whereTensor}: expected a storage of ${end} bytes, got ${bytes.length}. The file is damaged; save it anew.`,
      );
    }
    const array = { bytes, bigEndian, type: storage.type, shape, strides, offset: storage.start + offset };
    read.set(name, readStrided(array, whereTensor));
  }
  return read;
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)`: what follows the strides changes no value. */
function rebuildTensor(args: readonly unknown[], where: string): PytorchTensor {
  const [storage, offset, size, stride] = args;
  const shape = sizesOf(size);
  const strides = sizesOf(stride);
  if (
    !(storage instanceof PytorchStorage) ||
    !isSize(offset) ||
    !shape ||
    !strides ||
    shape.length !== strides.length
  ) {
    throw unknownArguments(where, 'torch._utils._rebuild_tensor_v2');
  }
  const end = stridedEnd({ shape, strides, offset });
  if (!(end <= storage.count)) {
    throw new FormatError(
      `${where}: expected a tensor within its storage ${JSON.stringify(storage.key)} of ${storage.count} elements, got shape ` +
        `[${shape}], strides [${strides}] from ${offset}. The file is damaged; save it anew.`,
    );
  }
  return new PytorchTensor(storage, offset, shape, strides);
}

/** `('storage', type, key, location, count)`, in the stream format also `None` or `(key of the part, start, count)`. */
function storageOf(
  id: unknown,
  types: ReadonlyMap<PickleGlobal, ElementType>,
  where: string,
): PytorchStorage {
  const [kind, global, key, , count, part] = id instanceof PickleTuple ? id.items : [];
  const type = global instanceof PickleGlobal ? types.get(global) : undefined;
  const fail = () =>
    new FormatError(
      `${where}: pickle: expected the persistent id of a storage (type, key, location, number of elements), got another. ` +
        'Save only the state dict: torch.save(model.state_dict(), path).',
    );
  if (kind !== 'storage' || !type || typeof key !== 'string' || !isSize(count)) throw fail();
  if (part === undefined || part === null) return new PytorchStorage(key, type, count, 0);
  const [, start, partCount] = part instanceof PickleTuple ? part.items : [];
  if (!isSize(start) || !isSize(partCount) || start + partCount > count) throw fail();
  return new PytorchStorage(key, type, partCount, start);
}

/** `OrderedDict([[key, value], ...])`, as Python 2 wrote it. */
function dictOfPairs(pairs: readonly unknown[], where: string): Map<unknown, unknown> {
  return new Map(
    pairs.map((pair): [unknown, unknown] => {
      const members: unknown = pair instanceof PickleTuple ? pair.items : pair;
      if (!Array.isArray(members) || members.length !== 2) {
        throw unknownArguments(where, 'collections.OrderedDict');
      }
      return [members[0], members[1]];
    }),
  );
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function sizesOf(value: unknown): readonly number[] | undefined {
  if (!(value instanceof PickleTuple) || value.items.length > MAX_AXES) return undefined;
  return value.items.every(isSize) ? (value.items as readonly number[]) : undefined;
}

function unknownArguments(where: string, name: string): FormatError {
  return new FormatError(
    `${where}: pickle: expected the arguments that PyTorch gives to ${name}, got others. The file is damaged; save it anew.`,
  );
}
