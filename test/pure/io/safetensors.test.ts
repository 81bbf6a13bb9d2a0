import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError, FormatError } from '../../../src/base/errors.ts';
import { assertFinite, parseSafetensors, type TensorData } from '../../../src/io/safetensors.ts';
import { type WritableTensor, writeSafetensors } from '../../../src/io/safetensors-writer.ts';

/** Written by the reference library, version 0.8.0, from the tensors that the test names. */
const REFERENCE_FILE = Uint8Array.from(
  atob(
    'YAIAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJzdGVwcyI6eyJkdHlwZSI6Ikk2NCIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMCw4XX0sImQiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOls4LDE2XX0sIlpldGEiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzAsM10sImRhdGFfb2Zmc2V0cyI6WzE2LDE2XX0sImIud2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxLDNdLCJkYXRhX29mZnNldHMiOlsxNiwyOF19LCJpIjp7ImR0eXBlIjoiSTMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMjgsMzZdfSwiYSI6eyJkdHlwZSI6IkYxNiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzM2LDQyXX0sIu+/riI6eyJkdHlwZSI6Ikk4Iiwic2hhcGUiOlsxXSwiZGF0YV9vZmZzZXRzIjpbNDIsNDNdfSwi8J+YgCI6eyJkdHlwZSI6Ikk4Iiwic2hhcGUiOlsxXSwiZGF0YV9vZmZzZXRzIjpbNDMsNDRdfSwiYnl0ZXMiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzQ0LDQ2XX0sIm1hc2siOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbNDYsNDldfX0gIAcAAAAAAAAAAAAAAAAA4D8AAMA/AAAAwAAAQED/////AgAAAAA+/3sBAAEC/wEBAAE=',
  ),
  (character) => character.charCodeAt(0),
);

const REFERENCE_TENSORS: [string, WritableTensor][] = [
  ['b.weight', { shape: [1, 3], data: Float32Array.of(1.5, -2, 3) }],
  ['a', { dtype: 'F16', shape: [3], data: Float32Array.of(1.5, 65504, 2 ** -24) }],
  ['steps', { shape: [], data: BigInt64Array.of(7n) }],
  ['Zeta', { shape: [0, 3], data: new Float32Array(0) }],
  ['mask', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['bytes', { shape: [2], data: Uint8Array.of(255, 1) }],
  ['i', { shape: [2], data: Int32Array.of(-1, 2) }],
  ['d', { dtype: 'F64', shape: [1], data: Float32Array.of(0.5) }],
  ['\uffee', { shape: [1], data: Int8Array.of(1) }],
  ['\u{1f600}', { shape: [1], data: Int8Array.of(2) }],
];

/** A file from a header text and data bytes. */
function file(header: string, dataLength = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function tensorHeader(fields: string): string {
  return `{"w":{${fields}}}`;
}

const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text !== '__metadata__');
const shape = fc.array(fc.nat(4), { maxLength: 4 });
const float32 = fc.float();
const makers: [WritableTensor['dtype'], (values: number[]) => TensorData][] = [
  ['F32', (values) => Float32Array.from(values)],
  ['F64', (values) => Float32Array.from(values)],
  ['I64', (values) => BigInt64Array.from(values, (value) => BigInt(Math.trunc(value % 2 ** 60) || 0))],
  ['I32', (values) => Int32Array.from(values)],
  ['I8', (values) => Int8Array.from(values)],
  ['U8', (values) => Uint8Array.from(values)],
  ['BOOL', (values) => Uint8Array.from(values, (value) => (value > 0 ? 1 : 0))],
];
const tensor = fc.tuple(shape, fc.constantFrom(...makers)).chain(([sizes, [dtype, make]]) => {
  const count = sizes.reduce((product, size) => product * size, 1);
  return fc
    .array(float32, { minLength: count, maxLength: count })
    .map((values): WritableTensor => ({ dtype: dtype!, shape: sizes, data: make(values) }));
});
const tensors = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 });
const metadata = fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'grapheme' })), {
  selector: ([key]) => key,
  maxLength: 3,
});

describe('parseSafetensors', () => {
  test('reads a file of the reference library: names, types, shapes, values, metadata', () => {
    const parsed = parseSafetensors(REFERENCE_FILE, 'reference.safetensors');
    expect(Array.from(parsed.metadata)).toEqual([['format', 'pt']]);
    expect(parsed.tensors.size).toBe(REFERENCE_TENSORS.length);
    for (const [key, { shape: sizes, data }] of REFERENCE_TENSORS) {
      expect(parsed.tensors.get(key)?.shape, key).toEqual(sizes);
      expect(parsed.tensors.get(key)?.data, key).toEqual(data);
    }
    expect(parsed.tensors.get('a')?.dtype).toBe('F16');
  });

  test('what was written is read, and written again gives the same bytes', () => {
    fc.assert(
      fc.property(tensors, metadata, (items, texts) => {
        const bytes = writeSafetensors(items, texts);
        const parsed = parseSafetensors(bytes);
        expect(new Map(parsed.metadata)).toEqual(new Map(texts));
        expect(parsed.tensors.size).toBe(items.length);
        for (const [key, value] of items) expect(parsed.tensors.get(key)).toEqual(value);
        expect(writeSafetensors(parsed.tensors, parsed.metadata)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('data that starts at an odd address is read the same', () => {
    const header = tensorHeader('"dtype":"F32","shape":[1],"data_offsets":[0,4]') + ' ';
    const bytes = file(header, 4);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 2.5, true);
    for (const shift of [0, 1, 2, 3]) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      expect(parseSafetensors(moved.subarray(shift)).tensors.get('w')?.data).toEqual(Float32Array.of(2.5));
    }
  });

  test('the arrays are copies, of a Node Buffer too: changing the bytes afterwards changes nothing', () => {
    for (const bytes of [REFERENCE_FILE.slice(), Buffer.from(REFERENCE_FILE)]) {
      const parsed = parseSafetensors(bytes);
      bytes.fill(0);
      expect(parsed.tensors.get('bytes')?.data).toEqual(Uint8Array.of(255, 1));
    }
  });

  test('F64 is rounded to float32', () => {
    const bytes = file(tensorHeader('"dtype":"F64","shape":[1],"data_offsets":[0,8]'), 8);
    new DataView(bytes.buffer).setFloat64(bytes.length - 8, 0.1, true);
    expect(parseSafetensors(bytes).tensors.get('w')?.data).toEqual(Float32Array.of(0.1));
  });

  const valid = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';
  test.each([
    ['an empty file', new Uint8Array(0), /expected 8 bytes of header length, got 0/],
    ['a length beyond the file', file('{}').subarray(0, 9), /header of 2 bytes, got 1 after/],
    ['a length above 100 MB', Uint8Array.of(0, 0xe1, 0xf5, 0x05, 1, 0, 0, 0), /at most 100000000 bytes/],
    ['a length of 2^64 - 1', new Uint8Array(8).fill(255), /got a length of 18446744073709551615/],
    ['an empty header', new Uint8Array(8), /starts with "\{", got an empty one/],
    ['a header that starts with a space', file(' {}'), /starts with "\{", got byte 32/],
    ['a header with a byte order mark', file('\ufeff{}'), /starts with "\{"/],
    ['a header that is no JSON', file('{"a"'), /header: expected ":"/],
    ['text after the JSON', file('{}x'), /expected the end of the JSON text/],
    ['a header that is not UTF-8', file('{"\u00e9"}').map((byte) => (byte === 0xa9 ? 0x22 : byte)), /UTF-8/],
    ['a name given twice', file(`{"w":{${valid}},"w":{${valid}}}`, 8), /"w" is given twice/],
    ['a field given twice', file(tensorHeader(`${valid},"dtype":"F32"`), 8), /"dtype" is given twice/],
    ['an unknown field', file(tensorHeader(`${valid},"extra":1`), 8), /tensor "w": .*got also "extra"/],
    ['a tensor that is a list', file('{"w":[]}'), /tensor "w": expected an object/],
    ['no dtype', file(tensorHeader('"shape":[2],"data_offsets":[0,8]'), 8), /tensor "w": expected a dtype/],
    ['an unknown dtype', file(tensorHeader(valid.replace('F32', 'F31')), 8), /got "F31". Convert/],
    ['a negative size', file(tensorHeader(valid.replace('[2]', '[-2]')), 8), /tensor "w": shape: expected/],
    [
      'a size above 2^53',
      file(tensorHeader(valid.replace('[2]', '[9007199254740993]')), 8),
      /shape: expected/,
    ],
    ['a fractional size', file(tensorHeader(valid.replace('[2]', '[2.0]')), 8), /header: expected/],
    ['a size that is a text', file(tensorHeader(valid.replace('[2]', '["2"]')), 8), /shape: expected/],
    ['no offsets', file(tensorHeader('"dtype":"F32","shape":[2]'), 8), /data_offsets: expected/],
    ['three offsets', file(tensorHeader(valid.replace('0,8', '0,8,8')), 8), /data_offsets: expected two/],
    [
      'a shape that does not fit',
      file(tensorHeader(valid.replace('[2]', '[3]')), 8),
      /expected 12 bytes for F32 of shape \[3\]/,
    ],
    ['offsets backwards', file(tensorHeader(valid.replace('0,8', '8,0')), 8), /got data_offsets \[8, 0\]/],
    [
      'a product that overflows',
      file(tensorHeader(valid.replace('[2]', '[4294967296,4294967296,4294967296]')), 8),
      /tensor "w"/,
    ],
    ['offsets beyond the file', file(tensorHeader(valid), 7), /within the 7 bytes of data.*cut short/],
    [
      'bytes that belong to no tensor',
      file(tensorHeader(valid), 9),
      /expected 8 bytes of data after the header, got 9/,
    ],
    [
      'a hole',
      file(`{"a":{${valid}},"b":{${valid.replace('0,8', '12,20')}}}`, 20),
      /tensor "b": .*start at 8.*got \[12, 20\]/,
    ],
    [
      'an overlap',
      file(`{"a":{${valid}},"b":{${valid.replace('0,8', '4,12')}}}`, 12),
      /tensor "b": .*overlap/,
    ],
    ['a hole at the start', file(tensorHeader(valid.replace('0,8', '4,12')), 12), /start at 0/],
    ['metadata that is no object', file('{"__metadata__":1}'), /__metadata__: expected an object/],
    ['metadata that is a number', file('{"__metadata__":{"a":1}}'), /expected a text under "a", got number/],
    [
      'a BOOL that is 2',
      file(tensorHeader('"dtype":"BOOL","shape":[1],"data_offsets":[0,1]'), 1).map((byte, i, all) =>
        i === all.length - 1 ? 2 : byte,
      ),
      /0 and 1 for BOOL/,
    ],
  ])('refuses %s, naming the file and what to do', (_, bytes, message) => {
    expect(() => parseSafetensors(bytes, 'broken.safetensors')).toThrow(FormatError);
    expect(() => parseSafetensors(bytes, 'broken.safetensors')).toThrow(message);
    expect(() => parseSafetensors(bytes, 'broken.safetensors')).toThrow(
      /^parseSafetensors: broken\.safetensors: /,
    );
  });

  test('accepts empty tensors between others, and a file without tensors', () => {
    expect(parseSafetensors(file('{}')).tensors.size).toBe(0);
    const header = `{"a":{${valid}},"e":{"dtype":"I64","shape":[0,7],"data_offsets":[8,8]},"b":{${valid.replace('0,8', '8,16')}}}`;
    expect(Array.from(parseSafetensors(file(header, 16)).tensors.keys())).toEqual(['a', 'e', 'b']);
  });

  test('40,000 damaged files end in a FormatError or a valid parse, never in another error', () => {
    const outcomes = { parsed: 0, refused: 0 };
    const original = writeSafetensors(REFERENCE_TENSORS, [['format', 'pt']]);
    const headerEnd = 8 + Number(new DataView(original.buffer).getBigUint64(0, true));
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.nat(headerEnd - 1),
            fc.oneof(fc.nat(255), fc.constantFrom(...Array.from('{}[]",:0919', (c) => c.charCodeAt(0)))),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        fc.option(fc.nat(original.length), { freq: 10 }),
        (changes, cut) => {
          const bytes = original.slice(0, cut ?? original.length);
          for (const [position, value] of changes) if (position < bytes.length) bytes[position] = value;
          try {
            parseSafetensors(bytes, 'fuzz');
            outcomes.parsed++;
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
            outcomes.refused++;
          }
        },
      ),
      { numRuns: 40_000 },
    );
    // Changes inside a name or a metadata text are harmless; everything else must be seen.
    expect(outcomes.parsed).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(20_000);
  });

  const shared = '../shared/reference';
  test.skipIf(!existsSync(shared))(
    `reads the checkpoints under ${shared} (skipped where there are none)`,
    () => {
      const read = (path: string) => parseSafetensors(readFileSync(`${shared}/${path}`), path);
      const mlp = read('mnist-mlp/model-a.safetensors');
      const reference = JSON.parse(readFileSync(`${shared}/mnist-mlp/reference.json`, 'utf8'));
      expect(mlp.metadata.get('arch')).toBe('mlp:784-512-512-512-10');
      expect(mlp.tensors.get('fc1.weight')?.shape).toEqual([512, 784]);
      expect(Array.from(mlp.tensors.keys())[0]).toBe('fc1.weight');
      let squares = 0;
      let count = 0;
      for (const [key, { data }] of mlp.tensors) {
        assertFinite(key, data as Float32Array);
        for (const value of data as Float32Array) squares += value * value;
        count += data.length;
      }
      expect(count).toBe(reference.models[0].parameters);
      expect(Math.abs(Math.sqrt(squares) / reference.models[0].norm - 1)).toBeLessThan(1e-6);
      const resnet = read('cifar10-resnet20/model-b.safetensors');
      expect(resnet.tensors.get('layer2.0.shortcut.0.weight')?.shape).toEqual([32, 16, 1, 1]);
      const kept = read('cifar10-resnet20-pretrained/model.safetensors');
      expect(
        parseSafetensors(writeSafetensors(kept.tensors, kept.metadata)).tensors.get('linear.bias'),
      ).toEqual(kept.tensors.get('linear.bias'));
    },
  );
});

describe('writeSafetensors', () => {
  test('gives the bytes of the reference library, in whatever order the tensors come', () => {
    expect(writeSafetensors(REFERENCE_TENSORS, [['format', 'pt']])).toEqual(REFERENCE_FILE);
    expect(writeSafetensors([...REFERENCE_TENSORS].reverse(), [['format', 'pt']])).toEqual(REFERENCE_FILE);
  });

  test('BF16 is rounded, and comes back as the rounded values', () => {
    const bytes = writeSafetensors([['w', { dtype: 'BF16', shape: [2], data: Float32Array.of(1 / 3, -2) }]]);
    expect(parseSafetensors(bytes).tensors.get('w')).toEqual({
      dtype: 'BF16',
      shape: [2],
      data: Float32Array.of(0.333984375, -2),
    });
  });

  test.each<[string, [string, WritableTensor][], RegExp]>([
    [
      'a shape that does not fit',
      [['w', { shape: [3], data: Int32Array.of(1, 2) }]],
      /tensor "w": expected a shape of 2 elements, got \[3\]/,
    ],
    ['a fractional size', [['w', { shape: [0.5, 4], data: Int32Array.of(1, 2) }]], /expected a shape of 2/],
    [
      'a dtype of another kind',
      [['w', { dtype: 'I64', shape: [1], data: Float32Array.of(1) }]],
      /data that I64 can hold, got an array of F32/,
    ],
    [
      'integers as floats',
      [['w', { dtype: 'F32', shape: [1], data: Int32Array.of(1) }]],
      /data that F32 can hold/,
    ],
    [
      'the reserved name',
      [['__metadata__', { shape: [], data: Float32Array.of(1) }]],
      /other than "__metadata__"/,
    ],
    [
      'a name that has no UTF-8',
      [['\ud800', { shape: [], data: Float32Array.of(1) }]],
      /well-formed Unicode/,
    ],
    [
      'a name twice',
      [
        ['w', { shape: [], data: Float32Array.of(1) }],
        ['w', { shape: [], data: Int32Array.of(1) }],
      ],
      /got "w" twice/,
    ],
  ])('refuses %s', (_, items, message) => {
    expect(() => writeSafetensors(items)).toThrow(FormatError);
    expect(() => writeSafetensors(items)).toThrow(message);
  });
});

describe('assertFinite', () => {
  test('passes finite numbers and names tensor, index and value of the first other one', () => {
    assertFinite('w', Float32Array.of(0, -3.4e38, 1e-45));
    expect(() => assertFinite('fc1.bias', Float32Array.of(1, 2, NaN, Infinity))).toThrow(DataError);
    expect(() => assertFinite('fc1.bias', Float32Array.of(1, 2, NaN, Infinity))).toThrow(
      /"fc1.bias".*got NaN at index 2/,
    );
    expect(() => assertFinite('w', Float32Array.of(-Infinity))).toThrow(/got -Infinity at index 0/);
  });
});
