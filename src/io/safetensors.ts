/**
 * The safetensors format: 8 bytes header length (little-endian), a JSON header, then the tensors' bytes.
 * https://huggingface.co/docs/safetensors. Parsing is strict: what the reference library refuses is refused here, so a
 * file that passes has every byte accounted for. Floating-point tensors come back as float32 whatever their type in the
 * file, because that is what the engine computes in; integers keep their type and stay on the host.
 */

import { DataError, FormatError } from '../base/errors.ts';
import { DTYPES, type Dtype, isSizes, tensorBytes } from './dtype.ts';
import { decodeElements } from './elements.ts';
import { type Json, parseStrictJson } from './strict-json.ts';

/** Values of a tensor in row-major order: float32 for every floating-point type, else the integer type of the file. */
export type TensorData = Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;

/** One tensor of a file. */
export interface FileTensor {
  /** Element type in the file. `data` of F16, BF16 and F64 is a Float32Array all the same. */
  readonly dtype: Dtype;
  /** Sizes of the axes; empty for a scalar. */
  readonly shape: readonly number[];
  /** A copy, so neither the file's bytes nor its alignment matter afterwards. */
  readonly data: TensorData;
}

/** The content of a safetensors file. */
export interface SafetensorsFile {
  /** Tensors by name, in the order of their bytes in the file. */
  readonly tensors: Map<string, FileTensor>;
  /** The texts under `__metadata__`; empty when there are none. */
  readonly metadata: Map<string, string>;
}

/** The reference library's bound on the header. */
export const MAX_HEADER_BYTES = 100_000_000;

/**
 * Parses a whole file.
 * @param label What messages call the file, its name as a rule.
 * @throws FormatError naming the file and the tensor, for every departure from the format and for element types
 * (F8, U16, ...) that are not supported.
 */
export function parseSafetensors(bytes: Uint8Array, label = 'safetensors file'): SafetensorsFile {
  const fail = (problem: string): FormatError => new FormatError(`parseSafetensors: ${label}: ${problem}`);
  if (bytes.length < 8) {
    throw fail(`expected 8 bytes of header length, got ${bytes.length} bytes in all. The file is cut short.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerLength = view.getBigUint64(0, true);
  if (headerLength > BigInt(MAX_HEADER_BYTES)) {
    throw fail(
      `expected a header of at most ${MAX_HEADER_BYTES} bytes, got a length of ${headerLength}. ` +
        'Is this a safetensors file? Convert other checkpoints first.',
    );
  }
  const dataStart = 8 + Number(headerLength);
  if (dataStart > bytes.length) {
    throw fail(
      `expected a header of ${headerLength} bytes, got ${bytes.length - 8} after the length. The file is cut short.`,
    );
  }
  const header = parseHeader(bytes.subarray(8, dataStart), fail, label);
  const metadata = parseMetadata(header.get('__metadata__'), fail);
  header.delete('__metadata__');

  const entries = Array.from(header, ([name, value]) => parseEntry(name, value, fail));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const dataLength = bytes.length - dataStart;
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered || end > dataLength) {
      throw fail(
        `tensor ${JSON.stringify(name)}: expected bytes that start at ${covered}, where the tensor before it ends, and lie ` +
          `within the ${dataLength} bytes of data, got [${begin}, ${end}]. ` +
          (end > dataLength
            ? 'The file is cut short.'
            : 'Tensors overlap or leave a hole; write the file again.'),
      );
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw fail(
      `expected ${covered} bytes of data after the header, got ${dataLength}. Bytes at the end belong to no tensor; ` +
        'write the file again or fetch it anew.',
    );
  }
  const tensors = new Map<string, FileTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    // Not `slice`: of a Node Buffer, which is a Uint8Array too, that is a view of the whole.
    const copy = new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end));
    const data = decodeElements(
      dtype,
      copy.buffer,
      `parseSafetensors: ${label}: tensor ${JSON.stringify(name)}`,
    );
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/** @throws DataError naming the tensor, the index and the value of the first element that is NaN or infinite. */
export function assertFinite(name: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) {
      throw new DataError(
        `assertFinite: tensor ${JSON.stringify(name)}: expected finite numbers, got ${values[i]} at index ${i}. ` +
          'The model diverged or the file is damaged; use another checkpoint.',
      );
    }
  }
}

interface Entry {
  name: string;
  dtype: Dtype;
  shape: number[];
  begin: number;
  end: number;
}

function parseHeader(
  bytes: Uint8Array,
  fail: (problem: string) => FormatError,
  label: string,
): Map<string, Json> {
  if (bytes[0] !== 0x7b) {
    throw fail(
      `expected a header that starts with "{", got ${bytes.length === 0 ? 'an empty one' : `byte ${bytes[0]}`}. Is this a safetensors file?`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(
      `parseSafetensors: ${label}: expected a header in UTF-8, got other bytes. The file is damaged.`,
      {
        cause,
      },
    );
  }
  // The text starts with "{", so what comes back is a Map.
  return parseStrictJson(text, `parseSafetensors: ${label}: header`) as Map<string, Json>;
}

function parseMetadata(value: Json | undefined, fail: (problem: string) => FormatError): Map<string, string> {
  if (value === undefined) return new Map();
  if (!(value instanceof Map)) throw fail('__metadata__: expected an object of texts, got something else.');
  for (const [key, text] of value) {
    if (typeof text !== 'string') {
      throw fail(
        `__metadata__: expected a text under ${JSON.stringify(key)}, got ${typeof text}. Write it as a text.`,
      );
    }
  }
  return value as Map<string, string>;
}

function parseEntry(name: string, value: Json, failFile: (problem: string) => FormatError): Entry {
  const fail = (problem: string) => failFile(`tensor ${JSON.stringify(name)}: ${problem}`);
  const fields = 'an object of dtype, shape and data_offsets';
  if (!(value instanceof Map)) throw fail(`expected ${fields}, got something else.`);
  for (const key of value.keys()) {
    if (key !== 'dtype' && key !== 'shape' && key !== 'data_offsets') {
      throw fail(`expected ${fields}, got also ${JSON.stringify(key)}. Remove it.`);
    }
  }
  const dtype = DTYPES.find((known) => known === value.get('dtype'));
  if (dtype === undefined) {
    throw fail(
      `expected a dtype of ${DTYPES.join(', ')}, got ${JSON.stringify(value.get('dtype'))}. Convert the tensor.`,
    );
  }
  const shape = value.get('shape');
  if (!isSizes(shape)) throw fail('shape: expected a list of integers 0 .. 2^53 - 1, got something else.');
  const offsets = value.get('data_offsets');
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw fail('data_offsets: expected two integers 0 .. 2^53 - 1, got something else.');
  }
  const [begin, end] = offsets as [number, number];
  const size = tensorBytes(shape, dtype);
  if (end - begin !== size) {
    throw fail(
      `expected ${size} bytes for ${dtype} of shape [${shape}], got data_offsets [${begin}, ${end}], ` +
        `${end - begin} bytes. Shape or offsets are wrong; write the file again.`,
    );
  }
  return { name, dtype, shape, begin, end };
}
