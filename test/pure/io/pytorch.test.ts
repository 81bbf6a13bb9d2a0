import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { readCheckpointFile } from '../../../src/io/checkpoint.ts';
import { parsePytorchStream } from '../../../src/io/pytorch.ts';
import {
  archive,
  call,
  dict,
  floats,
  list,
  op,
  pickle,
  stream,
  type TestTensor,
  tensor,
  tuple,
} from '../../support/pickle-writer.ts';
import { joinBytes, record } from '../../support/zip-writer.ts';

const six = floats(0, 1, 2, 3, 4, 5);
const whole: TestTensor = { count: 6, shape: [2, 3], strides: [3, 1] };
const state = (...entries: [string, TestTensor][]) =>
  pickle(dict(...entries.map(([name, t]): [string, Uint8Array] => [name, tensor(t)])));
const read = (main: Uint8Array, storages: Record<string, Uint8Array> = { 0: six }) =>
  readCheckpointFile(archive(main, storages), 'x.pt');
const values = async (file: ReturnType<typeof read>, name: string) =>
  Array.from((await file).tensors.get(name)!.data as Float32Array);

describe('PyTorch checkpoints', () => {
  test('a tensor is a view of a storage: shared, transposed, sliced, expanded, of any strides', async () => {
    const file = read(
      state(
        ['whole', whole],
        ['transposed', { count: 6, shape: [3, 2], strides: [1, 3] }],
        ['column', { count: 6, offset: 1, shape: [2], strides: [3] }],
        ['expanded', { count: 6, offset: 4, shape: [2, 2], strides: [0, 1] }],
        ['last', { count: 6, offset: 5, shape: [], strides: [] }],
        ['none', { count: 6, offset: 6, shape: [0, 3], strides: [3, 1] }],
        ['diagonal', { count: 6, shape: [2], strides: [4] }],
      ),
    );
    expect(await values(file, 'whole')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await values(file, 'transposed')).toEqual([0, 3, 1, 4, 2, 5]);
    expect(await values(file, 'column')).toEqual([1, 4]);
    expect(await values(file, 'expanded')).toEqual([4, 5, 4, 5]);
    expect(await values(file, 'last')).toEqual([5]);
    expect(await values(file, 'none')).toEqual([]);
    expect(await values(file, 'diagonal')).toEqual([0, 4]);
    expect((await file).tensors.get('none')!.shape).toEqual([0, 3]);
  });

  test('the stream format gives the same, also for storages that are parts of others', async () => {
    const part = tuple(op.text('part'), op.int(2), op.int(3));
    const main = state(
      ['whole', whole],
      ['part', { count: 6, shape: [3], strides: [1], part }],
      ['more', { key: '1', count: 1, shape: [1], strides: [1] }],
    );
    const file = readCheckpointFile(
      stream(main, [
        ['0', six, 4],
        ['1', floats(7), 4],
      ]),
      'x.pth',
    );
    expect((await file).format).toBe('pytorch-stream');
    expect(await values(file, 'whole')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await values(file, 'part')).toEqual([2, 3, 4]);
    expect(await values(file, 'more')).toEqual([7]);
  });

  test('reads a big-endian archive', async () => {
    const big = six.slice();
    for (let at = 0; at < big.length; at += 4) big.subarray(at, at + 4).reverse();
    const order: [string, Uint8Array][] = [['a/byteorder', new TextEncoder().encode('big')]];
    const file = readCheckpointFile(archive(state(['w', whole]), { 0: big }, {}, order));
    expect(await values(file, 'w')).toEqual([0, 1, 2, 3, 4, 5]);
    order[0]![1] = new TextEncoder().encode('middle');
    await expect(readCheckpointFile(archive(state(['w', whole]), { 0: big }, {}, order))).rejects.toThrow(
      /got "middle"/,
    );
  });

  test('integers keep their values: 16 bits become 32, booleans bytes', async () => {
    const of = (storage: string, count: number): TestTensor => ({
      storage,
      key: storage,
      count,
      shape: [count],
      strides: [1],
    });
    const file = await read(
      state(
        ['long', of('LongStorage', 1)],
        ['short', of('ShortStorage', 2)],
        ['bool', of('BoolStorage', 2)],
        ['byte', of('ByteStorage', 1)],
      ),
      {
        LongStorage: new Uint8Array(BigInt64Array.of(-(2n ** 62n)).buffer),
        ShortStorage: new Uint8Array(Int16Array.of(-3, 300).buffer),
        BoolStorage: Uint8Array.of(1, 0),
        ByteStorage: Uint8Array.of(200),
      },
    );
    expect(
      [...file.tensors].map(([name, { dtype, data }]) => [
        name,
        dtype,
        Array.from(data as ArrayLike<unknown>),
      ]),
    ).toEqual([
      ['long', 'I64', [-(2n ** 62n)]],
      ['short', 'I32', [-3, 300]],
      ['bool', 'BOOL', [1, 0]],
      ['byte', 'U8', [200]],
    ]);
  });

  test.each(['state_dict', 'model_state_dict', 'model'])(
    'finds the tensors under "%s" and tells what it left out',
    async (key) => {
      const main = pickle(
        dict(
          ['epoch', op.int(3)],
          ['optimizer', dict(['lr', op.int(1)])],
          [key, dict(['module.w', tensor(whole)], ['extra', op.none])],
          ['arch', op.text('tiny')],
        ),
      );
      const { tensors, metadata, notes } = await read(main);
      expect([...tensors.keys()]).toEqual(['w']);
      expect([...metadata]).toEqual([
        ['epoch', '3'],
        ['arch', 'tiny'],
      ]);
      expect(notes).toEqual([
        `tensors found under "${key}"`,
        'left out: optimizer',
        'left out, as they are no tensors: extra',
        'removed the prefix "module." from 1 of 1 names',
      ]);
    },
  );

  test('reads what else PyTorch puts into such files: metadata of the dict, parameters, sizes, counters, Python 2 dicts', async () => {
    const attributes = [
      op.emptyDict,
      op.text('_metadata'),
      call('collections', 'OrderedDict'),
      op.setItem,
      op.build,
    ];
    const pairs = list(
      list(op.text('w'), call('torch._utils', '_rebuild_parameter', tensor(whole), op.no, op.none)),
    );
    const inner = joinBytes([
      op.global('collections', 'OrderedDict'),
      tuple(pairs),
      op.reduce,
      ...attributes,
    ]);
    const main = pickle(
      dict(
        ['state_dict', inner],
        ['size', call('torch', 'Size', tuple(op.int(2)))],
        ['milestones', call('collections', 'Counter', dict(['a', op.int(1)]))],
        ['device', call('torch', 'device', op.text('cuda'), op.int(0))],
        ['dtype', op.global('torch', 'float32')],
        ['frozen', call('__builtin__', 'set', list(op.int(1)))],
      ),
    );
    const { tensors, metadata } = await read(main);
    expect([...tensors.keys()]).toEqual(['w']);
    expect([...metadata]).toEqual([['device', 'cuda:0']]);
  });

  const run = call('os', 'system', op.text('false'));
  const refused: [string, Uint8Array, RegExp][] = [
    ['a call of os.system', pickle(run), /got the name "os\.system", which was not run/],
    [
      'a call of builtins.eval inside a state dict',
      pickle(dict(['w', tensor(whole)], ['x', call('builtins', 'eval', op.text('1'))])),
      /"builtins\.eval"/,
    ],
    ['a name of an allowed module', pickle(call('torch', 'load', op.text('x'))), /"torch\.load"/],
    [
      'an allowed name with a dot moved',
      pickle(op.global('torch._utils._rebuild_tensor_v2', 'x')),
      /"torch\._utils\._rebuild_tensor_v2\.x"/,
    ],
    [
      'a name from the stack (STACK_GLOBAL)',
      pickle(op.text('posix'), op.text('system'), Uint8Array.of(0x93)),
      /"posix\.system"/,
    ],
    [
      'an instance (NEWOBJ)',
      pickle(op.global('collections', 'OrderedDict'), op.emptyTuple, Uint8Array.of(0x81)),
      /operation NEWOBJ of collections\.OrderedDict/,
    ],
    ['an instance (INST)', pickle(op.mark, new TextEncoder().encode('ios\nsystem\n')), /operation INST/],
    [
      'an instance (OBJ)',
      pickle(op.mark, op.global('torch', 'Size'), new TextEncoder().encode('o')),
      /operation OBJ/,
    ],
    ['an extension code', pickle(Uint8Array.of(0x82, 1)), /operation EXT1/],
    ['a call of a constant', pickle(call('torch', 'FloatStorage')), /one of torch\.FloatStorage/],
    [
      'a call of a text',
      pickle(op.text('os.system'), op.emptyTuple, op.reduce),
      /something that is not a name/,
    ],
    ['attributes of a list', pickle(op.emptyList, op.emptyDict, op.build), /attributes of another object/],
    ['an unknown operation', pickle(Uint8Array.of(1)), /byte 1/],
    ['protocol 0', Uint8Array.of(0x80, 0, 0x4e, 0x2e), /protocol 0/],
    ['two values', pickle(op.none, op.none), /one value at the end, got 2/],
    ['no value', pickle(), /a value on the stack, got none/],
    ['a mark as value', pickle(op.mark), /got a mark/],
    ['a value that was not kept', pickle(op.get(3)), /number 3/],
    ['a group without mark', pickle(op.none, op.tuple), /a mark on the stack/],
    ['an append to a dict', pickle(op.emptyDict, op.none, op.append), /a list to append to/],
    ['a text of 4 GB', pickle(record([0x58, 1], [0xffffffff, 4])), /4294967295 more bytes/],
    [
      'a bytes object of 2^64 - 1 bytes',
      pickle(Uint8Array.of(0x8e), new Uint8Array(8).fill(255)),
      /more bytes/,
    ],
    ['an integer of 2 GB', pickle(record([0x8b, 1], [0x7fffffff, 4])), /integers of at most 64 bytes/],
    [
      'a tensor beyond its storage',
      state(['w', { ...whole, offset: 1 }]),
      /within its storage "0" of 6 elements/,
    ],
    ['a negative size', state(['w', { ...whole, shape: [-2, 3] }]), /arguments that PyTorch gives/],
    ['a negative stride', state(['w', { ...whole, strides: [-3, 1] }]), /arguments that PyTorch gives/],
    ['strides of another length', state(['w', { ...whole, strides: [1] }]), /arguments that PyTorch gives/],
    [
      'a tensor expanded to 2^60 elements',
      state(['w', { count: 6, shape: [2 ** 30, 2 ** 30], strides: [0, 0] }]),
      /tensor "w": expected at most 16777216 elements/,
    ],
    [
      'sizes whose product overflows',
      state(['w', { count: 6, shape: Array(40).fill(2 ** 30), strides: Array(40).fill(0) }]),
      /at most 16777216 elements/,
    ],
    [
      'an unknown storage type',
      state(['w', { ...whole, storage: 'ComplexFloatStorage' }]),
      /"torch\.ComplexFloatStorage"/,
    ],
    [
      'a device that is a list',
      pickle(call('torch', 'device', list())),
      /arguments that PyTorch gives to torch\.device/,
    ],
    ['a single tensor', pickle(tensor(whole)), /a single tensor without a name/],
    [
      'a tensor without a text as name',
      pickle(op.emptyDict, op.int(1), tensor(whole), op.setItem),
      /texts as names/,
    ],
    [
      'names that differ by the prefix alone',
      state(['w', whole], ['module.w', whole]),
      /"w" with and without it/,
    ],
  ];

  test.each(refused)('refuses %s, in both formats', async (_, main, message) => {
    await expect(read(main)).rejects.toThrow(FormatError);
    await expect(read(main)).rejects.toThrow(message);
    await expect(read(main)).rejects.toThrow(/: x\.pt: /);
    await expect(readCheckpointFile(stream(main, [['0', six, 4]]), 'x.pth')).rejects.toThrow(message);
  });

  const refusedInArchives: [string, Uint8Array, RegExp][] = [
    ['a pickle without end', pickle(op.none).subarray(0, 3), /1 more bytes, got 0/],
    ['bytes after the pickle', joinBytes([state(['w', whole]), Uint8Array.of(0)]), /bytes after it/],
    ['a storage that is not there', state(['w', { ...whole, key: '7' }]), /a\/data\/7, got no such file/],
    [
      'a storage of another length',
      state(['w', { ...whole, count: 7 }]),
      /expected 28 bytes in a\/data\/0, got 24/,
    ],
    ['no tensors', pickle(dict(['epoch', op.int(1)])), /got a dict of epoch/],
  ];

  test.each(refusedInArchives)('refuses %s', async (_, main, message) => {
    await expect(read(main)).rejects.toThrow(FormatError);
    await expect(read(main)).rejects.toThrow(message);
  });

  test('a short pickle cannot make much by calling for the same long value over and over', async () => {
    const many = 20_000;
    const repeat = (...parts: Uint8Array[]) => joinBytes(Array(many).fill(joinBytes(parts)));
    const callOnKept = (module: string, name: string) =>
      joinBytes([
        op.global(module, name),
        op.put(2),
        repeat(op.get(2), op.get(1), Uint8Array.of(0x85), op.reduce),
      ]);
    const longDict = joinBytes([
      dict(...Array.from({ length: many }, (_, i): [string, Uint8Array] => [`k${i}`, op.none])),
      op.put(1),
    ]);
    const longList = joinBytes([list(repeat(list(op.none, op.none))), op.put(1)]);
    const longText = joinBytes([op.text('x'.repeat(many)), op.put(1)]);
    const state = dict(['w', tensor(whole)]);
    const holding = (...parts: Uint8Array[]) => pickle(dict(['state_dict', state], ['x', list(...parts)]));
    const started = performance.now();
    expect((await read(holding(longDict, callOnKept('collections', 'Counter')))).tensors.size).toBe(1);
    expect((await read(holding(longList, callOnKept('builtins', 'set')))).tensors.size).toBe(1);
    await expect(read(holding(longList, callOnKept('collections', 'OrderedDict')))).rejects.toThrow(
      FormatError,
    );
    await expect(read(holding(longText, callOnKept('torch', 'device')))).rejects.toThrow(FormatError);
    expect(performance.now() - started).toBeLessThan(4000);
  });

  test('nesting does not use up the stack, and a value that contains itself is no harm', async () => {
    const deep = joinBytes([...Array(100000).fill(op.emptyList), ...Array(99999).fill(op.append)]);
    const loop = joinBytes([op.emptyList, op.put(1), op.get(1), op.append]);
    const { tensors } = await read(
      pickle(dict(['state_dict', dict(['w', tensor(whole)])], ['deep', deep], ['loop', loop])),
    );
    expect(tensors.size).toBe(1);
  });

  const main = state(['w', whole]);
  const good = stream(main, [['0', six, 4]]);
  const streams: [string, Uint8Array, RegExp][] = [
    ['a stream cut short', good.subarray(0, -1), /The file is cut short/],
    ['bytes after the last storage', joinBytes([good, Uint8Array.of(0)]), /Bytes follow the last storage/],
    [
      'another version',
      joinBytes([good.subarray(0, 15), pickle(op.int(1002)), good.subarray(23)]),
      /expected version 1001/,
    ],
    ['a storage missing', stream(main, []), /expected a storage "0", got none/],
    [
      'a storage twice',
      stream(main, [
        ['0', six, 4],
        ['0', six, 4],
      ]),
      /each storage of the object once/,
    ],
    ['a storage that no tensor has', stream(main, [['9', six, 4]]), /each storage of the object once/],
    [
      'a storage of two types',
      stream(state(['w', whole], ['v', { ...whole, storage: 'IntStorage' }]), [['0', six, 4]]),
      /F32 and I32/,
    ],
    [
      'a storage shorter than stated',
      stream(main, [['0', six.subarray(4), 4]]),
      /a storage of 24 bytes, got 20/,
    ],
    ['a call in the first pickles', joinBytes([good.subarray(0, 15), pickle(run)]), /"os\.system"/],
  ];

  test.each(streams)('refuses %s', (_, bytes, message) => {
    expect(() => parsePytorchStream(bytes, 'x.pth')).toThrow(FormatError);
    expect(() => parsePytorchStream(bytes, 'x.pth')).toThrow(message);
  });

  test('refuses archives of other kinds by what they are', async () => {
    const script = archive(main, { 0: six }, {}, [['a/constants.pkl', pickle(op.none)]]);
    await expect(readCheckpointFile(script)).rejects.toThrow(/TorchScript/);
    const two = archive(main, { 0: six }, {}, [['b/data.pkl', main]]);
    await expect(readCheckpointFile(two)).rejects.toThrow(/one data\.pkl, got 2/);
  });
});
