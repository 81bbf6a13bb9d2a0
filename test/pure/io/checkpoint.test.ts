import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { type CheckpointFile, readCheckpointFile } from '../../../src/io/checkpoint.ts';
import { writeSafetensors } from '../../../src/io/safetensors-writer.ts';
import { npy } from '../../support/npy-writer.ts';
import { op, pickle } from '../../support/pickle-writer.ts';
import { writeZip } from '../../support/zip-writer.ts';

const FOLDER = '../shared/reference/formats';
const here = existsSync(FOLDER);

type Expected = Record<string, { shape: number[]; values: number[] }>;

describe(`the files of ${FOLDER}, as PyTorch and NumPy write them${here ? '' : ' (skipped: the folder is not there)'}`, () => {
  const expected: Record<string, Expected> = here
    ? JSON.parse(readFileSync(`${FOLDER}/expected.json`, 'utf8'))
    : {};
  const read = (name: string) => readCheckpointFile(readFileSync(`${FOLDER}/${name}`), name);

  function expectTensors({ tensors }: CheckpointFile, want: Expected): void {
    expect([...tensors.keys()].sort()).toEqual(Object.keys(want).sort());
    for (const [name, { shape, values }] of Object.entries(want)) {
      const { shape: found, data } = tensors.get(name)!;
      expect(found, name).toEqual(shape);
      expect(Array.from(data as ArrayLike<number | bigint>, Number), name).toEqual(values.map(Math.fround));
    }
  }

  test.skipIf(!here)('a state dict, in both formats', async () => {
    for (const [name, format] of [
      ['state_dict.pt', 'pytorch'],
      ['state_dict_legacy.pth', 'pytorch-stream'],
    ] as const) {
      const file = await read(name);
      expect(file.format).toBe(format);
      expectTensors(file, expected.state_dict!);
      expect(file.tensors.get('bn.num_batches_tracked')!.data).toEqual(BigInt64Array.of(17n));
      expect(['half', 'bfloat', 'double'].map((key) => file.tensors.get(key)!.dtype)).toEqual([
        'F16',
        'BF16',
        'F64',
      ]);
      expect(file.notes).toEqual(['rounded float64 to float32: 1 of 11 tensors']);
    }
  });

  test.skipIf(!here)('a data-parallel state dict: the prefix is removed and told', async () => {
    const file = await read('data_parallel.pt');
    expectTensors(file, expected.state_dict!);
    expect(file.notes).toContain('removed the prefix "module." from 2 of 11 names');
  });

  test.skipIf(!here)('a training checkpoint: the tensors under state_dict', async () => {
    const file = await read('checkpoint.pt');
    expectTensors(file, expected.state_dict!);
    expect(file.notes).toContain('tensors found under "state_dict"');
    expect([...file.metadata]).toEqual([
      ['epoch', '3'],
      ['best_acc', '0.915'],
      ['arch', 'tiny'],
    ]);
  });

  test.skipIf(!here)('views of one storage', async () =>
    expectTensors(await read('views.pt'), expected.views!),
  );

  test.skipIf(!here)('npz, stored and deflated', async () => {
    const stored = await read('arrays.npz');
    const { 'bn.num_batches_tracked': _, ...floats } = expected.state_dict!;
    expectTensors(stored, floats);
    expect(stored.format).toBe('npz');
    const deflated = await read('arrays_compressed.npz');
    expectTensors(deflated, expected.arrays_compressed!);
    expect(deflated.tensors.get('a')!.dtype).toBe('I64');
    expect(deflated.tensors.get('b')!.dtype).toBe('BOOL');
  });

  test.skipIf(!here)(
    'a pickle that calls os.system, and one that needs a class: refused by name, nothing run',
    async () => {
      await expect(read('malicious.pt')).rejects.toThrow(FormatError);
      await expect(read('malicious.pt')).rejects.toThrow(
        /malicious\.pt: .*"posix\.system", which was not run/,
      );
      expect(existsSync('pwned.txt')).toBe(false);
      await expect(read('whole_module.pt')).rejects.toThrow(/"torch\.nn\.modules\.linear\.Linear"/);
    },
  );
});

describe('readCheckpointFile', () => {
  test('passes safetensors through', async () => {
    const bytes = writeSafetensors([['w', { shape: [2], data: Float32Array.of(1, 2) }]], [['a', 'b']]);
    expect(await readCheckpointFile(bytes)).toEqual({
      format: 'safetensors',
      tensors: new Map([['w', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }]]),
      metadata: new Map([['a', 'b']]),
      notes: [],
    });
  });

  const cases: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /0 bytes that start nowhere/],
    ['a text', new TextEncoder().encode('hello, world'), /12 bytes that start 104 101/],
    [
      'a single npy array',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", new Uint8Array(4)),
      /numpy\.savez/,
    ],
    ['a plain pickle', pickle(op.none), /a pickle that torch\.save did not write/],
    ['another zip archive', writeZip([['readme.txt', new Uint8Array(1)]]), /a zip archive of "readme\.txt"/],
  ];
  test.each(cases)('says what %s is not', async (_, bytes, message) => {
    await expect(readCheckpointFile(bytes, 'x')).rejects.toThrow(FormatError);
    await expect(readCheckpointFile(bytes, 'x')).rejects.toThrow(message);
  });
});
