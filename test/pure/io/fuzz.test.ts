/**
 * Damaged files of every format: each of at least 10,000 mutants ends in a named error or in a valid parse, soon. Where a checksum covers
 * the content, a mutant that is accepted has the content of the original.
 */
import { describe, expect, test } from 'vitest';
import { DataError, FormatError, ShapeError, UnsupportedError } from '../../../src/base/errors.ts';
import { readCheckpointFile } from '../../../src/io/checkpoint.ts';
import { parseCifar10, parseCifar100 } from '../../../src/io/cifar.ts';
import { validateDataset } from '../../../src/io/dataset.ts';
import { parseIdx } from '../../../src/io/idx.ts';
import { parseNpy } from '../../../src/io/npy.ts';
import type { FileTensor } from '../../../src/io/safetensors.ts';
import { writeSafetensors } from '../../../src/io/safetensors-writer.ts';
import { Mutator } from '../../support/mutations.ts';
import { npy } from '../../support/npy-writer.ts';
import { archive, call, dict, floats, op, pickle, stream, tensor } from '../../support/pickle-writer.ts';
import { joinBytes, writeZip } from '../../support/zip-writer.ts';

const COUNT = 10_000;
const LIMIT_MS = 3000;

/** Reads mutants of `original` and counts what came of them. */
async function fuzz(
  purpose: string,
  original: Uint8Array,
  read: (mutant: Uint8Array) => unknown,
  count = COUNT,
): Promise<{ accepted: number; refused: number }> {
  const mutator = new Mutator(purpose);
  await read(original); // the original itself is sound
  const result = { accepted: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    const mutant = mutator.mutate(original);
    const started = performance.now();
    try {
      await read(mutant);
      result.accepted++;
    } catch (error) {
      const named = [FormatError, DataError, ShapeError, UnsupportedError].some(
        (kind) => error instanceof kind,
      );
      if (!named)
        throw new Error(`mutant ${i} of ${purpose}: ${Buffer.from(mutant).toString('base64')}`, {
          cause: error,
        });
      result.refused++;
    }
    expect(performance.now() - started, `milliseconds for mutant ${i} of ${purpose}`).toBeLessThan(LIMIT_MS);
  }
  // Neither all nor none: the mutants reach what is behind the first check.
  expect(result.refused).toBeGreaterThan(count / 50);
  return result;
}

function expectSound(tensors: ReadonlyMap<string, FileTensor>): void {
  for (const [name, { shape, data }] of tensors) {
    if (data.length !== shape.reduce((product, size) => product * size, 1))
      throw new Error(`${name}: [${shape}], ${data.length} values`);
  }
}

/** The file is read to sound tensors. */
const readSound = async (bytes: Uint8Array) => expectSound((await readCheckpointFile(bytes)).tensors);

/** The file is read to the very tensors of `original`. */
function readSame(original: Uint8Array): (bytes: Uint8Array) => Promise<void> {
  const right = readCheckpointFile(original);
  return async (bytes) => expect((await readCheckpointFile(bytes)).tensors).toEqual((await right).tensors);
}

const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
const matrix = npy(header('<f4', '(2, 3)', 'True'), floats(1, 2, 3, 4, 5, 6));
const arrays: [string, Uint8Array][] = [
  ['w.npy', matrix],
  ['n.npy', npy(header('>i8', '()'), new Uint8Array(8))],
];
const six = floats(0, 1, 2, 3, 4, 5);
const main = pickle(
  dict(
    ['epoch', op.int(3)],
    [
      'state_dict',
      dict(
        ['w', tensor({ count: 6, shape: [3, 2], strides: [1, 3] })],
        [
          'b',
          call(
            'torch._utils',
            '_rebuild_parameter',
            tensor({ count: 6, offset: 2, shape: [2], strides: [1] }),
            op.no,
            op.none,
          ),
        ],
        ['n', tensor({ key: '1', storage: 'LongStorage', count: 1, shape: [], strides: [] })],
      ),
    ],
  ),
);
const storages = { 0: six, 1: new Uint8Array(8) };
const checkpoint = archive(main, storages);
const zip64Checkpoint = archive(main, storages, { zip64: true });
const legacy = stream(main, [
  ['0', six, 4],
  ['1', new Uint8Array(8), 8],
]);

describe(`each of ${COUNT} mutants ends in a named error or a valid parse`, { timeout: 60_000 }, () => {
  test('control: an error of another kind, and an original that is not sound, are noticed', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const foreign = (mutant: Uint8Array) => {
      if (mutant[0] !== 1) throw new TypeError('no');
    };
    await expect(fuzz('control', bytes, foreign, 100)).rejects.toThrow(/mutant \d+ of control/);
    const refuse = () => {
      throw new FormatError('no');
    };
    await expect(fuzz('control', bytes, refuse, 100)).rejects.toThrow(FormatError);
    await expect(fuzz('control', bytes, () => {}, 100)).rejects.toThrow(/greater than/);
  });

  test('safetensors', async () => {
    const file = writeSafetensors(
      [
        ['w', { shape: [2, 3], data: new Float32Array(6) }],
        ['n', { shape: [], data: BigInt64Array.of(1n) }],
      ],
      [['a', 'b']],
    );
    expect((await fuzz('safetensors', file, readSound)).accepted).toBeGreaterThan(100);
  });

  test('npy', async () => {
    const read = (bytes: Uint8Array) => expectSound(new Map([['', parseNpy(bytes).tensor]]));
    expect((await fuzz('npy', matrix, read)).accepted).toBeGreaterThan(100);
  });

  test('npz: an accepted archive has the arrays of the original', async () => {
    const file = writeZip(arrays);
    await fuzz('npz', file, readSame(file));
    const deflated = writeZip(arrays, { deflate: true });
    await fuzz('npz, deflated', deflated, readSame(deflated), 1000);
  });

  test('PyTorch zip: an accepted archive has the tensors of the original', async () => {
    await fuzz('pt', checkpoint, readSame(checkpoint));
    await fuzz('pt, zip64', zip64Checkpoint, readSame(zip64Checkpoint), COUNT / 2);
  });

  test('PyTorch zip, with checksums that are right: the pickle damaged', async () => {
    const read = (bytes: Uint8Array) => readSound(archive(bytes, storages));
    expect((await fuzz('pickle', main, read)).accepted).toBeGreaterThan(10);
  });

  test('PyTorch stream', async () => {
    expect((await fuzz('pth', legacy, readSound)).accepted).toBeGreaterThan(100);
  });

  test('idx', async () => {
    const images = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2, ...Array(12).keys()]);
    const read = (bytes: Uint8Array) => {
      const { shape, data } = parseIdx(bytes, 3);
      expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
    };
    expect((await fuzz('idx', images, read)).accepted).toBeGreaterThan(100);
  });

  test('CIFAR-10 and CIFAR-100', async () => {
    const records = (...labels: number[]) => [...labels, ...Array(3072).fill(7)];
    const ten = Uint8Array.from([...records(1), ...records(9)]);
    const hundred = Uint8Array.from([...records(3, 44), ...records(19, 99)]);
    await fuzz('cifar-10', ten, (bytes) => validateDataset(parseCifar10(bytes)), COUNT / 2);
    await fuzz('cifar-100', hundred, (bytes) => validateDataset(parseCifar100(bytes)), COUNT / 2);
  });
});

describe('a pickle that calls anything else is refused', { timeout: 60_000 }, () => {
  const names: [string, string][] = [
    ...([
      'os.system',
      'posix.system',
      'builtins.eval',
      'builtins.exec',
      '__builtin__.apply',
      'subprocess.Popen',
    ] as const),
    ...([
      'runpy._run_code',
      'torch.load',
      'torch.hub.load',
      'torch.nn.Module',
      'importlib.import_module',
      'builtins.getattr',
    ] as const),
    ...([
      'nt.system',
      'socket.socket',
      'shutil.rmtree',
      'torch._utils.__builtins__',
      'collections.deque',
      'numpy.load',
      'operator.attrgetter',
      'webbrowser.open',
      'pickle.loads',
    ] as const),
  ].map((name) => [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)]);

  test('wherever in the pickle the call stands, in both formats', async () => {
    let count = 0;
    for (let at = 2; at < main.length; at++) {
      for (const [module, name] of names) {
        const evil = call(module, name, op.text('x'));
        const mutant = joinBytes([main.subarray(0, at), evil, main.subarray(at)]);
        const file = count % 2 === 0 ? archive(mutant, storages) : stream(mutant, [['0', six, 4]]);
        await expect(readCheckpointFile(file), `${module}.${name} at ${at}`).rejects.toThrow(FormatError);
        count++;
      }
    }
    expect(count).toBeGreaterThan(COUNT);
  });
});
