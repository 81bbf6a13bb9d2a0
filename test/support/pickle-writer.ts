/** Assembles pickles and PyTorch checkpoints for tests, operation by operation. */
import { joinBytes, record, writeZip, type ZipOptions } from './zip-writer.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

/** One function an operation; each gives its bytes. */
export const op = {
  global: (module: string, name: string) => ascii(`c${module}\n${name}\n`),
  text: (text: string) => joinBytes([record([0x58, 1], [ascii(text).length, 4]), ascii(text)]),
  int: (value: number) => record([0x4a, 1], [value < 0 ? value + 2 ** 32 : value, 4]),
  put: (index: number) => record([0x71, 1], [index, 1]),
  get: (index: number) => record([0x68, 1], [index, 1]),
  none: ascii('N'),
  no: Uint8Array.of(0x89),
  mark: ascii('('),
  tuple: ascii('t'),
  emptyTuple: ascii(')'),
  emptyList: ascii(']'),
  emptyDict: ascii('}'),
  append: ascii('a'),
  appends: ascii('e'),
  setItem: ascii('s'),
  setItems: ascii('u'),
  reduce: ascii('R'),
  build: ascii('b'),
  persistent: ascii('Q'),
};

export function pickle(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes([Uint8Array.of(0x80, 2), ...parts, ascii('.')]);
}

export const tuple = (...items: readonly Uint8Array[]) => joinBytes([op.mark, ...items, op.tuple]);
export const list = (...items: readonly Uint8Array[]) =>
  joinBytes([op.emptyList, op.mark, ...items, op.appends]);
export const call = (module: string, name: string, ...args: readonly Uint8Array[]) =>
  joinBytes([op.global(module, name), tuple(...args), op.reduce]);
export const dict = (...entries: readonly (readonly [string, Uint8Array])[]) =>
  joinBytes([
    op.emptyDict,
    op.mark,
    ...entries.flatMap(([key, value]) => [op.text(key), value]),
    op.setItems,
  ]);

export interface TestTensor {
  readonly key?: string;
  readonly storage?: string;
  /** Elements of the storage. */
  readonly count: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** The sixth member of the persistent id, in the stream format. */
  readonly part?: Uint8Array;
}

export function tensor({
  key = '0',
  storage = 'FloatStorage',
  count,
  offset = 0,
  shape,
  strides,
  part,
}: TestTensor): Uint8Array {
  const id = tuple(
    ...[op.text('storage'), op.global('torch', storage), op.text(key), op.text('cpu'), op.int(count)],
    ...(part ? [part] : []),
  );
  return call(
    'torch._utils',
    '_rebuild_tensor_v2',
    ...[
      joinBytes([id, op.persistent]),
      op.int(offset),
      tuple(...shape.map(op.int)),
      tuple(...strides.map(op.int)),
    ],
    ...[op.no, call('collections', 'OrderedDict')],
  );
}

/** The zip format: a pickle and the bytes of each storage. */
export function archive(
  main: Uint8Array,
  storages: Record<string, Uint8Array>,
  options: ZipOptions = {},
  more: [string, Uint8Array][] = [],
): Uint8Array {
  return writeZip(
    [
      ['a/data.pkl', main],
      ...Object.entries(storages).map(([key, bytes]): [string, Uint8Array] => [`a/data/${key}`, bytes]),
      ['a/version', ascii('3\n')],
      ...more,
    ],
    { descriptors: true, ...options },
  );
}

/** The stream format: `elements` is the width of an element of each storage. */
export function stream(
  main: Uint8Array,
  storages: readonly (readonly [key: string, bytes: Uint8Array, elementBytes: number])[],
): Uint8Array {
  return joinBytes([
    Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e),
    pickle(op.int(1001)),
    pickle(dict(['protocol_version', op.int(1001)])),
    main,
    pickle(list(...storages.map(([key]) => op.text(key)))),
    ...storages.flatMap(([, bytes, width]) => [record([bytes.length / width, 8]), bytes]),
  ]);
}

/** The bytes of float32 numbers. */
export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
